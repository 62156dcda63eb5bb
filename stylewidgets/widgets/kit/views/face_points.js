// A photograph with four points that are dragged to eyes and mouth, and numbered boxes to choose a face by. See face_points.py.

const SHORT = ["eye", "eye", "mouth", "mouth"];
const NAMES = ["left eye", "right eye", "left corner of the mouth", "right corner of the mouth"];
const COARSE = 8; // pixels that an arrow moves with shift
const KEYS_MS = 400; // keys that follow each other so soon are one change

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const photo = element("img", "stylewidgets-face-photo", { alt: "the photograph", draggable: "false" });
  const crop = svg("polygon", { class: "stylewidgets-face-crop" });
  const boxes = svg("g");
  const looks = { class: "stylewidgets-face-handle", tabindex: 0, role: "button" };
  const side = (k) => ({ x: k % 2 ? 9 : -9, y: 4, style: `text-anchor: ${k % 2 ? "start" : "end"}` });
  const handles = NAMES.map((name, k) => svg("g", { ...looks, "data-point": k },
    svg("circle", { r: 13, class: "stylewidgets-face-reach" }), svg("circle", { r: 5 }), svg("text", side(k), SHORT[k]),
    svg("title", {}, name)));
  const sheet = svg("svg", { class: "stylewidgets-face-sheet", role: "group" }, crop, boxes, ...handles);
  const root = element("div", "stylewidgets-view stylewidgets-face", {}, photo, sheet);
  el.append(root);

  let points = []; // as they are under the hand; the kernel hears of them when it lets go
  let held = -1;
  let timer = 0;
  let address = "";

  const clamp = (x) => Math.max(0, Math.min(1, x));
  const size = () => sheet.getBoundingClientRect();

  function draw() {
    const { width, height } = size();
    const [across, down] = model.get("shape");
    handles.forEach((handle, k) => {
      const [x, y] = points[k] || [0, 0];
      handle.setAttribute("transform", `translate(${(x * width).toFixed(1)} ${(y * height).toFixed(1)})`);
      handle.setAttribute("aria-label", `${NAMES[k]}: ${Math.round(x * across)}, ${Math.round(y * down)}; arrows move it`);
    });
    const corners = held < 0 && !timer ? model.get("crop") : []; // it follows when the hand lets go
    crop.setAttribute("points", corners.map(([x, y]) => `${x * width},${y * height}`).join(" "));
    boxes.replaceChildren(...model.get("boxes").map(([left, top, right, bottom], k) => {
      const chosen = k === model.get("box");
      const box = svg("g", { class: `stylewidgets-face-box${chosen ? " stylewidgets-face-chosen" : ""}`, tabindex: 0,
        role: "button", "data-box": k, "aria-label": `face ${k + 1}`, "aria-pressed": String(chosen) },
      svg("rect", { x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height }),
      svg("circle", { cx: left * width, cy: top * height, r: 10 }),
      svg("text", { x: left * width, y: top * height + 4 }, String(k + 1)));
      return box;
    }));
  }

  function tell() {
    clearTimeout(timer);
    timer = 0;
    model.set("points", points.map((point) => [...point]));
    model.save_changes();
    draw();
  }

  function choose(node) {
    model.set("box", Number(node.dataset.box));
    model.save_changes();
  }

  sheet.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-point]");
    const box = event.target.closest("[data-box]");
    if (event.button > 0 || held >= 0) return;
    event.preventDefault();
    if (box && !handle) return choose(box);
    if (!handle) return;
    held = Number(handle.dataset.point);
    handle.focus({ preventScroll: true });
    sheet.setPointerCapture(event.pointerId);
    draw();
  }, options);
  sheet.addEventListener("pointermove", (event) => {
    if (held < 0) return;
    const box = size();
    points[held] = [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
    draw();
  }, options);
  for (const name of ["pointerup", "pointercancel"])
    sheet.addEventListener(name, () => {
      if (held < 0) return;
      held = -1;
      tell();
    }, options);
  sheet.addEventListener("keydown", (event) => {
    const box = event.target.closest("[data-box]");
    const handle = event.target.closest("[data-point]");
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (box && (event.key === "Enter" || event.key === " ")) choose(box);
    else if (handle && step) {
      const k = Number(handle.dataset.point);
      const by = event.shiftKey ? COARSE : 1;
      points[k] = model.get("shape").map((pixels, axis) => clamp(points[k][axis] + (by * step[axis]) / pixels));
      clearTimeout(timer);
      timer = setTimeout(tell, KEYS_MS);
      draw();
    } else return;
    event.preventDefault(); // and not the notebook's shortcuts
    event.stopPropagation();
  }, options);

  function showPhoto() {
    URL.revokeObjectURL(address);
    const data = model.get("picture");
    address = data && data.byteLength ? URL.createObjectURL(new Blob([data])) : "";
    photo.src = address;
    const [across, down] = model.get("shape");
    photo.style.aspectRatio = `${across} / ${down}`;
    root.style.setProperty("--stylewidgets-face-ratio", across / down);
    draw();
  }
  function onPoints() {
    if (held >= 0 || timer) return; // the hand is newer
    points = model.get("points").map((point) => [...point]);
    draw();
  }
  const listeners = [["change:picture", showPhoto], ["change:points", onPoints], ["change:crop", draw], ["change:boxes", draw],
    ["change:box", draw]];
  for (const [name, handler] of listeners) model.on(name, handler);
  const watched = new ResizeObserver(draw);
  watched.observe(root);
  onPoints();
  showPhoto();
  return () => {
    abort.abort();
    clearTimeout(timer);
    watched.disconnect();
    URL.revokeObjectURL(address);
    for (const [name, handler] of listeners) model.off(name, handler);
    root.remove();
  };
}

export default { render };
