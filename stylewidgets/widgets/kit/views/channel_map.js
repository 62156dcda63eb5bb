// The map of style channels: a row for each layer, a cell for each channel. See channel_map.py for traits and messages.

const DRAG_PIXELS = 5;
const LARGEST_CELL = 28;
const NARROW = 430;
const ROW_HEIGHTS = [13, 20];
const MAP_HEIGHT = 330;
const PALETTES = {
  diverging: ["#1d4ed8", "#7ba6f5", "#eef1f5", "#f4a261", "#b3261e"],
  sequential: ["#1b1436", "#5b2a86", "#b5367a", "#f2705a", "#fde6a2"],
};
const STEPS = 128;
const HINT =
  "Each cell is a channel, each row a layer. Point at one, or use the arrow keys; a click or Enter chooses it.";

function colours(stops) {
  const rgb = stops.map((text) => [1, 3, 5].map((k) => parseInt(text.slice(k, k + 2), 16)));
  return Array.from({ length: STEPS }, (_, n) => {
    const at = (n / (STEPS - 1)) * (rgb.length - 1);
    const k = Math.min(rgb.length - 2, Math.floor(at));
    const mixed = rgb[k].map((a, i) => Math.round(a + (rgb[k + 1][i] - a) * (at - k)));
    return `rgb(${mixed.join(",")})`;
  });
}
const TABLES = Object.fromEntries(Object.entries(PALETTES).map(([name, stops]) => [name, colours(stops)]));

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// What is where: layers, values and the part of the channels that is shown.
function createGeometry(model) {
  const geometry = { layers: [], starts: [], widest: 1, total: 0, values: null, first: 0, zoom: 1, width: 300 };

  geometry.read = () => {
    geometry.layers = model.get("layers") || [];
    geometry.starts = [];
    geometry.total = 0;
    for (const layer of geometry.layers) {
      geometry.starts.push(geometry.total);
      geometry.total += layer.channels;
    }
    geometry.widest = Math.max(1, ...geometry.layers.map((layer) => layer.channels));
    const data = model.get("values");
    geometry.values = null;
    if (data && data.byteLength === 4 * geometry.total)
      geometry.values = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  };
  geometry.gutter = () => (geometry.width < NARROW ? 94 : 186);
  geometry.rowHeight = () => clamp(Math.floor(MAP_HEIGHT / Math.max(1, geometry.layers.length)), ...ROW_HEIGHTS);
  geometry.area = () => Math.max(1, geometry.width - geometry.gutter() - 1);
  geometry.cell = () => (geometry.area() / geometry.widest) * geometry.zoom;
  geometry.mostZoom = () => Math.max(1, LARGEST_CELL / (geometry.area() / geometry.widest));
  geometry.settle = () => {
    geometry.zoom = clamp(geometry.zoom, 1, geometry.mostZoom());
    geometry.first = clamp(geometry.first, 0, geometry.widest - geometry.area() / geometry.cell());
  };
  geometry.zoomAt = (factor, x) => {
    const under = geometry.first + (x - geometry.gutter()) / geometry.cell();
    geometry.zoom = clamp(geometry.zoom * factor, 1, geometry.mostZoom());
    geometry.first = under - (x - geometry.gutter()) / geometry.cell();
    geometry.settle();
  };
  geometry.pan = (pixels) => {
    geometry.first -= pixels / geometry.cell();
    geometry.settle();
  };
  geometry.at = (x, y) => {
    const l = Math.floor(y / geometry.rowHeight());
    const c = Math.floor(geometry.first + (x - geometry.gutter()) / geometry.cell());
    if (l < 0 || l >= geometry.layers.length || x < geometry.gutter() || c < 0 || c >= geometry.layers[l].channels) return -1;
    return geometry.starts[l] + c;
  };
  geometry.split = (flat) => {
    let l = geometry.starts.length - 1;
    while (l > 0 && geometry.starts[l] > flat) l -= 1;
    return [l, flat - geometry.starts[l]];
  };
  geometry.box = (flat) => {
    const [l, c] = geometry.split(flat);
    const cell = geometry.cell();
    return [geometry.gutter() + (c - geometry.first) * cell, l * geometry.rowHeight(), cell, geometry.rowHeight() - 1];
  };
  geometry.reveal = (flat) => {
    const c = geometry.split(flat)[1];
    const shown = geometry.area() / geometry.cell();
    if (c < geometry.first) geometry.first = c;
    else if (c + 1 > geometry.first + shown) geometry.first = c + 1 - shown;
    geometry.settle();
  };
  geometry.name = (flat) => geometry.split(flat).join("_");
  return geometry;
}

