// Two angles by hand: a head that is turned, or a lamp that is moved over a ball. See angle_pad.py.

const R = 42; // radius of the head and of the ball, in units of the drawing
const PER_STEP = 1; // degrees of an arrow key
const FAR = 5; // the same with Shift

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const drawing = svg("svg", { viewBox: "-60 -60 120 120", "aria-hidden": "true" });
  const pad = element("div", "sw-pad", { role: "application", tabindex: "0", "aria-roledescription": "angle pad" }, drawing);
  const words = element("div", "sw-pad-words", { role: "status" });
  const root = element("div", "stylewidgets-view sw-pad-view", {}, pad, words);
  const gradient = `sw-lit-${Math.random().toString(36).slice(2)}`;
  let here = [model.get("x"), model.get("y")];
  let held = null;
  el.append(root);

  const page = crypto.randomUUID?.() ?? String(Math.random());
  const requests = createRequests({
    send({ value, rest }, number, callbacks) {
      const message = { type: "turn", page, number, x: value[0], y: value[1], acks: takeAcks() };
      model.send(rest ? { ...message, settle: tellRest() } : message, callbacks);
    },
    onQuiet: follow,
  });

  function svg(name, attributes) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------
  function draw() {
    const [x, y] = here.map((value) => (value * Math.PI) / 180);
    drawing.replaceChildren(...(model.get("kind") === "head" ? head(x, y) : lamp(x, y)));
    const [a, b] = here.map((value) => `${Math.round(value)}°`);
    const said = model.get("kind") === "head" ? `turn ${a}, tilt ${b}` : `side ${a}, height ${b}`;
    words.textContent = said;
    pad.setAttribute("aria-label", `${model.get("label")}: ${said}; arrow keys move it, Shift further, Home takes it back`);
  }

  // A point of a head of radius 1 (x right, y up, z to the viewer) in the drawing, after pitch and yaw; and its depth.
  function seen([px, py, pz], yaw, pitch) {
    const [cp, sp, cy, sy] = [Math.cos(pitch), Math.sin(pitch), Math.cos(yaw), Math.sin(yaw)];
    const [y1, z1] = [py * cp + pz * sp, pz * cp - py * sp];
    return [(px * cy + z1 * sy) * R, -y1 * R, z1 * cy - px * sy];
  }

  function line(points, yaw, pitch, className) {
    // Only what faces the viewer is drawn.
    let path = "";
    let open = false;
    for (const point of points) {
      const [x, y, z] = seen(point, yaw, pitch);
      path += z > 0 ? `${open ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}` : "";
      open = z > 0;
    }
    return svg("path", { d: path || "M0 0", class: className });
  }

  const arc = (count, point) => Array.from({ length: count + 1 }, (_, i) => point((i / count) * 2 - 1));
  const onHead = (x, y) => [x, y, Math.sqrt(Math.max(0, 1 - x * x - y * y))];

  function head(yaw, pitch) {
    const group = svg("g", { transform: `rotate(${model.get("roll")})` });
    const angle = (t) => t * Math.PI;
    const eye = (side) => arc(16, (t) => onHead(side * 0.36 + 0.11 * Math.cos(angle(t)), 0.2 + 0.07 * Math.sin(angle(t))));
    const nose = seen([0, -0.06, 1.22], yaw, pitch);
    const from = seen(onHead(0, 0.16), yaw, pitch);
    const to = seen(onHead(0.1, -0.16), yaw, pitch);
    group.append(
      svg("circle", { r: R, class: "sw-pad-ball" }),
      line(arc(32, (t) => [Math.sin(angle(t)), 0.02, Math.cos(angle(t))]), yaw, pitch, "sw-pad-grid"),
      line(arc(32, (t) => [0, Math.sin(angle(t)), Math.cos(angle(t))]), yaw, pitch, "sw-pad-grid"),
      line(eye(-1), yaw, pitch, "sw-pad-eye"),
      line(eye(1), yaw, pitch, "sw-pad-eye"),
      line(arc(12, (t) => onHead(0.3 * t, -0.5 + 0.1 * t * t)), yaw, pitch, "sw-pad-mouth"),
      svg("path", { d: `M${from[0]} ${from[1]}L${nose[0]} ${nose[1]}L${to[0]} ${to[1]}`, class: "sw-pad-nose" }),
    );
    return [group];
  }

  function lamp(azimuth, elevation) {
    const [x, y] = [Math.sin(azimuth) * Math.cos(elevation), -Math.sin(elevation)];
    const fill = svg("radialGradient", { id: gradient, cx: 0.5 + x * 0.42, cy: 0.5 + y * 0.42, r: 0.75 });
    fill.append(svg("stop", { offset: 0, class: "sw-pad-light" }), svg("stop", { offset: 1, class: "sw-pad-dark" }));
    const [lx, ly] = [x * 53, y * 53];
    const rays = Array.from({ length: 8 }, (_, i) => {
      const [c, s] = [Math.cos((i * Math.PI) / 4), Math.sin((i * Math.PI) / 4)];
      return `M${(lx + 7 * c).toFixed(2)} ${(ly + 7 * s).toFixed(2)}L${(lx + 10 * c).toFixed(2)} ${(ly + 10 * s).toFixed(2)}`;
    });
    return [
      fill,
      svg("circle", { r: R, class: "sw-pad-edge", fill: `url(#${gradient})` }),
      svg("line", { x1: lx, y1: ly, x2: x * R * 0.5, y2: y * R * 0.5, class: "sw-pad-beam" }),
      svg("path", { d: rays.join(""), class: "sw-pad-rays" }),
      svg("circle", { cx: lx, cy: ly, r: 5.5, class: "sw-pad-lamp" }),
    ];
  }

  // -- turning ---------------------------------------------------------------------------------------------------------
  function go(x, y, rest) {
    const [x0, x1, y0, y1] = model.get("reach");
    const to = [Math.min(x1, Math.max(x0, x)), Math.min(y1, Math.max(y0, y))].map((value) => Math.round(value * 10) / 10);
    if (to[0] === here[0] && to[1] === here[1] && !rest) return;
    here = to;
    draw();
    requests.ask("turn", here, rest);
  }

  // What the kernel says is shown where no hand holds the pad and no wish is on its way.
  function follow() {
    if (held || !requests.quiet()) return;
    here = [model.get("x"), model.get("y")];
    draw();
  }

  pad.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    pad.setPointerCapture(event.pointerId);
    held = { x: event.clientX, y: event.clientY, from: here, moved: false };
  }, options);
  // A drag from one end of the drawing to the other goes through the whole range.
  pad.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x0, x1, y0, y1] = model.get("reach");
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(dx, dy) < 2) return;
    held.moved = true;
    const size = drawing.clientWidth || 160;
    go(held.from[0] + (dx / size) * (x1 - x0), held.from[1] - (dy / size) * (y1 - y0), false);
  }, options);
  const release = () => {
    if (!held) return;
    const moved = held.moved;
    held = null;
    if (moved) go(...here, true);
  };
  pad.addEventListener("pointerup", release, options);
  pad.addEventListener("pointercancel", release, options);
  pad.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? FAR : PER_STEP;
    const step = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, size], ArrowDown: [0, -size] }[event.key];
    if (event.key === "Home") go(...model.get("home"), true);
    else if (step) go(here[0] + step[0], here[1] + step[1], true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, options);

  const changes = "change:x change:y change:roll change:kind change:label";
  model.on(changes, follow);
  draw();
  return () => {
    abort.abort();
    requests.close();
    model.off(changes, follow);
    root.remove();
  };
}

export default { render };
