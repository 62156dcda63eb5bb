// The style-mixing grid: a strip of layers to paint, headers to drag, cells to pick. See grid_view.py for the messages.
//
// A model has one hub (it decodes pictures, keeps them and acknowledges) and any number of views (a table each).

const ANSWER_LIMIT_MS = 400;
const SETTLE_MS = 300;
const DRAG_PIXELS = 5;
const HEADER = -1;
const AXES = ["rows", "columns"];
const CORNER = "rows ↓\ncolumns →";

const nameOf = (place) => `${place[0]},${place[1]}`;

// ---------------------------------------------------------------------------------------------------------------- hub

function createHub(model) {
  const tiles = new Map(); // place -> {canvas, version}
  const views = new Set();
  let stale = new Set();
  let chain = Promise.resolve();
  let settleTimer = 0;
  let fresh = false; // whether a message brought pictures: then the sheet is the older one

  async function receive(message, data) {
    try {
      const bitmap = await createImageBitmap(new Blob([data], { type: message.mime }));
      fresh = true;
      const width = bitmap.width / message.count;
      message.places.forEach((place, k) => put(place, bitmap, k * width, 0, width, bitmap.height));
      bitmap.close();
      if (message.version >= version()) for (const place of message.places) stale.delete(nameOf(place));
      for (const view of views) view.paint(message.places);
    } catch (error) {
      console.warn("stylewidgets: pictures could not be decoded", error);
    }
    model.send({ type: "ack", index: message.index });
    settleLater();
  }

  function put(place, source, x, y, width, height) {
    const canvas = element("canvas", "");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d", { alpha: false }).drawImage(source, x, y, width, height, 0, 0, width, height);
    tiles.set(nameOf(place), canvas);
  }

  async function onSheet() {
    const data = model.get("sheet");
    if (fresh || !data || !data.byteLength) return;
    const bitmap = await createImageBitmap(new Blob([data])).catch(() => null);
    if (!bitmap || fresh) return;
    const { rows, columns } = model.get("state");
    const width = bitmap.width / (columns.length + 1);
    const height = bitmap.height / (rows.length + 1);
    const places = [];
    for (let i = HEADER; i < rows.length; i++)
      for (let j = HEADER; j < columns.length; j++) {
        if (i === HEADER && j === HEADER) continue;
        put([i, j], bitmap, (j + 1) * width, (i + 1) * height, width, height);
        places.push([i, j]);
      }
    for (const view of views) view.paint(places);
  }

  const version = () => model.get("state").version ?? 0;

  function settleLater() {
    clearTimeout(settleTimer);
    settleTimer = setTimeout(() => model.send({ type: "settle" }), SETTLE_MS);
  }

  function onState() {
    stale = new Set((model.get("state").stale || []).map(nameOf));
    for (const view of views) view.refresh();
  }

  const onMessage = (message, buffers) => {
    if (message && message.type === "cells") chain = chain.then(() => receive(message, buffers[0]));
  };
  model.on("msg:custom", onMessage);
  model.on("change:state", onState);
  model.on("change:sheet", onSheet);
  onState();
  onSheet();

  return {
    views,
    tile: (place) => tiles.get(nameOf(place)),
    isStale: (place) => stale.has(nameOf(place)),
    staleCount: () => stale.size,
    close() {
      clearTimeout(settleTimer);
      model.off("msg:custom", onMessage);
      model.off("change:state", onState);
      model.off("change:sheet", onSheet);
      tiles.clear();
    },
  };
}

// What repeats quickly (painting, the pointer's place) waits while the kernel has not answered the last message of its
// kind, and only the newest is kept: a slow model never gets a queue.
function createSender(model) {
  const open = new Map(); // kind -> newest message that waits, or null
  function send(message) {
    const kind = message.type;
    if (open.has(kind)) {
      open.set(kind, message);
      return;
    }
    open.set(kind, null);
    let answered = false;
    const onAnswer = () => {
      if (answered) return;
      answered = true;
      const next = open.get(kind);
      open.delete(kind);
      if (next) send(next);
    };
    setTimeout(onAnswer, ANSWER_LIMIT_MS); // hosts that do not report the kernel's status
    model.send(message, { iopub: { status: (reply) => reply.content.execution_state === "idle" && onAnswer() } });
  }
  return send;
}

// -------------------------------------------------------------------------------------------------------------- layers

