// An endless map of faces to walk on. See walk_map.py.
//
// The map itself moves only when it is asked to: by the arrows at its edges, by the wheel, or when a key takes the mark out of
// sight. A drag leaves it where it is, also when it ends.

const CELL = 72; // css pixels from face to face
const SIDE = 52; // of a face
const SNAP = 0.08; // a face catches the mark within this distance, in cells
const EDGES = [["previous", "left", -2, 0], ["next", "right", 2, 0], ["up", "up", 0, -2], ["down", "down", 0, 2]];

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const layer = element("div", "sw-map-layer");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const trail = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const mark = element("div", "sw-map-mark");
  const map = element("div", "sw-map", { role: "application", tabindex: "0", "aria-roledescription": "map of faces" }, layer);
  const words = element("div", "sw-map-words", { role: "status" });
  const root = element("div", "stylewidgets-view sw-walk", {}, map, words);
  const faces = new Map(); // by place "i,j": the element
  const pictures = new Map(); // by seed: its address
  const asked = new Set();
  let [cx, cy] = [model.get("x"), model.get("y")]; // what is in the middle
  let here = [cx, cy];
  let points = [];
  let held = false;
  path.setAttribute("class", "sw-map-path");
  path.append(trail);
  layer.append(path, mark);
  el.append(root);

  for (const [name, label, dx, dy] of EDGES) {
    const what = `look further ${label}`;
    const edge = element("button", `sw-map-edge sw-map-${label} sw-icon sw-icon-${name}`, {
      type: "button", title: what, "aria-label": what, tabindex: "-1",
    });
    edge.addEventListener("click", () => look(cx + dx, cy + dy), options);
    map.append(edge);
  }

  const page = crypto.randomUUID?.() ?? String(Math.random());
  const requests = createRequests({
    send({ value, rest }, number, callbacks) {
      const message = { type: "walk", page, number, x: value[0], y: value[1], acks: takeAcks() };
      model.send(rest ? { ...message, settle: tellRest() } : message, callbacks);
    },
    onQuiet: follow,
  });

  // -- drawing ---------------------------------------------------------------------------------------------------------
  function draw() {
    const [width, height] = [map.clientWidth, map.clientHeight];
    if (!width) return;
    layer.style.transform = `translate(${width / 2 - cx * CELL}px, ${height / 2 - cy * CELL}px)`;
    mark.style.transform = `translate(${here[0] * CELL}px, ${here[1] * CELL}px)`;
    trail.setAttribute("points", [...points, here].map(([x, y]) => `${x * CELL},${y * CELL}`).join(" "));
    const [left, right] = [Math.floor(cx - width / 2 / CELL), Math.ceil(cx + width / 2 / CELL)];
    const [top, bottom] = [Math.floor(cy - height / 2 / CELL), Math.ceil(cy + height / 2 / CELL)];
    const wanted = [];
    for (const [key, node] of faces) {
      const [i, j] = key.split(",").map(Number);
      if (i >= left && i <= right && j >= top && j <= bottom) continue;
      node.remove();
      faces.delete(key);
    }
    for (let j = top; j <= bottom; j++) {
      for (let i = left; i <= right; i++) {
        const seed = seedAt(i, j);
        const key = `${i},${j}`;
        if (!faces.has(key)) faces.set(key, face(i, j, seed));
        const node = faces.get(key);
        const weight = Math.max(0, 1 - Math.abs(i - here[0])) * Math.max(0, 1 - Math.abs(j - here[1]));
        node.classList.toggle("sw-map-near", weight > 0.01);
        if (pictures.has(seed)) node.firstChild.src = pictures.get(seed);
        else if (!asked.has(seed)) {
          asked.add(seed);
          wanted.push([Math.hypot(i - here[0], j - here[1]), seed]);
        }
      }
    }
    if (wanted.length) model.send({ type: "faces", seeds: wanted.sort((a, b) => a[0] - b[0]).map(([, seed]) => seed) });
  }

  function face(i, j, seed) {
    const image = element("img", "", { alt: "", draggable: "false" });
    const node = element("div", "sw-map-face", {}, image, element("span", "", {}, String(seed)));
    node.style.transform = `translate(${i * CELL - SIDE / 2}px, ${j * CELL - SIDE / 2}px)`;
    layer.insertBefore(node, path);
    return node;
  }

  // The same as `seed_at` of seed_lattice.py.
  function seedAt(i, j) {
    const base = model.get("seed");
    const period = base < 1e6 ? 1e6 : 2 ** 32;
    return (((base + i + 1000 * j) % period) + period) % period;
  }

  function look(x, y) {
    [cx, cy] = [x, y];
    draw();
  }

  function forget() {
    for (const url of pictures.values()) URL.revokeObjectURL(url);
    pictures.clear();
    asked.clear();
    for (const node of faces.values()) node.remove();
    faces.clear();
  }

  // -- walking ---------------------------------------------------------------------------------------------------------
  function go(x, y, rest) {
    const near = [Math.round(x), Math.round(y)];
    const to = Math.hypot(x - near[0], y - near[1]) <= SNAP ? near : [x, y].map((value) => Math.round(value * 1000) / 1000);
    if (to[0] !== here[0] || to[1] !== here[1]) {
      points = [...points.slice(-40), here];
      here = to;
      draw();
    } else if (!rest) return;
    requests.ask("walk", here, rest);
  }

  // What the kernel says is shown where no hand holds the mark and no wish is on its way; out of sight, the map goes there.
  function follow() {
    const told = [model.get("x"), model.get("y")];
    map.setAttribute("aria-label", `map of faces, at ${model.get("words")}; arrow keys walk, Shift walks further`);
    words.textContent = model.get("words");
    if (held || !requests.quiet() || (told[0] === here[0] && told[1] === here[1])) return;
    points = [];
    here = told;
    keepInSight();
  }

  function keepInSight() {
    const [w, h] = [map.clientWidth / 2 / CELL - 0.5, map.clientHeight / 2 / CELL - 0.5];
    if (Math.abs(here[0] - cx) > w || Math.abs(here[1] - cy) > h) [cx, cy] = here;
    draw();
  }

  const under = (event) => {
    const box = map.getBoundingClientRect();
    const px = Math.max(0, Math.min(box.width, event.clientX - box.left));
    const py = Math.max(0, Math.min(box.height, event.clientY - box.top));
    return [cx + (px - box.width / 2) / CELL, cy + (py - box.height / 2) / CELL];
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || event.target.closest("button")) return;
    map.setPointerCapture(event.pointerId);
    held = true;
    points = [];
    go(...under(event), false);
  }, options);
  map.addEventListener("pointermove", (event) => held && go(...under(event), false), options);
  const release = (event) => {
    if (!held) return;
    held = false;
    go(...(event.type === "pointerup" ? under(event) : here), true);
  };
  map.addEventListener("pointerup", release, options);
  map.addEventListener("pointercancel", release, options);
  map.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? 1 : 0.1;
    const step = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, -size], ArrowDown: [0, size] }[event.key];
    if (event.key === "Home") go(0, 0, true);
    else if (step) go(here[0] + step[0], here[1] + step[1], true);
    else return;
    keepInSight();
    event.preventDefault();
    event.stopPropagation();
  }, options);

  function onMessage(message, buffers) {
    if (message.type === "forget") {
      forget();
      draw();
    }
    if (message.type !== "face") return;
    const seed = message.seed;
    if (pictures.has(seed)) URL.revokeObjectURL(pictures.get(seed));
    pictures.set(seed, URL.createObjectURL(new Blob([buffers[0]])));
    for (const node of faces.values()) if (Number(node.lastChild.textContent) === seed) node.firstChild.src = pictures.get(seed);
  }
  function onSeed() {
    for (const node of faces.values()) node.remove();
    faces.clear();
    points = [];
    [cx, cy] = here = [model.get("x"), model.get("y")];
    draw();
    follow();
  }

  const size = new ResizeObserver(draw);
  size.observe(map);
  model.on("change:seed", onSeed);
  model.on("change:x change:y change:words", follow);
  model.on("msg:custom", onMessage);
  follow();
  return () => {
    abort.abort();
    requests.close();
    size.disconnect();
    model.off("change:seed", onSeed);
    model.off("change:x change:y change:words", follow);
    model.off("msg:custom", onMessage);
    forget();
    root.remove();
  };
}

export default { render };
