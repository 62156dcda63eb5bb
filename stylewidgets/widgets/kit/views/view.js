// The live picture: one canvas, frames in by message, acknowledgements and input out.
//
// kernel -> browser   {type: "frame", index, mime, width, height} + one buffer   a frame that is not final
//                     traits frame, mime, info                                   the last final frame
// browser -> kernel   hello, ack, settle, visible, key, pointer                  (see view.py)
//
// An acknowledgement travels with the next message of any view of the page (live.js), and alone only when two frames wait
// for theirs. A model has one hub (it decodes, paints, acknowledges) and any number of views (they hold a canvas each).
// What people do with the picture is sent by input.js, which stands before this file in the module.

const SETTLE_MS = 120;
const SETTLE_LIMIT_MS = 800;
const RELEASED_FOR_MS = 500;
const RELEASED_MS = 30; // after a release nothing more is to come than what is on its way
const ASKED_MS = 500; // the picture in full was asked for with the release: so long it need not be asked for again
const MOST_UNANSWERED = 2;
const FADE_MS = 120;
const GONE = "The kernel was restarted or has ended: this is the last picture. Run the cell again to go on.";
const KEYS = new Set(["z", "y", "r", "s", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

// ---------------------------------------------------------------------------------------------------------------- hub

function createHub(model) {
  const views = new Set();
  let arrivals = 0; // frames received
  let decoding = 0; // frames that are being decoded
  let newest = null; // number of the newest frame that came, and of the newest that was decoded
  let decoded = null;
  let owed = 0; // frames that came since the last acknowledgement
  let newestDecoded = 0; // arrival number of the newest decoded frame
  let pending = null; // decoded, waits for the next animation frame
  let shown = null; // painted last
  let scheduled = false;
  let settleTimer = 0;
  let lastArrival = 0;
  let asked = -Infinity; // when another view asked for the picture in full
  let released = -Infinity; // when a pointer was last let go, anywhere in the page
  let gap = 0; // smoothed time between frames: a slow model must not be asked to settle between two frames
  let toldVisible = null;
  let start = null; // bitmap of the `compare` trait

  function paint() {
    scheduled = false;
    if (!pending) return;
    const frame = pending;
    pending = null;
    const old = shown;
    shown = frame;
    for (const view of views) view.draw();
    if (old) old.bitmap.close();
    if (frame.index === null) return; // came with the saved state: nobody waits for an answer
    if (frame.settled || owed >= MOST_UNANSWERED) acknowledge(frame.index);
    if (!frame.settled) settleLater();
  }

  function acknowledge(index, more = {}) {
    owed = 0;
    model.send({ type: "ack", index, ...more });
  }

  // The newest number that the kernel need not wait for; null for none. What came counts, not what is painted: else the frame
  // that a wish answers would hold up the wish. But decoding must not fall behind.
  function takeAck() {
    const number = decoding > 1 ? decoded : newest;
    if (!owed || number === null) return null;
    owed = newest - number; // what is being decoded is still owed
    return number;
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    // A hidden page gets no animation frames, and an unanswered kernel would wait.
    if (document.hidden) setTimeout(paint, 0);
    else requestAnimationFrame(paint);
  }

  function settleLater() {
    clearTimeout(settleTimer);
    if (performance.now() - asked < ASKED_MS) {
      // It is on its way, unless this one cannot be improved: then there will be no other.
      settleTimer = shown.final ? setTimeout(refine, RELEASED_MS) : setTimeout(settle, SETTLE_LIMIT_MS);
      return;
    }
    const moving = Math.min(SETTLE_LIMIT_MS, Math.max(SETTLE_MS, 2 * gap));
    const wait = performance.now() - released < RELEASED_FOR_MS ? RELEASED_MS : moving;
    settleTimer = setTimeout(settle, wait);
  }

  // A moving picture is enlarged by the quickest way, one at rest by the best.
  function refine() {
    settleTimer = 0;
    if (awaiting()) return settleLater();
    if (!shown || shown.fine) return;
    shown.fine = true;
    for (const view of views) view.draw();
  }

  function settle() {
    settleTimer = 0;
    if (awaiting()) return settleLater(); // the kernel is slow; nothing rests
    if (shown.final) refine();
    model.send({ type: "settle", acks: takeAcks() });
  }

  // Another view asks for the picture in full, with a message of its own.
  function rest() {
    asked = performance.now();
    if (settleTimer) settleLater();
  }

  // Whatever was held, a slider, the pad or the picture itself, has been let go.
  function onRelease() {
    released = performance.now();
    if (settleTimer) settleLater();
  }

  async function receive(info, data) {
    const order = ++arrivals;
    const received = performance.now();
    clearTimeout(settleTimer);
    settleTimer = 0;
    const since = received - lastArrival;
    gap = since < 1000 ? 0.7 * gap + 0.3 * since : 0;
    lastArrival = received;
    if (info.index !== null) {
      newest = Math.max(newest ?? 0, info.index);
      owed += 1;
    }
    decoding += 1;
    let bitmap;
    try {
      bitmap = await decode(data, info.mime);
    } catch (error) {
      console.warn("stylewidgets: a frame could not be decoded", error);
      if (info.index !== null) acknowledge(info.index, { failed: true });
      return;
    } finally {
      decoding -= 1;
    }
    if (info.index !== null) decoded = Math.max(decoded ?? 0, info.index);
    if (order < newestDecoded) {
      bitmap.close(); // a newer one is painted or about to be; its acknowledgement covers this one
      return;
    }
    newestDecoded = order;
    if (pending) pending.bitmap.close();
    pending = { ...info, bitmap, received, fine: Boolean(info.settled) || info.index === null };
    schedule();
  }

  function onMessage(message, buffers) {
    if (message && message.type === "frame") receive({ ...message, final: false }, buffers[0]);
  }

  function onFinal(index) {
    const data = model.get("frame");
    if (data && data.byteLength) receive({ ...model.get("info"), mime: model.get("mime"), final: true, index }, data);
  }

  async function onCompare() {
    const data = model.get("compare");
    const bitmap = data && data.byteLength ? await decode(data, "").catch(() => null) : null;
    if (start) start.close();
    start = bitmap;
    for (const view of views) view.refresh();
  }

  function tellVisible() {
    const value = !document.hidden && [...views].some((view) => view.visible);
    if (value === toldVisible) return;
    toldVisible = value;
    model.send({ type: "visible", value });
  }

  const onInfo = () => onFinal(model.get("info").index ?? null);
  model.on("msg:custom", onMessage);
  model.on("change:info", onInfo);
  model.on("change:compare", onCompare);
  document.addEventListener("visibilitychange", tellVisible);
  document.addEventListener("pointerup", onRelease, true);
  onFinal(null);
  onCompare();
  const key = model.get("key");
  LIVE.pictures.set(key, { takeAck, rest });

  return {
    tellVisible,
    picture: () => shown,
    start: () => start,
    add: (view) => views.add(view),
    remove(view) {
      views.delete(view);
      tellVisible();
    },
    close() {
      clearTimeout(settleTimer);
      LIVE.pictures.delete(key);
      model.off("msg:custom", onMessage);
      model.off("change:info", onInfo);
      model.off("change:compare", onCompare);
      document.removeEventListener("visibilitychange", tellVisible);
      document.removeEventListener("pointerup", onRelease, true);
      for (const held of [pending, shown]) if (held) held.bitmap.close();
      if (start) start.close();
      pending = shown = start = null;
    },
  };
}

function decode(data, mime) {
  return createImageBitmap(new Blob([data], mime ? { type: mime } : {}));
}

// --------------------------------------------------------------------------------------------------------------- view

function createView(model, hub, el) {
  const root = element("div", "stylewidgets-view stylewidgets-live");
  const stage = element("div", "stylewidgets-stage");
  const canvas = element("canvas", "stylewidgets-canvas", { role: "img", tabindex: "0" });
  const veil = element("canvas", "stylewidgets-veil", { "aria-hidden": "true" }); // the last moving frame, fading out
  const badge = element("span", "stylewidgets-badge", { "aria-hidden": "true" });
  const gone = element("div", "stylewidgets-gone", { role: "status" }, GONE);
  const alert = element("div", "stylewidgets-error", { role: "alert" });
  const alertText = element("span", "stylewidgets-error-text");
  const dismiss = element("button", "stylewidgets-button", { type: "button", "aria-label": "Dismiss the message" });
  const bar = element("div", "stylewidgets-bar");
  const dot = element("span", "sw-dot");
  const status = element("span", "stylewidgets-status");
  const hold = element("button", "stylewidgets-button", { type: "button", "aria-pressed": "false" });
  dismiss.textContent = "\u00d7";
  hold.textContent = "Hold to see the start";
  alert.append(alertText, dismiss);
  stage.append(canvas, veil, badge, gone, alert);
  bar.append(dot, status, hold);
  root.append(stage, bar);
  el.append(root);

  const context = canvas.getContext("2d", { alpha: false });
  const abort = new AbortController();
  const listen = (target, name, handler, options = {}) =>
    target.addEventListener(name, handler, { signal: abort.signal, ...options });
  const resample = createResampler(); // of resample.js, which stands before this file in the module
  let comparing = false;
  let lastShape = "";
  let drawn = null; // the picture on the canvas
  let drawnFine = false; // whether it was enlarged in the best way
  let place = null; // size of the canvas in css pixels, as last observed: asking for it would lay out the whole page

  const view = { root, canvas, visible: false, draw, refresh: redraw, input: null };

  function draw() {
    const picture = hub.picture();
    const source = comparing && hub.start() ? hub.start() : picture && picture.bitmap;
    if (!source) return;
    const shape = `${source.width} / ${source.height}`;
    if (shape !== lastShape) stage.style.aspectRatio = lastShape = shape;
    unveil(picture);
    fit();
    const smoothing = model.get("smoothing");
    resample(context, source, canvas.width, canvas.height, smoothing, comparing || !picture || picture.fine);
    drawn = comparing ? null : picture;
    drawnFine = Boolean(drawn && drawn.fine);
    badge.textContent = comparing ? "start" : picture && picture.preview ? "preview" : model.get("badge");
    badge.hidden = !badge.textContent;
    tell(picture);
    root.dataset.frame = picture ? String(picture.index ?? "saved") : "start";
    root.dataset.final = String(Boolean(picture && picture.final));
  }

  // A sharper picture of the same state fades in: what was there lies on top and goes, without a redraw, by css. A picture
  // that moves on shows at once.
  function unveil(picture) {
    const sharper = drawn && (picture === drawn ? picture.fine && !drawnFine : picture.settled && !drawn.settled);
    if (sharper && !comparing) {
      veil.width = canvas.width;
      veil.height = canvas.height;
      veil.getContext("2d").drawImage(canvas, 0, 0);
      veil.style.transition = "none";
      veil.style.opacity = "1";
      requestAnimationFrame(() => {
        veil.style.transition = `opacity ${FADE_MS}ms linear`;
        veil.style.opacity = "0";
      });
    } else if (picture !== drawn && veil.style.opacity !== "0") {
      veil.style.transition = "none";
      veil.style.opacity = "0";
    }
  }

  // A dot and a word for how things stand, changed only when they do. Without a kernel `gone` says so.
  function tell(picture) {
    const state = badge.textContent ? "preview" : picture && !picture.final ? "live" : "";
    if (dot.dataset.state === state) return;
    dot.dataset.state = state;
    dot.textContent = state || "at rest";
  }

  function fit() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round((place || canvas.getBoundingClientRect()).width * ratio));
    const height = Math.max(1, Math.round((place || canvas.getBoundingClientRect()).height * ratio));
    if (canvas.width === width && canvas.height === height) return false;
    canvas.width = width; // clears it: only ever called right before drawing
    canvas.height = height;
    return true;
  }

  function refresh() {
    const error = model.get("error");
    alertText.textContent = error;
    alert.hidden = !error;
    status.textContent = model.get("status");
    hold.hidden = !hub.start();
    bar.hidden = !status.textContent && hold.hidden;
    const words = [model.get("label"), model.get("alt")].filter(Boolean);
    canvas.setAttribute("aria-label", words.join(": ") || "Picture");
    root.style.setProperty("--stylewidgets-size", `${model.get("size")}px`);
    root.classList.toggle("stylewidgets-interactive", model.get("interactive"));
    if (model.get("keyboard")) canvas.setAttribute("aria-keyshortcuts", "Z Y R S");
    else canvas.removeAttribute("aria-keyshortcuts");
  }

  // Words and buttons leave the picture alone.
  function redraw() {
    refresh();
    draw();
  }

  function compare(on) {
    if (on && !hub.start()) return;
    comparing = on;
    hold.setAttribute("aria-pressed", String(on));
    draw();
  }

  // Only while the canvas has the focus, and on the window in the capture phase: JupyterLab reads its one-letter
  // commands on the document before anything inside it hears the key. Every other key passes untouched.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const held = event.key === " " && hub.start();
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const ours = model.get("keyboard") && KEYS.has(name);
    if (!held && !ours) return;
    event.preventDefault();
    event.stopPropagation();
    if (held) compare(true);
    else view.input.key(name, event.repeat);
  }
  function onKeyUp(event) {
    if (event.key !== " " || !comparing) return;
    event.preventDefault();
    event.stopPropagation();
    compare(false);
  }
  const onFocus = () => {
    window.addEventListener("keydown", onKeyDown, true);
    window.addEventListener("keyup", onKeyUp, true);
  };
  const onBlur = () => {
    window.removeEventListener("keydown", onKeyDown, true);
    window.removeEventListener("keyup", onKeyUp, true);
    compare(false);
  };
  listen(canvas, "focus", onFocus);
  listen(canvas, "blur", onBlur);

  listen(hold, "pointerdown", (event) => {
    hold.setPointerCapture(event.pointerId);
    compare(true);
  });
  for (const name of ["pointerup", "pointercancel", "blur"]) listen(hold, name, () => compare(false));
  listen(hold, "contextmenu", (event) => event.preventDefault()); // a long touch
  listen(hold, "keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    compare(true);
  });
  listen(hold, "keyup", () => compare(false));

  listen(dismiss, "click", () => {
    model.set("error", "");
    model.save_changes();
  });

  const watched = ["badge", "error", "status", "label", "alt", "size", "interactive", "keyboard"];
  for (const name of watched) model.on(`change:${name}`, refresh);
  model.on("change:smoothing", redraw);

  const resize = new ResizeObserver((entries) => {
    place = entries[entries.length - 1].contentRect;
    draw();
  });
  resize.observe(canvas);
  let greeted = false;
  const sight = new IntersectionObserver((entries) => {
    view.visible = entries[entries.length - 1].isIntersecting;
    if (view.visible && !greeted) {
      greeted = true;
      model.send({ type: "hello", dpr: window.devicePixelRatio || 1, width: Math.round(canvas.clientWidth) });
    }
    if (greeted) hub.tellVisible();
  }, { scrollMargin: "200px" }); // a little before it scrolls into sight
  sight.observe(canvas);

  hub.add(view);
  view.input = createInput(model, view, listen);
  badge.textContent = model.get("badge"); // there may be no picture that would bring it
  badge.hidden = !badge.textContent;
  redraw();

  view.close = () => {
    onBlur();
    abort.abort();
    resize.disconnect();
    sight.disconnect();
    for (const name of watched) model.off(`change:${name}`, refresh);
    model.off("change:smoothing", redraw);
    hub.remove(view);
    root.remove();
  };
  return view;
}

export default () => {
  let hub = null;
  return {
    initialize({ model }) {
      hub = createHub(model);
      return () => hub.close();
    },
    render({ model, el }) {
      const view = createView(model, hub, el);
      return () => view.close();
    },
  };
};