function createLayers(model, send, listen) {
  const cells = element("div", "stylewidgets-layers", { role: "group" });
  const ranges = element("div", "stylewidgets-ranges", { role: "group", "aria-label": "layers by what they do" });
  const key = (kind, words) => element("span", `stylewidgets-key stylewidgets-key-${kind}`, {}, words);
  const legend = element("div", "stylewidgets-legend", {},
    element("span", "stylewidgets-legend-title", {}, "Layers of each cell"),
    key("column", "from its column"),
    key("row", "from its row"),
  );
  const root = element("div", "stylewidgets-strip", {}, legend, cells, ranges);
  let mask = [];
  let painting = null; // what is being painted: true or false
  let focused = 0;
  let stroke = 0; // one stroke is one step for undo
  let built = "";

  function refresh() {
    const state = model.get("state");
    if (painting === null) mask = [...(state.mask || [])];
    const layers = state.layers || [];
    cells.setAttribute("aria-label", "Layers that come from the columns; arrows move, space changes");
    const wanted = JSON.stringify([layers, state.ranges]);
    if (built !== wanted) {
      built = wanted;
      focused = Math.max(0, Math.min(focused, layers.length - 1));
      root.style.setProperty("--stylewidgets-cells", layers.length);
      cells.replaceChildren(...layers.map(cell));
      ranges.replaceChildren(...(state.ranges || []).map(range));
    }
    draw();
  }

  function cell(layer, k) {
    const first = k === 0 || model.get("state").layers[k - 1].group !== layer.group;
    const mark = element("span", "stylewidgets-layer-group", {}, first ? layer.group : "");
    const box = element("span", "stylewidgets-layer-box", {}, layer.name);
    return element("div", "stylewidgets-layer", { role: "checkbox", title: layer.title, "data-layer": k }, box, mark);
  }

  function range({ name, words, taken }) {
    const node = element("button", "stylewidgets-range", {
      type: "button", title: `take the ${name} layers from the columns: ${words}`, "data-range": name,
    }, element("b", "", {}, name), element("span", "stylewidgets-range-words", {}, words));
    const first = taken.indexOf(true);
    node.style.gridColumn = `${first + 1} / ${taken.lastIndexOf(true) + 2}`;
    node.addEventListener("click", () => {
      stroke += 1;
      mask = [...taken];
      draw();
      send({ type: "mask", mask: [...mask], stroke });
    });
    return node;
  }

  function draw() {
    [...cells.children].forEach((node, k) => {
      node.setAttribute("aria-checked", String(Boolean(mask[k])));
      const from = mask[k] ? "from the column" : "from the row";
      node.setAttribute("aria-label", `${node.title}: ${from}`);
      node.tabIndex = k === focused ? 0 : -1;
    });
    (model.get("state").ranges || []).forEach(({ taken }, k) => {
      ranges.children[k]?.setAttribute("aria-pressed", String(taken.every((each, n) => each === Boolean(mask[n]))));
    });
  }

  function set(k, value) {
    if (mask[k] === value) return;
    mask[k] = value;
    draw();
    send({ type: "mask", mask: [...mask], stroke });
  }

  function under(event) {
    // Only sideways counts, so that a hand may wander off the strip while it paints.
    const nodes = [...cells.children];
    const hit = nodes.findIndex((node) => {
      const box = node.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX < box.right
        && Math.abs(event.clientY - (box.top + box.bottom) / 2) < 1.5 * box.height;
    });
    return hit;
  }

  let last = -1;
  listen(cells, "pointerdown", (event) => {
    const k = under(event);
    if (k < 0 || event.button > 0) return;
    event.preventDefault();
    cells.setPointerCapture(event.pointerId);
    painting = !mask[k];
    stroke += 1;
    last = k;
    focus(k);
    set(k, painting);
  });
  listen(cells, "pointermove", (event) => {
    if (painting === null) return;
    const k = under(event);
    if (k < 0) return;
    for (let n = Math.min(k, last); n <= Math.max(k, last); n++) set(n, painting); // a fast hand skips none
    last = k;
  });
  for (const name of ["pointerup", "pointercancel"])
    listen(cells, name, () => {
      painting = null;
    });

  function focus(k) {
    focused = Math.max(0, Math.min(mask.length - 1, k));
    draw();
    cells.children[focused]?.focus();
  }

  function onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key in steps) focus(focused + steps[event.key]);
    else if (event.key === " " || event.key === "Enter") {
      stroke += 1;
      set(focused, !mask[focused]);
    } else return false;
    return true;
  }
  return { root, cells, refresh, key: onKey };
}

// --------------------------------------------------------------------------------------------------------------- table