// The value that a place shows: of several channels under one pixel the one that stands out most.
function extreme(values, from, to, middle) {
  let found = NaN;
  for (let k = from; k < to; k++)
    if (!Number.isNaN(values[k]) && !(Math.abs(values[k] - middle) <= Math.abs(found - middle))) found = values[k];
  return found;
}

function createPainter(model, geometry, canvas) {
  const context = canvas.getContext("2d");
  const style = () => getComputedStyle(canvas);

  function colourOf(value) {
    const { low, high, palette } = model.get("scale");
    if (Number.isNaN(value)) return null;
    const t = clamp((value - low) / (high - low || 1), 0, 1);
    return TABLES[palette === "diverging" ? "diverging" : "sequential"][Math.round(t * (STEPS - 1))];
  }

  function paint(hover, cursor) {
    const ratio = window.devicePixelRatio || 1;
    const height = geometry.rowHeight() * geometry.layers.length;
    canvas.width = Math.round(geometry.width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, geometry.width, height);
    const computed = style();
    const ink = computed.getPropertyValue("--stylewidgets-ink") || "#333";
    const faint = computed.getPropertyValue("--stylewidgets-faint") || "#666";
    const unknown = computed.getPropertyValue("--stylewidgets-unknown") || "#8884";
    geometry.layers.forEach((layer, l) => {
      labelRow(layer, l, ink, faint);
      cells(layer, l, unknown);
    });
    for (const flat of model.get("marked") || []) mark(flat);
    if (hover >= 0) outline(hover, 1, "#fff", "#000");
    if (cursor >= 0) outline(cursor, 1.5, "#fff", "#0b57d0");
    const selected = model.get("selected");
    if (selected >= 0 && selected < geometry.total) outline(selected, 2.5, "#fff", "#000");
    canvas.dataset.layout = JSON.stringify({
      gutter: geometry.gutter(), row: geometry.rowHeight(), cell: geometry.cell(), first: geometry.first,
    });
  }

  function labelRow(layer, l, ink, faint) {
    const y = l * geometry.rowHeight();
    const rgb = layer.kind === "torgb";
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillStyle = ink;
    const middle = y + geometry.rowHeight() / 2;
    context.fillText(layer.words || layer.name, 2, middle, geometry.gutter() - 10);
    if (geometry.width >= NARROW) {
      context.fillStyle = faint;
      context.fillText(`${l} · ${layer.name}`, 100, middle, 78);
    }
    if (rgb) {
      // Three stripes before the row, so that colour layers are told without reading.
      ["#d32f2f", "#2e7d32", "#1565c0"].forEach((colour, k) => {
        context.fillStyle = colour;
        context.fillRect(geometry.gutter() - 6 + 1.6 * k, y, 1.6, geometry.rowHeight() - 1);
      });
    }
  }

  function cells(layer, l, unknown) {
    const cell = geometry.cell();
    const y = l * geometry.rowHeight();
    const h = geometry.rowHeight() - 1;
    const { low, high, palette } = model.get("scale");
    const middle = palette === "diverging" ? (low + high) / 2 : low;
    const last = Math.min(layer.channels, Math.ceil(geometry.first + geometry.area() / cell));
    const step = Math.max(1, Math.ceil(1 / cell));
    for (let c = Math.max(0, Math.floor(geometry.first / step) * step); c < last; c += step) {
      const left = Math.max(geometry.gutter(), geometry.gutter() + (c - geometry.first) * cell);
      const right = geometry.gutter() + (Math.min(layer.channels, c + step) - geometry.first) * cell;
      const from = geometry.starts[l] + c;
      const to = geometry.starts[l] + Math.min(layer.channels, c + step);
      const value = geometry.values ? extreme(geometry.values, from, to, middle) : NaN;
      context.fillStyle = colourOf(value) || unknown;
      context.fillRect(left, y, Math.min(right, geometry.width) - left - (cell >= 6 ? 1 : 0), h);
    }
  }

  function outline(flat, width, outer, inner) {
    const [x, y, w, h] = geometry.box(flat);
    const size = Math.max(w, 5);
    const left = x + w / 2 - size / 2;
    if (left + size < geometry.gutter() || left > geometry.width) return;
    context.lineWidth = width + 2;
    context.strokeStyle = outer;
    context.strokeRect(left - 1, y, size + 2, h);
    context.lineWidth = width;
    context.strokeStyle = inner;
    context.strokeRect(left - 1, y, size + 2, h);
  }

  function mark(flat) {
    const [x, y, w, h] = geometry.box(flat);
    const middle = x + w / 2;
    if (middle < geometry.gutter()) return;
    context.beginPath();
    context.arc(middle, y + h / 2, 4, 0, 2 * Math.PI);
    context.fillStyle = "#000";
    context.fill();
    context.beginPath();
    context.arc(middle, y + h / 2, 2.5, 0, 2 * Math.PI);
    context.fillStyle = "#fff";
    context.fill();
  }
  return paint;
}

