// The parts of a picture, on the picture: the one under the pointer is lit, a click chooses it. See part_map.py.
//
// The kernel sends which region each place belongs to, once for each picture; pointing costs no message.

const SIDE = 320; // pixels of the longer side of the sheet that is drawn on
const TINT = [255, 214, 0];
const NOWHERE = 255; // the label of places that belong to no region
const FLASH_MS = 1500; // a region that was chosen elsewhere is shown that long

function createRegions() {
  let [labels, height, width] = [null, 0, 0];
  let shapes = new Map(); // by regions: a sheet with their tint and outline
  const small = document.createElement("canvas");

  // Inside or not for each pixel of a sheet: the coarse map, enlarged softly and cut at one half.
  function inside(regions, columns, rows) {
    [small.width, small.height] = [width, height];
    const pen = small.getContext("2d");
    const image = pen.createImageData(width, height);
    for (let k = 0; k < width * height; k++) image.data[4 * k + 3] = regions.includes(labels[k]) ? 255 : 0;
    pen.putImageData(image, 0, 0);
    const large = document.createElement("canvas");
    [large.width, large.height] = [columns, rows];
    const brush = large.getContext("2d");
    brush.drawImage(small, 0, 0, columns, rows);
    return { large, brush, alpha: brush.getImageData(0, 0, columns, rows) };
  }

  function shape(regions, columns, rows) {
    const key = regions.join();
    if (shapes.has(key)) return shapes.get(key);
    const { large, brush, alpha } = inside(regions, columns, rows);
    const within = (x, y) => x >= 0 && y >= 0 && x < columns && y < rows && alpha.data[4 * (y * columns + x) + 3] > 127;
    const near = (x, y, far) => !within(x - far, y) || !within(x + far, y) || !within(x, y - far) || !within(x, y + far);
    const image = brush.createImageData(columns, rows);
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        if (!within(x, y)) continue;
        // Two tones, so that the line reads on any picture.
        const colour = near(x, y, 2) ? [255, 255, 255, 255] : near(x, y, 4) ? [0, 0, 0, 190] : [...TINT, 80];
        image.data.set(colour, 4 * (y * columns + x));
      }
    brush.putImageData(image, 0, 0);
    shapes.set(key, large);
    return large;
  }

  return {
    shape,
    read(data, size) {
      [height, width] = size;
      const bytes = data ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(0);
      labels = bytes.length && bytes.length === height * width ? bytes : null;
      shapes = new Map();
    },
    known: () => labels !== null,
    at(x, y) {
      const [column, row] = [Math.min(width - 1, Math.floor(x * width)), Math.min(height - 1, Math.floor(y * height))];
      return labels ? labels[row * width + column] : NOWHERE;
    },
  };
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const regions = createRegions();
  const canvas = element("canvas", "sw-part-map-canvas", { "aria-hidden": "true" });
  const title = element("span", "sw-part-map-name", { role: "status" });
  const stage = element("div", "sw-part-map-stage", {}, canvas, title);
  const root = element("div", "stylewidgets-view sw-part-map", {}, stage);
  el.append(root);
  let hover = -1;
  let over = false;
  let flash = 0;
  let waiting = 0;

  const names = () => model.get("names");
  function draw() {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      const [columns, rows] = [canvas.width, canvas.height];
      const pen = canvas.getContext("2d");
      pen.clearRect(0, 0, columns, rows);
      const chosen = model.get("chosen").filter((region) => region >= 0);
      const lit = over && hover >= 0;
      title.textContent = lit ? (names()[hover] ?? "") : "";
      if (!regions.known()) return;
      if (chosen.length && (over || flash)) {
        pen.globalAlpha = lit && !chosen.includes(hover) ? 0.55 : 1;
        pen.drawImage(regions.shape(chosen, columns, rows), 0, 0);
      }
      pen.globalAlpha = 1;
      if (lit && !chosen.includes(hover)) pen.drawImage(regions.shape([hover], columns, rows), 0, 0);
    });
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    const region = regions.at((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    return region === NOWHERE ? -1 : region;
  }
  function point(event) {
    const region = under(event);
    if (region === hover && over) return;
    [hover, over] = [region, true];
    canvas.style.cursor = region < 0 ? "default" : "pointer";
    draw();
  }
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") point(event); // a finger scrolls, and points by tapping
  }, options);
  canvas.addEventListener("pointerleave", () => {
    over = false;
    draw();
  }, options);
  canvas.addEventListener("click", (event) => {
    point(event);
    if (hover >= 0) model.send({ type: "pick", region: hover });
  }, options);

  function refresh() {
    const [height, width] = model.get("size");
    regions.read(model.get("labels"), [height, width]);
    root.style.setProperty("--stylewidgets-size", `${model.get("width")}px`);
    const scale = SIDE / Math.max(height, width, 1);
    [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    stage.style.aspectRatio = `${width || 1} / ${height || 1}`;
    draw();
  }
  function show() {
    clearTimeout(flash);
    flash = setTimeout(() => {
      flash = 0;
      draw();
    }, FLASH_MS);
    draw();
  }
  const listeners = [
    ...["labels", "size", "width"].map((name) => [`change:${name}`, refresh]), ["change:names", draw], ["change:chosen", show],
  ];
  for (const [what, handler] of listeners) model.on(what, handler);
  refresh();
  return () => {
    abort.abort();
    clearTimeout(flash);
    cancelAnimationFrame(waiting);
    for (const [what, handler] of listeners) model.off(what, handler);
    root.remove();
  };
}

export default { render };
