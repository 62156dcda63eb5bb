// A clear sheet over a picture, to walk round what it shows. See orbit.py.

const ACROSS = 100; // degrees for a drag over the whole width
const STEP = [2, 10]; // degrees of an arrow key, without and with Shift
const ZOOM = 1.06; // of the field of view, for a click of the wheel
const FOVS = [1, 120];
const R = 26; // of the globe
const REST_MS = 150; // after the last click of the wheel or key

const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// Where a direction lies on the globe as seen from the front: x to the right, y down, and how far it is towards the viewer.
function onGlobe(yaw, pitch) {
  const [u, v] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
  return [R * Math.sin(u) * Math.cos(v), -R * Math.sin(v), Math.cos(u) * Math.cos(v)];
}

// The outline of the angles from low to high.
function outline([left, right, low, high]) {
  const places = [];
  const walk = (from, to) => {
    for (let k = 0; k < 12; k++) places.push(onGlobe(...[0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * k) / 12)));
  };
  const corners = [[left, low], [right, low], [right, high], [left, high]];
  corners.forEach((corner, k) => walk(corner, corners[(k + 1) % 4]));
  return `M${places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`;
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const image = element("img", "sw-orbit-picture", { alt: "", draggable: "false" });
  const trained = svg("path", { class: "sw-orbit-trained" });
  const dot = svg("circle", { class: "sw-orbit-dot", r: 4 });
  const globe = svg("svg", { class: "sw-orbit-globe", viewBox: "-32 -32 64 64", "aria-hidden": "true" });
  globe.append(
    svg("circle", { class: "sw-orbit-ball", r: R }), trained,
    svg("path", { class: "sw-orbit-line", d: `M${-R},0H${R}M0,${-R}V${R}` }),
    dot,
  );
  const words = element("span", "sw-orbit-words", { role: "status" });
  const corner = element("div", "sw-orbit-corner", {}, globe, words);
  const sheet = element("div", "sw-orbit-sheet", {
    tabindex: "0", role: "application", "aria-roledescription": "camera",
    "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown + - Home",
  });
  const root = element("div", "stylewidgets-view sw-orbit", {}, image, sheet, corner);
  el.append(root);

  const page = crypto.randomUUID?.() ?? String(Math.random());
  let here = { ...model.get("place") };
  let fingers = new Map(); // by pointer: where it was
  let timer = 0;
  let address = "";

  const requests = createRequests({
    send({ value, rest }, number, callbacks) {
      const message = { type: "orbit", page, number, ...value, rest: Boolean(rest), acks: takeAcks() };
      model.send(rest ? { ...message, settle: tellRest() } : message, callbacks);
    },
    onQuiet: follow,
  });

  // -- showing ---------------------------------------------------------------------------------------------------------
  function inside() {
    const [left, right, low, high] = model.get("trained");
    return here.yaw >= left - 0.05 && here.yaw <= right + 0.05 && here.pitch >= low - 0.05 && here.pitch <= high + 0.05;
  }
  function draw() {
    const [x, y, towards] = onGlobe(here.yaw, here.pitch);
    dot.setAttribute("cx", x.toFixed(1));
    dot.setAttribute("cy", y.toFixed(1));
    dot.classList.toggle("sw-orbit-behind", towards < 0);
    trained.setAttribute("d", outline(model.get("trained")));
    root.classList.toggle("sw-orbit-outside", !inside());
    const told = `${Math.round(here.yaw)}°, ${Math.round(here.pitch)}°${inside() ? "" : ", not trained"}`;
    if (words.textContent !== told) words.textContent = told;
    const text = `${model.get("label")}; drag or arrow keys go round, wheel, plus and minus come nearer, Home looks straight`;
    if (sheet.getAttribute("aria-label") !== text) sheet.setAttribute("aria-label", text);
  }
  function follow() {
    if (!fingers.size && !timer && requests.quiet()) here = { ...model.get("place") };
    draw();
  }
  function onPicture() {
    const data = model.get("picture");
    if (address) URL.revokeObjectURL(address);
    address = data && data.byteLength ? URL.createObjectURL(new Blob([data])) : "";
    image.hidden = !address;
    if (address) image.src = address;
    else image.removeAttribute("src");
  }

  // -- going -----------------------------------------------------------------------------------------------------------
  function go(yaw, pitch, fov, rest) {
    const tenths = (value) => Math.round(value * 10) / 10 + 0;
    const round = ((yaw + 180) % 360 + 360) % 360 - 180; // once round and on
    const wide = Math.abs(yaw) <= 180 ? yaw : round;
    here = { yaw: tenths(wide), pitch: tenths(clamp(pitch, -85, 85)), fov: Math.round(clamp(fov, ...FOVS) * 100) / 100 };
    draw();
    requests.ask("orbit", here, rest);
  }
  // The wheel and the keys have no end of their own: what has not moved for a moment rests.
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      requests.ask("orbit", here, true);
    }, REST_MS);
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    sheet.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    sheet.focus({ preventScroll: true });
  }, options);
  sheet.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a[0] - b[0], a[1] - b[1]);
    };
    const wide = fingers.size > 1 ? spread() : 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (wide) return go(here.yaw, here.pitch, here.fov * clamp(wide / Math.max(1, spread()), 0.8, 1.25), false);
    const scale = ACROSS / Math.max(1, sheet.clientWidth);
    go(here.yaw + (event.clientX - before[0]) * scale, here.pitch - (event.clientY - before[1]) * scale, here.fov, false);
  }, options);
  for (const name of ["pointerup", "pointercancel"])
    sheet.addEventListener(name, (event) => {
      if (!fingers.delete(event.pointerId) || fingers.size) return;
      requests.ask("orbit", here, true);
    }, options);
  sheet.addEventListener("dblclick", home, options);
  sheet.addEventListener("wheel", (event) => {
    if (root.getRootNode().activeElement !== sheet) return; // a page scrolls past a picture that nobody has taken hold of
    event.preventDefault();
    go(here.yaw, here.pitch, here.fov * ZOOM ** clamp(event.deltaY / 50, -2, 2), false);
    soon();
  }, { ...options, passive: false });

  function home() {
    const at = model.get("home");
    go(at.yaw, at.pitch, at.fov, true);
  }
  // In the capture phase of the window: JupyterLab reads its one-letter commands on the document first.
  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || root.getRootNode().activeElement !== sheet) return;
    const step = STEP[Number(event.shiftKey)];
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    const zoom = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM }[event.key];
    if (event.key === "Home") home();
    else if (by) go(here.yaw + by[0], here.pitch + by[1], here.fov, false);
    else if (zoom) go(here.yaw, here.pitch, here.fov * zoom, false);
    else return;
    if (event.key !== "Home") soon();
    event.preventDefault();
    event.stopPropagation();
  }
  const leave = () => window.removeEventListener("keydown", onKeyDown, true);
  sheet.addEventListener("focus", () => window.addEventListener("keydown", onKeyDown, true), options);
  sheet.addEventListener("blur", leave, options);

  model.on("change:place change:label change:home change:trained", follow);
  model.on("change:picture", onPicture);
  onPicture();
  follow();
  return () => {
    abort.abort();
    leave();
    clearTimeout(timer);
    requests.close();
    fingers = new Map();
    if (address) URL.revokeObjectURL(address);
    model.off("change:place change:label change:home change:trained", follow);
    model.off("change:picture", onPicture);
    root.remove();
  };
}

export default { render };