function createTable(model, hub, send, listen) {
  const root = element("div", "stylewidgets-table", { role: "grid" });
  const bin = element("div", "stylewidgets-bin", { role: "gridcell" });
  let nodes = new Map(); // place -> node
  let focused = [0, 0];
  let shape = "";

  const state = () => model.get("state");
  const names = (axis) => state()[axis] || [];
  const headerOf = (place) => (place[0] === HEADER ? ["columns", place[1]] : ["rows", place[0]]);
  const isHeader = (place) => place.includes(HEADER);

  function title(place) {
    const [i, j] = place;
    if (!isHeader(place)) return `row ${i + 1}, ${names("rows")[i]}; column ${j + 1}, ${names("columns")[j]}`;
    const [axis, n] = headerOf(place);
    return `source of ${axis.slice(0, -1)} ${n + 1}: ${names(axis)[n]}`;
  }

  function refresh() {
    const wanted = `${names("rows").length}x${names("columns").length}`;
    if (wanted !== shape) build(wanted);
    const { selected, side } = state();
    root.style.setProperty("--stylewidgets-side", `${side || 80}px`);
    root.style.setProperty("--stylewidgets-columns", names("columns").length);
    root.setAttribute("aria-label", model.get("label"));
    for (const [, node] of nodes) {
      const text = title(node.place);
      node.title = isHeader(node.place) ? `${text} (drag onto another header to swap)` : text;
      node.setAttribute("aria-label", text);
      if (node.caption) {
        const [axis, n] = headerOf(node.place);
        const [, word, rest] = /^(seeds? )?(.*)$/.exec(names(axis)[n]);
        node.caption.replaceChildren(element("span", "stylewidgets-word", {}, word || ""), rest); // narrow: the number alone
      }
      const chosen = Boolean(selected) && nameOf(selected) === nameOf(node.place);
      node.setAttribute("aria-selected", String(chosen));
    }
    paint([...nodes.values()].map((node) => node.place));
    moveFocus(focused, false);
  }

  function label(text) {
    bin.replaceChildren(element("span", "stylewidgets-bin-words", {}, text));
    bin.title = text.replace("\n", ", ");
  }

  function build(wanted) {
    shape = wanted;
    nodes = new Map();
    label(CORNER);
    const rows = [];
    for (let i = HEADER; i < names("rows").length; i++) {
      const line = element("div", "stylewidgets-row", { role: "row" });
      line.append(i === HEADER ? bin : make([i, HEADER]));
      for (let j = 0; j < names("columns").length; j++) line.append(make([i, j]));
      if (i === HEADER) line.append(around("gridcell", adder("columns")));
      rows.push(line);
    }
    rows.push(around("row", around("gridcell", adder("rows"))));
    root.replaceChildren(...rows);
  }

  // A grid holds rows, and a row cells: these two are there for screen readers only.
  function around(role, node) {
    return element("div", "stylewidgets-role", { role }, node);
  }

  function adder(axis) {
    const one = axis.slice(0, -1);
    const node = element("button", `stylewidgets-button stylewidgets-add stylewidgets-add-${axis}`, {
      type: "button", title: `add a ${one} with a random seed`, "aria-label": `add a ${one}`,
    });
    node.textContent = "+";
    node.addEventListener("click", () => model.send({ type: "add", axis }));
    return node;
  }

  function make(place) {
    const header = isHeader(place);
    const role = !header ? "gridcell" : place[0] === HEADER ? "columnheader" : "rowheader";
    const node = element("div", `stylewidgets-cell${header ? " stylewidgets-header" : ""}`, { role, tabindex: "-1" });
    node.place = place;
    node.dataset.place = nameOf(place);
    node.canvas = element("canvas", "stylewidgets-tile");
    node.append(node.canvas);
    if (header) {
      node.caption = element("span", "stylewidgets-caption");
      const tools = element("span", "stylewidgets-tools");
      tools.append(tool("reroll", "↻", "another random seed (key r)", place), tool("remove", "×", "remove (Delete)", place));
      node.append(node.caption, tools);
    }
    nodes.set(nameOf(place), node);
    return node;
  }

  function tool(kind, face, words, place) {
    const node = element("button", "stylewidgets-tool", { type: "button", tabindex: "-1", title: words });
    node.setAttribute("aria-label", `${kind} ${headerOf(place)[0].slice(0, -1)} ${headerOf(place)[1] + 1}`);
    node.textContent = face;
    node.addEventListener("pointerdown", (event) => event.stopPropagation());
    node.addEventListener("click", (event) => {
      event.stopPropagation();
      model.send({ type: kind, header: headerOf(place) });
    });
    return node;
  }

  function paint(places) {
    for (const place of places) {
      const node = nodes.get(nameOf(place));
      if (!node) continue;
      node.classList.toggle("stylewidgets-stale", hub.isStale(place));
      const tile = hub.tile(place);
      if (!tile) continue;
      if (node.canvas.width !== tile.width || node.canvas.height !== tile.height) {
        node.canvas.width = tile.width;
        node.canvas.height = tile.height;
      }
      node.canvas.getContext("2d", { alpha: false }).drawImage(tile, 0, 0);
      node.dataset.drawn = "true";
    }
    root.dataset.stale = String(hub.staleCount());
  }

  // ---- pointer: pick a cell, drag a header
  const placeUnder = (event) => {
    const hit = root.getRootNode().elementFromPoint(event.clientX, event.clientY);
    const node = hit && hit.closest ? hit.closest(".stylewidgets-cell") : null;
    return node && root.contains(node) ? node : null;
  };
  const overBin = (event) => {
    const box = bin.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right && event.clientY >= box.top && event.clientY < box.bottom;
  };
  let near = "";
  let drag = null;

  listen(root, "pointerdown", (event) => {
    const node = placeUnder(event);
    if (!node || event.button > 0) return;
    moveFocus(node.place, true);
    drag = { node, x: event.clientX, y: event.clientY, ghost: null, target: null };
    if (isHeader(node.place)) {
      event.preventDefault(); // no selection of text
      root.setPointerCapture(event.pointerId);
    }
  });
  // The two sources of the cell under the pointer, or of the one that has the focus.
  function light(place) {
    for (const node of nodes.values()) {
      const [i, j] = node.place;
      const source = Boolean(place) && !isHeader(place) && isHeader(node.place) && (i === place[0] || j === place[1]);
      node.classList.toggle("stylewidgets-lit", source);
    }
  }
  const placeOf = (event) => event.target.closest?.(".stylewidgets-cell")?.place;
  listen(root, "pointerover", (event) => !drag && light(placeOf(event)));
  listen(root, "pointerleave", () => light(null));
  listen(root, "focusin", (event) => light(placeOf(event)));
  listen(root, "focusout", () => light(null));
  listen(root, "pointermove", (event) => {
    if (drag && isHeader(drag.node.place)) {
      dragTo(event);
      return;
    }
    const node = placeUnder(event);
    if (!node || nameOf(node.place) === near) return;
    near = nameOf(node.place);
    send({ type: "near", place: node.place });
  });
  listen(root, "pointerup", (event) => {
    const done = drag;
    endDrag();
    if (!done) return;
    if (!done.ghost) {
      const node = placeUnder(event);
      if (node === done.node) model.send({ type: "pick", place: node.place });
    } else if (overBin(event)) model.send({ type: "remove", header: headerOf(done.node.place) });
    else if (done.target)
      model.send({ type: "swap", one: headerOf(done.node.place), other: headerOf(done.target.place) });
  });
  listen(root, "pointercancel", () => endDrag());

  function dragTo(event) {
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_PIXELS) return;
      drag.ghost = element("canvas", "stylewidgets-ghost");
      drag.ghost.width = drag.node.canvas.width;
      drag.ghost.height = drag.node.canvas.height;
      drag.ghost.getContext("2d").drawImage(drag.node.canvas, 0, 0);
      drag.ghost.style.width = `${drag.node.canvas.clientWidth}px`;
      root.append(drag.ghost);
      root.classList.add("stylewidgets-dragging");
      label("drop here to remove");
      drag.node.classList.add("stylewidgets-taken");
    }
    const box = root.getBoundingClientRect();
    drag.ghost.style.left = `${event.clientX - box.left + root.scrollLeft + 8}px`;
    drag.ghost.style.top = `${event.clientY - box.top + root.scrollTop + 8}px`;
    const node = placeUnder(event);
    const target = node && isHeader(node.place) && node !== drag.node ? node : null;
    if (target !== drag.target) {
      drag.target?.classList.remove("stylewidgets-target");
      target?.classList.add("stylewidgets-target");
      drag.target = target;
    }
    bin.classList.toggle("stylewidgets-target", overBin(event));
  }

  function endDrag() {
    if (!drag) return;
    drag.ghost?.remove();
    drag.target?.classList.remove("stylewidgets-target");
    drag.node.classList.remove("stylewidgets-taken");
    bin.classList.remove("stylewidgets-target");
    root.classList.remove("stylewidgets-dragging");
    label(CORNER);
    drag = null;
  }

  // ---- keyboard: one tab stop, arrows inside
  function moveFocus(place, take) {
    const limits = [names("rows").length - 1, names("columns").length - 1];
    const clamped = place.map((n, k) => Math.max(HEADER, Math.min(limits[k], n)));
    if (clamped[0] === HEADER && clamped[1] === HEADER) return;
    nodes.get(nameOf(focused))?.setAttribute("tabindex", "-1");
    focused = clamped;
    const node = nodes.get(nameOf(focused));
    node?.setAttribute("tabindex", "0");
    if (take && node) {
      node.focus({ preventScroll: true });
      send({ type: "near", place: focused });
    }
  }

  function key(event) {
    if (event.key === "Escape" && drag) {
      endDrag();
      return true;
    }
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const [i, j] = focused;
    const header = isHeader(focused) ? headerOf(focused) : null;
    const step = steps[event.key];
    if (step && event.shiftKey && header) {
      const by = step[0] || step[1];
      const to = header[1] + by;
      if (to < 0 || to >= names(header[0]).length) return true;
      model.send({ type: "swap", one: header, other: [header[0], to] });
      moveFocus(header[0] === "rows" ? [to, HEADER] : [HEADER, to], true);
    } else if (step) moveFocus([i + step[0], j + step[1]], true);
    else if (event.key === "Home") moveFocus([i, i === HEADER ? 0 : HEADER], true);
    else if (event.key === "End") moveFocus([i, Infinity], true);
    else if (event.key === "Enter" || event.key === " ") model.send({ type: "pick", place: focused });
    else if (header && (event.key === "Delete" || event.key === "Backspace")) model.send({ type: "remove", header });
    else if (header && event.key === "r") model.send({ type: "reroll", header });
    else if (header && event.key === "x") {
      const other = AXES[1 - AXES.indexOf(header[0])];
      model.send({ type: "swap", one: header, other: [other, Math.min(header[1], names(other).length - 1)] });
    } else return false;
    return true;
  }
  return { root, refresh, paint, key };
}

