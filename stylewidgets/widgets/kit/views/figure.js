// A figure that is pulled by its joints. See figure.py of the explorer's tool "pose".

const STEPS = [0.01, 0.04]; // of an arrow key, in picture widths, without and with Shift
const FAR = 0.015; // from the joint, where it is shown what it is pulled to
const REST_MS = 150; // after the last key

const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const drawing = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
  const figure = element("div", "sw-figure", { role: "group" }, drawing);
  const words = element("div", "sw-figure-words", { role: "status" });
  const root = element("div", "stylewidgets-view sw-figure-view", {}, figure, words);
  const handles = new Map(); // by joint
  let active = ""; // the joint that the tab key comes to
  let held = null; // {joint, dx, dy}: the hand's place beside the joint
  let wish = null; // {joint, x, y}: where it is pulled to
  let timer = 0;
  el.append(root);

  const page = crypto.randomUUID?.() ?? String(Math.random());
  const requests = createRequests({
    send({ value, rest }, number, callbacks) {
      const message = { type: "pull", page, number, ...value, acks: takeAcks() };
      model.send(rest ? { ...message, settle: tellRest() } : message, callbacks);
    },
    onQuiet() {
      if (!held && !timer) wish = null;
      draw();
    },
  });

  // -- drawing ---------------------------------------------------------------------------------------------------------
  function draw() {
    const points = model.get("points");
    const at = (name) => points[name]?.map((value) => value * 100);
    const line = (names, className) => {
      const places = names.map(at).filter(Boolean);
      if (places.length < 2) return [];
      return [svg("path", { class: className, d: `M${places.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}` })];
    };
    const parts = [];
    if (points.shoulder_left)
      parts.push(...line(["shoulder_left", "shoulder_right", "hip_right", "hip_left", "shoulder_left"], "sw-figure-body"));
    const middle = at("middle");
    if (middle) {
      if (points.shoulder_left) {
        const [a, b] = [at("shoulder_left"), at("shoulder_right")];
        const chest = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
        parts.push(svg("path", { class: "sw-figure-limb", d: `M${chest[0]} ${chest[1]}L${at("neck")[0]} ${at("neck")[1]}L${middle[0]} ${middle[1]}` }));
      }
      parts.push(svg("circle", { class: "sw-figure-body", cx: middle[0], cy: middle[1], r: model.get("radius") * 100 }));
      for (const eye of ["eye_left", "eye_right"])
        parts.push(svg("circle", { class: "sw-figure-eye", cx: at(eye)[0], cy: at(eye)[1], r: model.get("radius") * 9 }));
      parts.push(...line(["middle", "head"], "sw-figure-face"));
    }
    for (const side of ["left", "right"])
      parts.push(...line(["shoulder", "elbow", "wrist", "hand"].map((joint) => `${joint}_${side}`), "sw-figure-limb"));
    const from = wish && at(wish.joint);
    if (from && Math.hypot(wish.x - from[0] / 100, wish.y - from[1] / 100) > FAR) {
      const [x, y] = [wish.x * 100, wish.y * 100];
      parts.push(svg("path", { class: "sw-figure-wish", d: `M${from[0]} ${from[1]}L${x} ${y}` }));
      parts.push(svg("circle", { class: "sw-figure-wish", cx: x, cy: y, r: 2.5 }));
    }
    drawing.replaceChildren(...parts);
    figure.setAttribute("aria-label", model.get("label"));
    place(points);
  }

  function place(points) {
    const joints = model.get("joints").filter(([name]) => points[name]);
    for (const [name, handle] of handles)
      if (!joints.some(([other]) => other === name)) {
        handle.remove();
        handles.delete(name);
      }
    if (!handles.has(active) && joints.length) active = joints[0][0];
    for (const [name, label, told] of joints) {
      let handle = handles.get(name);
      if (!handle) {
        handle = element("button", "sw-figure-joint", {
          type: "button", "data-joint": name, "aria-roledescription": "joint",
          "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown Home PageUp PageDown",
        });
        listen(name, handle);
        handles.set(name, handle);
        figure.append(handle);
      }
      handle.tabIndex = name === active ? 0 : -1;
      handle.title = label;
      handle.setAttribute("aria-label", `${label}: ${told}; arrow keys pull it, Shift further, Home takes it back, Page Down goes to the next joint`);
      handle.classList.toggle("sw-figure-held", held?.joint === name);
      handle.style.left = `${points[name][0] * 100}%`;
      handle.style.top = `${points[name][1] * 100}%`;
      if (name === active) words.textContent = `${label}: ${told}`;
    }
  }

  // -- pulling ---------------------------------------------------------------------------------------------------------
  function pull(joint, x, y, rest) {
    const inside = (value) => Math.round(Math.min(1.2, Math.max(-0.2, value)) * 1e4) / 1e4;
    wish = { joint, x: inside(x), y: inside(y) };
    draw();
    requests.ask("pull", { ...wish }, rest);
  }
  function take(name) {
    active = name;
    for (const [other, handle] of handles) handle.tabIndex = other === name ? 0 : -1;
    handles.get(name)?.focus({ preventScroll: true });
    draw();
  }
  function hand(event) {
    const box = drawing.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function listen(name, handle) {
    handle.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || held) return;
      handle.setPointerCapture(event.pointerId);
      const [[x, y], at] = [hand(event), model.get("points")[name]];
      held = { joint: name, dx: at[0] - x, dy: at[1] - y, moved: false };
      take(name);
      event.preventDefault();
    }, options);
    handle.addEventListener("pointermove", (event) => {
      if (held?.joint !== name) return;
      const [x, y] = hand(event);
      held.moved = true;
      pull(name, x + held.dx, y + held.dy, false);
    }, options);
    for (const kind of ["pointerup", "pointercancel"])
      handle.addEventListener(kind, () => {
        if (held?.joint !== name) return;
        const moved = held.moved;
        held = null;
        if (moved && wish) pull(name, wish.x, wish.y, true);
        else draw();
      }, options);
    handle.addEventListener("focus", () => {
      active = name;
      draw();
      window.addEventListener("keydown", onKeyDown, true);
    }, options);
    handle.addEventListener("blur", leave, options);
  }

  // In the capture phase of the window: JupyterLab reads its one-letter commands on the document first.
  function onKeyDown(event) {
    const handle = handles.get(active);
    if (event.ctrlKey || event.metaKey || event.altKey || root.getRootNode().activeElement !== handle) return;
    const step = STEPS[Number(event.shiftKey)];
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    const turn = { PageDown: 1, PageUp: -1 }[event.key];
    if (by) {
      const from = wish?.joint === active ? [wish.x, wish.y] : model.get("points")[active];
      pull(active, from[0] + by[0], from[1] + by[1], false);
      soon();
    } else if (turn) {
      const names = [...handles.keys()];
      take(names[(names.indexOf(active) + turn + names.length) % names.length]);
    } else if (event.key === "Home") {
      wish = null;
      requests.ask("pull", { joint: active, home: true }, true);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const leave = () => window.removeEventListener("keydown", onKeyDown, true);
  // A key has no end of its own: what has not moved for a moment rests.
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      if (wish) requests.ask("pull", { ...wish }, true);
    }, REST_MS);
  }

  const changes = "change:points change:joints change:radius change:label";
  model.on(changes, draw);
  draw();
  return () => {
    abort.abort();
    leave();
    clearTimeout(timer);
    requests.close();
    model.off(changes, draw);
    root.remove();
  };
}

export default { render };
