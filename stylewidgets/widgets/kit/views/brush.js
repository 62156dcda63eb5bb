// A brush. Paints in the page and tells the kernel when a stroke ends. See brush.py for the traits and the keys.

const SIDE = 256;
const COLOUR = [255, 214, 0, 150];
const STEP = 8; // pixels that an arrow key moves the brush by; 1 with shift
const WIDTHS = [4, 96];
const KEY_STROKE_MS = 400; // steps with the keys that follow each other so soon are one stroke

function createMask() {
  const bits = new Uint8Array(SIDE * SIDE);
  return {
    bits,
    read(data) {
      bits.fill(0);
      if (!data || data.byteLength !== bits.length / 8) return;
      for (let k = 0; k < bits.length; k++) bits[k] = (data.getUint8(k >> 3) >> (7 - (k & 7))) & 1;
    },
    write() {
      if (!bits.some(Boolean)) return new DataView(new ArrayBuffer(0));
      const bytes = new Uint8Array(bits.length / 8);
      for (let k = 0; k < bits.length; k++) bytes[k >> 3] |= bits[k] << (7 - (k & 7));
      return new DataView(bytes.buffer);
    },
    share: () => bits.reduce((sum, bit) => sum + bit, 0) / bits.length,
    stroke(from, to, radius, value) {
      const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / Math.max(1, radius / 2)));
      for (let k = 0; k <= steps; k++) {
        const [x, y] = [0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * k) / steps);
        for (let row = Math.max(0, Math.floor(y - radius)); row < Math.min(SIDE, y + radius); row++)
          for (let column = Math.max(0, Math.floor(x - radius)); column < Math.min(SIDE, x + radius); column++)
            if ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= radius ** 2) bits[row * SIDE + column] = value;
      }
    },
  };
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const mask = createMask();
  const below = element("canvas", "stylewidgets-brush-picture", { width: 1, height: 1, "aria-hidden": "true" });
  const canvas = element("canvas", "stylewidgets-brush-canvas", {
    tabindex: "0", role: "application", width: SIDE, height: SIDE,
  });
  const context = canvas.getContext("2d");
  const tool = (name, title) => element("button", "sw-button", { type: "button", title, "aria-label": title }, name);
  const width = element("input", "stylewidgets-brush-width", {
    type: "range", min: WIDTHS[0], max: WIDTHS[1], step: 2, title: "width of the brush", "aria-label": "width of the brush",
  });
  const erase = tool("erase", "the brush takes paint away (key e)");
  const clear = tool("clear", "take all paint away (Delete)");
  const bar = element("div", "stylewidgets-brush-bar", { role: "group", "aria-label": "brush" }, width, erase, clear);
  const said = element("div", "stylewidgets-brush-said", { role: "status" });
  const stage = element("div", "stylewidgets-brush-stage", {}, below, canvas);
  const root = element("div", "stylewidgets-view stylewidgets-brush", {}, stage, bar, said);
  el.append(root);

  let last = null; // where the hand is while it paints
  let cursor = null; // where the keys are; null while they are not used
  let hover = null;
  let waiting = 0;
  let timer = 0;
  let shown = 0;

  function draw() {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      const image = context.createImageData(SIDE, SIDE);
      for (let k = 0; k < mask.bits.length; k++) if (mask.bits[k]) image.data.set(COLOUR, 4 * k);
      context.putImageData(image, 0, 0);
      const at = cursor || hover;
      if (at && model.get("active")) ring(at);
    });
  }

  function ring([x, y]) {
    for (const [colour, line] of [["#000", 4], ["#fff", 2]]) {
      context.beginPath();
      context.arc(x, y, model.get("width") / 2, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.setLineDash(colour === "#fff" && model.get("erasing") ? [5, 4] : []);
      context.stroke();
    }
    context.setLineDash([]);
  }

  function say() {
    const share = 100 * mask.share();
    said.textContent = share ? `${share < 1 ? "under 1" : share.toFixed(0)} % is painted` : "nothing is painted yet";
  }

  function tell() {
    clearTimeout(timer);
    timer = 0;
    model.set("paint", mask.write());
    model.save_changes();
    say();
  }

  function set(name, value) {
    model.set(name, value);
    model.save_changes();
  }
  const resize = (by) => set("width", Math.max(WIDTHS[0], Math.min(WIDTHS[1], model.get("width") + by)));
  const toggle = () => set("erasing", !model.get("erasing"));
  function clearAll() {
    mask.bits.fill(0);
    draw();
    tell();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }
  function paint(from, to) {
    mask.stroke(from, to, model.get("width") / 2, model.get("erasing") ? 0 : 1);
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || !model.get("active") || last) return; // a second finger paints nothing
    canvas.setPointerCapture(event.pointerId);
    cursor = null;
    last = { id: event.pointerId, at: place(event) };
    paint(last.at, last.at);
    event.preventDefault();
    canvas.focus({ preventScroll: true });
  }, options);
  canvas.addEventListener("pointermove", (event) => {
    hover = event.pointerType === "touch" ? null : place(event);
    if (last && event.pointerId === last.id) {
      const to = place(event);
      paint(last.at, to);
      last.at = to;
    } else draw();
  }, options);
  for (const name of ["pointerup", "pointercancel"])
    canvas.addEventListener(name, (event) => {
      if (!last || event.pointerId !== last.id) return;
      last = null;
      tell();
    }, options);
  canvas.addEventListener("pointerleave", () => {
    hover = null;
    draw();
  }, options);

  function move(x, y, event) {
    const by = event.shiftKey ? 1 : STEP;
    cursor = cursor || [SIDE / 2, SIDE / 2];
    cursor = [cursor[0] + x * by, cursor[1] + y * by].map((at) => Math.max(0, Math.min(SIDE, at)));
    draw();
  }
  const KEYS = {
    ArrowLeft: (event) => move(-1, 0, event), ArrowRight: (event) => move(1, 0, event),
    ArrowUp: (event) => move(0, -1, event), ArrowDown: (event) => move(0, 1, event),
    " ": () => {
      cursor = cursor || [SIDE / 2, SIDE / 2];
      paint(cursor, cursor);
      clearTimeout(timer);
      timer = setTimeout(tell, KEY_STROKE_MS);
    },
    "+": () => resize(4), "=": () => resize(4), "-": () => resize(-4), e: toggle, Delete: clearAll, Backspace: clearAll,
  };
  // In the capture phase of the window: JupyterLab reads its one-letter commands on the document first.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || root.getRootNode().activeElement !== canvas) return;
    const action = model.get("active") && KEYS[event.key];
    if (!action) return;
    action(event);
    event.preventDefault();
    event.stopPropagation();
  }
  const leave = () => window.removeEventListener("keydown", onKeyDown, true);
  canvas.addEventListener("focus", () => {
    window.addEventListener("keydown", onKeyDown, true);
    if (canvas.matches(":focus-visible")) cursor = cursor || [SIDE / 2, SIDE / 2];
    draw();
  }, options);
  canvas.addEventListener("blur", () => {
    leave();
    if (timer) tell();
    cursor = null;
    draw();
  }, options);
  width.addEventListener("input", () => set("width", Number(width.value)), options);
  erase.addEventListener("click", toggle, options);
  clear.addEventListener("click", clearAll, options);

  function refresh() {
    const active = model.get("active");
    root.classList.toggle("stylewidgets-brush-over", model.get("over"));
    root.classList.toggle("stylewidgets-brush-idle", !active);
    root.classList.toggle("stylewidgets-brush-seen", model.get("seen"));
    canvas.tabIndex = active ? 0 : -1;
    canvas.setAttribute("aria-label",
      `${model.get("label")}; arrows move the brush, space paints, plus and minus change its width, e erases, Delete clears`);
    width.value = model.get("width");
    erase.setAttribute("aria-pressed", String(model.get("erasing")));
    draw();
  }
  function onPaint() {
    if (last || timer) return; // the hand is newer
    mask.read(model.get("paint"));
    say();
    draw();
  }
  async function onPicture() {
    const data = model.get("picture");
    const number = ++shown;
    if (!data || !data.byteLength) return;
    const bitmap = await createImageBitmap(new Blob([data])).catch(() => null);
    if (!bitmap || number !== shown) return;
    [below.width, below.height] = [bitmap.width, bitmap.height];
    below.getContext("2d").drawImage(bitmap, 0, 0);
  }
  const listeners = [
    ["change:paint", onPaint], ["change:picture", onPicture],
    ...["width", "erasing", "active", "over", "seen", "label"].map((name) => [`change:${name}`, refresh]),
  ];
  for (const [name, handler] of listeners) model.on(name, handler);
  onPaint();
  onPicture();
  refresh();
  return () => {
    abort.abort();
    leave();
    clearTimeout(timer);
    cancelAnimationFrame(waiting);
    waiting = -1; // nothing is painted any more
    for (const [name, handler] of listeners) model.off(name, handler);
    root.remove();
  };
}

export default { render };
