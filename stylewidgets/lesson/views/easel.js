// A picture to paint on; the kernel keeps the strokes. See easel_view.py.

const SIDE = 320;
const COLOURS = { black: "#1c1c1c", white: "#ffffff", red: "#d32f2f", yellow: "#fbc02d", green: "#388e3c", blue: "#1976d2", skin: "#e0ac69" };
const STEP = 8; // pixels that an arrow key moves the brush by; 1 with shift

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const canvas = element("canvas", "sw-easel-canvas", {
    width: SIDE, height: SIDE, tabindex: "0", role: "application",
    "aria-label": "paint on the picture: arrow keys move the brush, space paints",
  });
  const context = canvas.getContext("2d");
  const width = element("input", "sw-easel-width", { type: "range", min: 1, max: 20, value: 6, "aria-label": "width of the brush", title: "width of the brush" });
  const colour = element("input", "sw-easel-colour", { type: "color", value: COLOURS.black, "aria-label": "another colour", title: "another colour" });
  const pots = Object.entries(COLOURS).map(([name, value]) => {
    const pot = element("button", "sw-easel-pot", { type: "button", title: name, "aria-label": name, "data-colour": value });
    pot.style.background = value;
    return pot;
  });
  const undo = element("button", "sw-button", { type: "button" }, "undo");
  const clear = element("button", "sw-button", { type: "button" }, "clear");
  const root = element(
    "div", "stylewidgets-view sw-easel", { role: "group", "aria-label": "easel" }, canvas,
    element("div", "sw-easel-bar", {}, ...pots, colour),
    element("div", "sw-easel-bar", {}, width, undo, clear),
  );
  el.append(root);
  const picture = new Image();
  let address = "";
  let stroke = null;
  let cursor = null;

  function line(one) {
    context.strokeStyle = context.fillStyle = one.colour;
    context.lineWidth = Math.max(1, one.width * SIDE);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    one.points.forEach(([x, y], k) => (k ? context.lineTo(x * SIDE, y * SIDE) : context.moveTo(x * SIDE, y * SIDE)));
    if (one.points.length === 1) context.lineTo(one.points[0][0] * SIDE + 0.01, one.points[0][1] * SIDE);
    context.stroke();
  }

  function draw() {
    context.clearRect(0, 0, SIDE, SIDE);
    if (picture.complete && picture.naturalWidth) context.drawImage(picture, 0, 0, SIDE, SIDE);
    model.get("strokes").forEach(line);
    if (stroke) line(stroke);
    undo.disabled = clear.disabled = !model.get("strokes").length;
    pots.forEach((pot) => pot.setAttribute("aria-pressed", String(pot.dataset.colour === colour.value)));
    if (!cursor) return;
    context.lineWidth = 2;
    context.strokeStyle = "#1976d2";
    context.beginPath();
    context.arc(...cursor, Math.max(3, (width.value / 100) * SIDE / 2), 0, 7);
    context.stroke();
  }

  function load() {
    const data = model.get("background");
    if (address) URL.revokeObjectURL(address);
    address = data && data.byteLength ? URL.createObjectURL(new Blob([data])) : "";
    picture.onload = draw;
    picture.src = address;
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const begin = (point) => ({ colour: colour.value, width: width.value / 100, points: [point] });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    cursor = null;
    stroke = begin(place(event));
    draw();
  }, options);
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    stroke.points.push(place(event));
    draw();
  }, options);
  const end = () => {
    if (stroke) model.send({ type: "stroke", ...stroke });
    stroke = null;
  };
  canvas.addEventListener("pointerup", end, options);
  canvas.addEventListener("pointercancel", end, options);
  canvas.addEventListener("blur", () => {
    cursor = null;
    draw();
  }, options);
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const step = event.shiftKey ? 1 : STEP;
      cursor = (cursor || [SIDE / 2, SIDE / 2]).map((c, k) => Math.max(0, Math.min(SIDE, c + way[k] * step)));
    } else if (event.key === " " || event.key === "Enter") {
      cursor ||= [SIDE / 2, SIDE / 2];
      model.send({ type: "stroke", ...begin(cursor.map((c) => c / SIDE)) });
    } else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  }, options);
  for (const pot of pots) {
    pot.addEventListener("click", () => {
      colour.value = pot.dataset.colour;
      draw();
    }, options);
  }
  colour.addEventListener("input", draw, options);
  undo.addEventListener("click", () => model.send({ type: "undo" }), options);
  clear.addEventListener("click", () => model.send({ type: "clear" }), options);
  model.on("change:background", load);
  model.on("change:strokes", draw);
  load();
  draw();
  return () => {
    abort.abort();
    model.off("change:background", load);
    model.off("change:strokes", draw);
    if (address) URL.revokeObjectURL(address);
    root.remove();
  };
}

export default { render };