// ---------------------------------------------------------------------------------------------------------------- view

function createView(model, hub, el) {
  const abort = new AbortController();
  const listen = (target, name, handler, options = {}) =>
    target.addEventListener(name, handler, { signal: abort.signal, ...options });
  const send = createSender(model);
  const layers = createLayers(model, send, listen);
  const table = createTable(model, hub, send, listen);
  const alertText = element("span", "stylewidgets-error-text");
  const dismiss = element("button", "stylewidgets-button", { type: "button", "aria-label": "Dismiss the message" });
  dismiss.textContent = "\u00d7";
  const alert = element("div", "stylewidgets-error", { role: "alert" }, alertText, dismiss);
  const status = element("span", "stylewidgets-status", { "aria-live": "polite" });
  const bar = element("div", "stylewidgets-bar", {}, status);
  const root = element("div", "stylewidgets-view stylewidgets-live stylewidgets-grid", {}, layers.root, table.root, alert, bar);
  el.append(root);

  function words() {
    const error = model.get("error");
    alertText.textContent = error;
    alert.hidden = !error;
    const left = hub.staleCount();
    status.textContent = left > 1 ? `${left} pictures to come` : model.get("status");
  }
  function refresh() {
    layers.refresh();
    table.refresh();
    words();
  }
  function paint(places) {
    table.paint(places);
    words();
  }

  listen(dismiss, "click", () => {
    model.set("error", "");
    model.save_changes();
  });

  // On the window in the capture phase: JupyterLab reads its one-letter commands on the document before anything inside
  // it hears the key. Every key that is not ours passes untouched.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const active = root.getRootNode().activeElement;
    let ours = false;
    if (layers.cells.contains(active)) ours = layers.key(event);
    else if (active && active.classList.contains("stylewidgets-cell")) ours = table.key(event);
    if (!ours && (event.key === "z" || event.key === "y") && root.contains(active)) {
      model.send({ type: "key", key: event.key });
      ours = true;
    }
    if (!ours) return;
    event.preventDefault();
    event.stopPropagation();
  }
  const catchKeys = () => window.addEventListener("keydown", onKeyDown, true);
  const leaveKeys = () => window.removeEventListener("keydown", onKeyDown, true);
  listen(root, "focusin", catchKeys);
  listen(root, "focusout", leaveKeys);

  const view = { refresh, paint };
  hub.views.add(view);
  const watched = ["error", "status", "label"];
  for (const name of watched) model.on(`change:${name}`, words);
  refresh();
  model.send({ type: "hello" });

  return () => {
    leaveKeys();
    abort.abort();
    hub.views.delete(view);
    for (const name of watched) model.off(`change:${name}`, words);
    root.remove();
  };
}

export default () => {
  let hub = null;
  return {
    initialize({ model }) {
      hub = createHub(model);
      return () => hub.close();
    },
    render({ model, el }) {
      return createView(model, hub, el);
    },
  };
};
