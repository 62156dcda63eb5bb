// Points on a picture, each with an arrow to where it should go. See points.py for the traits and the keys.

const NEAR = { mouse: 11, pen: 14, touch: 22 }; // css pixels within which a press takes hold of what is there
const SNAP = 8; // of a place that is suggested
const STROKE = 6; // shorter ones are clicks
const COARSE = 8; // pixels of the picture that an arrow moves with shift
const KEYS_MS = 400; // keys that follow each other so soon are one change
let sheets = 0;

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const id = `stylewidgets-arrow-${++sheets}`;
  const head = svg("marker", {
    id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 5, markerHeight: 5, orient: "auto", class: "stylewidgets-points-tip",
  }, svg("path", { d: "M0 0 10 5 0 10z" }));
  const drawn = svg("g");
  const sheet = svg("svg", { class: "stylewidgets-points-sheet", tabindex: "0", role: "application" }, svg("defs", {}, head), drawn);
  const said = element("div", "stylewidgets-points-said", { role: "status" });
  const stage = element("div", "stylewidgets-points-stage", {}, sheet);
  const root = element("div", "stylewidgets-view stylewidgets-points", {}, stage, said);
  const [across, down] = model.get("step");
  stage.style.aspectRatio = `${down / across}`;
  el.append(root);

  let points = []; // as they are under the hand; the kernel hears of them when it lets go
  let held = null; // { id, point, end, from, fresh }: the pointer, what it holds, where it came down, whether that is new
  let timer = 0;

  const clamp = (x) => Math.max(0, Math.min(1, x));
  const copy = (list) => list.map((point) => point.map(([x, y]) => [x, y]));
  const pending = () => points.findIndex((point) => point.length === 1);

  function place(event) {
    const box = sheet.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }
  function apart([a, b], [c, d]) {
    const box = sheet.getBoundingClientRect();
    return Math.hypot((a - c) * box.width, (b - d) * box.height);
  }
  /** The end of a point under a place, or null; ends before starts, later ones before earlier ones. */
  function under(at, reach) {
    let best = null;
    points.forEach((point, k) => point.forEach((end, e) => {
      const far = apart(end, at);
      if (far <= reach && (!best || far <= best.far)) best = { point: k, end: e, far };
    }));
    return best;
  }
  function snapped(at) {
    const close = model.get("marks").map(([, x, y]) => [x, y]).filter((mark) => apart(mark, at) <= SNAP);
    return close.length ? close.sort((a, b) => apart(a, at) - apart(b, at))[0] : at;
  }

  function draw() {
    const chosen = model.get("chosen");
    const parts = model.get("points").length || points.length ? [] : model.get("marks").map(([name, x, y]) =>
      svg("circle", { class: "stylewidgets-points-mark", cx: pct(x), cy: pct(y), r: 5 }, svg("title", {}, name)));
    points.forEach(([start, end], k) => {
      if (end) {
        const line = { x1: pct(start[0]), y1: pct(start[1]), x2: pct(end[0]), y2: pct(end[1]) };
        parts.push(svg("line", { class: "stylewidgets-points-under", ...line }),
          svg("line", { class: "stylewidgets-points-line", ...line, "marker-end": `url(#${id})` }));
      }
      for (const [e, at] of [start, end].entries())
        if (at) parts.push(svg("circle", {
          class: `stylewidgets-points-${e ? "end" : "start"}${chosen === 2 * k + e ? " stylewidgets-points-chosen" : ""}`,
          cx: pct(at[0]), cy: pct(at[1]), r: e ? 6 : 5,
        }));
    });
    drawn.replaceChildren(...parts);
  }
  const pct = (x) => `${(100 * x).toFixed(3)}%`;

  function say() {
    const chosen = model.get("chosen");
    const at = points[chosen >> 1]?.[chosen & 1];
    const step = model.get("step");
    const pixel = (axis) => Math.round(at[axis] / step[axis] - 0.5);
    const words = at ? `${chosen & 1 ? "end" : "start"} of point ${(chosen >> 1) + 1}: row ${pixel(1)}, column ${pixel(0)}` : "";
    if (said.textContent !== words) said.textContent = words;
  }
  function tell() {
    clearTimeout(timer);
    timer = 0;
    model.set("points", copy(points));
    model.save_changes();
    say();
  }
  function choose(place) {
    model.set("chosen", place);
    model.save_changes();
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || !model.get("active") || held) return;
    event.preventDefault();
    sheet.focus({ preventScroll: true });
    sheet.setPointerCapture(event.pointerId);
    const at = place(event);
    const hit = under(at, NEAR[event.pointerType] || NEAR.mouse);
    const open = pending();
    if (hit) held = { point: hit.point, end: hit.end };
    else if (open >= 0) {
      points[open].push(at);
      held = { point: open, end: 1, fresh: true };
    } else {
      points.push([snapped(at)]);
      held = { point: points.length - 1, end: 0, fresh: true };
    }
    Object.assign(held, { id: event.pointerId, from: [event.clientX, event.clientY], moved: Boolean(held.fresh) });
    choose(2 * held.point + held.end);
    draw();
  }, options);
  sheet.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    if (Math.hypot(event.clientX - held.from[0], event.clientY - held.from[1]) >= STROKE) {
      if (held.fresh && held.end === 0) { // the stroke that began with a new start draws its arrow
        held.end = 1;
        choose(2 * held.point + 1);
      }
      held.moved = held.stroke = true;
    }
    if (held.stroke) {
      points[held.point][held.end] = place(event);
      draw();
    }
  }, options);
  for (const name of ["pointerup", "pointercancel"])
    sheet.addEventListener(name, (event) => {
      if (!held || event.pointerId !== held.id) return;
      const moved = held.moved;
      held = null;
      if (moved) tell();
      else say();
    }, options);

  const later = () => {
    draw();
    say();
    clearTimeout(timer);
    timer = setTimeout(tell, KEYS_MS);
  };
  function move(x, y, event) {
    const chosen = model.get("chosen");
    const at = points[chosen >> 1]?.[chosen & 1];
    if (!at) return;
    const by = event.shiftKey ? COARSE : 1;
    model.get("step").forEach((step, axis) => { at[axis] = clamp(at[axis] + [x, y][axis] * by * step); });
    later();
  }
  function add() {
    const open = pending();
    if (open >= 0) {
      points[open].push([...points[open][0]]);
      choose(2 * open + 1);
    } else {
      points.push([[0.5, 0.5]]);
      choose(2 * points.length - 2);
    }
    later();
  }
  function remove() {
    const chosen = model.get("chosen");
    if (chosen < 0) return;
    points.splice(chosen >> 1, 1);
    choose(Math.min(chosen & ~1, 2 * points.length - 2));
    draw();
    tell();
  }
  function next(event) {
    const ends = points.flatMap((point, k) => point.map((_, e) => 2 * k + e));
    if (!ends.length) return;
    const by = event.shiftKey ? ends.length - 1 : 1;
    choose(ends[(ends.indexOf(model.get("chosen")) + by) % ends.length] ?? ends[0]);
    say();
  }
  function drop() {
    const open = pending();
    if (open < 0) return;
    points.splice(open, 1);
    choose(-1);
    draw();
    tell();
  }
  const KEYS = {
    ArrowLeft: (event) => move(-1, 0, event), ArrowRight: (event) => move(1, 0, event),
    ArrowUp: (event) => move(0, -1, event), ArrowDown: (event) => move(0, 1, event),
    " ": add, Enter: add, Delete: remove, Backspace: remove, n: next, N: next, Escape: drop,
  };
  // In the capture phase of the window: JupyterLab reads its one-letter commands on the document first.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || root.getRootNode().activeElement !== sheet) return;
    const action = model.get("active") && KEYS[event.key];
    if (!action) return;
    action(event);
    event.preventDefault();
    event.stopPropagation();
  }
  const leave = () => window.removeEventListener("keydown", onKeyDown, true);
  sheet.addEventListener("focus", () => window.addEventListener("keydown", onKeyDown, true), options);
  sheet.addEventListener("blur", () => {
    leave();
    if (timer) tell();
  }, options);

  function refresh() {
    const active = model.get("active");
    root.classList.toggle("stylewidgets-points-idle", !active);
    sheet.setAttribute("tabindex", active ? "0" : "-1");
    sheet.setAttribute("aria-label", `${model.get("label")}; space sets a start and then its end, arrows move it, `
      + "n chooses the next, Delete takes it away");
    draw();
  }
  function onPoints() {
    if (held || timer) return; // the hand is newer
    points = copy(model.get("points"));
    draw();
  }
  const listeners = [["change:points", onPoints], ["change:chosen", draw],
    ...["marks", "active", "label"].map((name) => [`change:${name}`, refresh])];
  for (const [name, handler] of listeners) model.on(name, handler);
  onPoints();
  refresh();
  return () => {
    abort.abort();
    leave();
    clearTimeout(timer);
    for (const [name, handler] of listeners) model.off(name, handler);
    root.remove();
  };
}

export default { render };