function createView(model, el) {
  const abort = new AbortController();
  const listen = (target, name, handler, options = {}) =>
    target.addEventListener(name, handler, { signal: abort.signal, ...options });
  const geometry = createGeometry(model);
  const canvas = element("canvas", "stylewidgets-map-canvas", { tabindex: "0", role: "application" });
  const paint = createPainter(model, geometry, canvas);
  const tool = (face, words) => {
    const node = element("button", "sw-button", { type: "button", title: words, "aria-label": words }, face);
    return node;
  };
  const out = tool("−", "zoom out (key -)");
  const fit = tool("fit", "show all channels (key 0)");
  const into = tool("+", "zoom in (key +)");
  const legend = element("span", "stylewidgets-map-legend");
  const field = element("input", "stylewidgets-map-name", {
    type: "text", size: 9, placeholder: "e.g. 6_50", title: "go to a channel by its name in the papers, layer_channel; Enter",
    "aria-label": "go to a channel by its name in the papers",
  });
  const tools = element("span", "stylewidgets-map-tools", {}, field, out, fit, into);
  const bar = element("div", "stylewidgets-bar", {}, legend, tools);
  const words = element("div", "stylewidgets-map-words", { role: "status" });
  const alertText = element("span", "stylewidgets-error-text");
  const dismiss = element("button", "stylewidgets-button", { type: "button", "aria-label": "Dismiss the message" }, "\u00d7");
  const alert = element("div", "stylewidgets-error", { role: "alert" }, alertText, dismiss);
  const status = element("span", "stylewidgets-status");
  const root = element(
    "div", "stylewidgets-view stylewidgets-live stylewidgets-map", {}, bar, canvas, words, alert,
    element("div", "", {}, status),
  );
  el.append(root);

  let hover = -1;
  let cursor = -1; // where the keyboard is; -1 while the pointer is used
  let waiting = 0;
  const pointers = new Map();
  let press = null;

  function draw() {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      geometry.settle();
      paint(hover, cursor);
      say();
    });
  }

  function say() {
    const selected = model.get("selected");
    const flat = cursor >= 0 ? cursor : hover >= 0 ? hover : selected;
    const known = flat >= 0 && flat < geometry.total;
    words.textContent = known ? describe(flat) : HINT;
  }

  function describe(flat) {
    const [l, c] = geometry.split(flat);
    const layer = geometry.layers[l];
    const { unit, measure } = model.get("scale");
    const value = geometry.values ? geometry.values[flat] : NaN;
    const parts = [`${l}_${c}`, `${layer.words || layer.name}, channel ${c} of ${layer.channels}`];
    if (!Number.isNaN(value)) parts.push(`${measure} ${Number(value.toPrecision(3))}${unit ? ` ${unit}` : ""}`);
    if ((model.get("marked") || []).includes(flat)) parts.push("edited");
    if (flat === model.get("selected")) parts.push("selected");
    return parts.join(" · ");
  }

  function refresh() {
    geometry.read();
    const { measure, unit, low, high, palette } = model.get("scale");
    const stops = PALETTES[palette === "diverging" ? "diverging" : "sequential"].join(",");
    const strip = element("span", "stylewidgets-map-strip");
    strip.style.background = `linear-gradient(to right, ${stops})`;
    const number = (value) => (value === undefined ? "" : Number(value.toPrecision(2)));
    legend.replaceChildren(`${measure || ""} ${number(low)}`, strip, `${number(high)}${unit ? ` ${unit}` : ""}`);
    canvas.setAttribute("aria-label", `${model.get("label")}; arrows move, Enter selects, plus and minus zoom`);
    const error = model.get("error");
    alertText.textContent = error;
    alert.hidden = !error;
    status.textContent = model.get("status");
    draw();
  }

  const pick = (flat) => model.send({ type: "pick", channel: flat });
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  listen(canvas, "pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    const [x, y] = place(event);
    press = { x, y, moved: pointers.size > 1 };
  });
  listen(canvas, "pointermove", (event) => {
    const [x, y] = place(event);
    const before = pointers.get(event.pointerId);
    if (before && pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const spread = (a) => Math.max(8, Math.abs(a[0] - other[0]));
      geometry.zoomAt(spread([x, y]) / spread(before), (x + other[0]) / 2);
      press = null;
    } else if (before && press) {
      if (Math.hypot(x - press.x, y - press.y) > DRAG_PIXELS) press.moved = true;
      if (press.moved) geometry.pan(x - before[0]);
    }
    if (before) pointers.set(event.pointerId, [x, y]);
    hover = geometry.at(x, y);
    cursor = -1;
    draw();
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    const [x, y] = place(event);
    if (event.type === "pointerup" && press && !press.moved) {
      const flat = geometry.at(x, y);
      if (flat >= 0) pick(flat);
    }
    if (!pointers.size) press = null;
  };
  listen(canvas, "pointerup", release);
  listen(canvas, "pointercancel", release);
  listen(canvas, "pointerleave", () => {
    hover = -1;
    draw();
  });
  // Only with ctrl, which is also what a pinch on a touchpad sends: the page goes on scrolling over the map.
  listen(canvas, "wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey) geometry.zoomAt(Math.exp(-event.deltaY / 200), place(event)[0]);
    else if (sideways && geometry.zoom > 1) geometry.pan(-sideways);
    else return;
    event.preventDefault();
    draw();
  }, { passive: false });

  const middle = () => geometry.gutter() + geometry.area() / 2;
  const zoom = (factor) => {
    const focus = cursor >= 0 ? cursor : model.get("selected");
    const [x, , w] = focus >= 0 && focus < geometry.total ? geometry.box(focus) : [middle(), 0, 0];
    const seen = x > geometry.gutter() && x < geometry.width;
    geometry.zoomAt(factor, seen ? x + w / 2 : middle());
    draw();
  };
  listen(out, "click", () => zoom(1 / 1.6));
  listen(into, "click", () => zoom(1.6));
  listen(fit, "click", () => zoom(0));
  listen(dismiss, "click", () => {
    model.set("error", "");
    model.save_changes();
  });
  listen(field, "change", () => {
    if (field.value.trim()) model.send({ type: "name", text: field.value.trim() });
    field.value = "";
  });
  listen(field, "keydown", (event) => event.stopPropagation()); // not the notebook's shortcuts

  function move(layers, channels) {
    const from = cursor >= 0 ? cursor : Math.max(0, model.get("selected"));
    const [l, c] = geometry.split(from);
    const row = clamp(l + layers, 0, geometry.layers.length - 1);
    cursor = geometry.starts[row] + clamp(c + channels, 0, geometry.layers[row].channels - 1);
    hover = -1;
    geometry.reveal(cursor);
    draw();
  }
  const KEYS = {
    ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1), ArrowUp: () => move(-1, 0), ArrowDown: () => move(1, 0),
    PageUp: () => move(0, -10), PageDown: () => move(0, 10), Home: () => move(0, -1e9), End: () => move(0, 1e9),
    Enter: () => cursor >= 0 && pick(cursor), " ": () => cursor >= 0 && pick(cursor),
    "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), 0: () => zoom(0),
    z: () => model.send({ type: "key", key: "z" }), y: () => model.send({ type: "key", key: "y" }),
  };
  // In the capture phase of the window: JupyterLab reads its one-letter commands on the document first.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || root.getRootNode().activeElement !== canvas) return;
    const action = KEYS[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }
  const leave = () => {
    window.removeEventListener("keydown", onKeyDown, true);
    cursor = -1;
    draw();
  };
  listen(canvas, "focus", () => window.addEventListener("keydown", onKeyDown, true));
  listen(canvas, "blur", leave);

  const observer = new ResizeObserver(() => {
    const width = Math.floor(canvas.clientWidth);
    if (!width || width === geometry.width) return;
    geometry.width = width;
    draw();
  });
  observer.observe(canvas);
  const onSelected = () => {
    const selected = model.get("selected");
    if (selected >= 0 && selected < geometry.total) geometry.reveal(selected);
    draw();
  };
  const watched = ["layers", "values", "scale", "marked", "label", "error", "status"];
  for (const name of watched) model.on(`change:${name}`, refresh);
  model.on("change:selected", onSelected);
  geometry.width = Math.floor(canvas.clientWidth) || 300;
  refresh();
  model.send({ type: "hello" });

  return () => {
    abort.abort();
    observer.disconnect();
    window.removeEventListener("keydown", onKeyDown, true);
    cancelAnimationFrame(waiting);
    waiting = -1; // nothing is painted any more
    for (const name of watched) model.off(`change:${name}`, refresh);
    model.off("change:selected", onSelected);
    root.remove();
  };
}

export default { render: ({ model, el }) => createView(model, el) };
