// The path of a search on the landscape of its loss, with a slider over its steps. See path.py.

const SVG = "http://www.w3.org/2000/svg";

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const urls = [];
  const url = (data) => {
    urls.push(URL.createObjectURL(new Blob([data])));
    return urls[urls.length - 1];
  };
  const shape = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const places = model.get("places").map(([x, y]) => [100 * x, 100 * y]);
  const points = (n) => places.slice(0, n).map((place) => place.join(",")).join(" ");
  const whole = shape("polyline", { class: "sw-path-whole", points: points(places.length) });
  const line = shape("polyline", { class: "sw-path-line" });
  const mark = shape("circle", { class: "sw-path-mark", r: 2.6 });
  const drawing = shape("svg", { class: "sw-path-drawing", viewBox: "0 0 100 100", "aria-hidden": "true" });
  drawing.append(whole, line, mark);
  const heat = element("img", "sw-path-heat", { alt: "the loss over two directions: light is low, dark is high" });
  heat.src = url(model.get("map"));
  const frames = model.get("frames").map(url);
  const now = element("img", "sw-path-picture", { alt: "" });
  const goal = element("img", "sw-path-picture", { alt: "the target" });
  goal.src = url(model.get("target"));
  const caption = element("figcaption");
  const slider = element("input", "sw-path-slider", { type: "range", min: 0, max: frames.length - 1, step: 1 });
  slider.setAttribute("aria-label", "step of the search");
  const play = element("button", "sw-button", { type: "button" }, "play");
  const root = element(
    "div", "stylewidgets-view sw-path", { role: "group", "aria-label": "a search on the landscape of its loss" },
    element("div", "sw-path-row", {},
      element("div", "sw-path-map", {}, heat, drawing),
      element("figure", "sw-path-figure", {}, now, caption),
      element("figure", "sw-path-figure", {}, goal, element("figcaption", "", {}, "target"))),
    element("div", "sw-path-bar", {}, play, slider),
  );
  el.append(root);
  let timer = 0;

  function show() {
    const k = Math.max(0, Math.min(frames.length - 1, model.get("step")));
    slider.value = k;
    now.src = frames[k];
    line.setAttribute("points", points(k + 1));
    mark.setAttribute("cx", places[k][0]);
    mark.setAttribute("cy", places[k][1]);
    const text = `step ${model.get("steps")[k]}, loss ${model.get("losses")[k].toPrecision(2)}`;
    caption.textContent = text;
    now.alt = text;
    slider.setAttribute("aria-valuetext", text);
  }

  function go(k) {
    model.set("step", k);
    model.save_changes();
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  }

  play.addEventListener("click", () => {
    if (timer) return stop();
    if (model.get("step") >= frames.length - 1) go(0);
    play.textContent = "stop";
    timer = setInterval(() => (model.get("step") < frames.length - 1 ? go(model.get("step") + 1) : stop()), 90);
  }, options);
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  }, options);
  model.on("change:step", show);
  show();
  return () => {
    stop();
    abort.abort();
    model.off("change:step", show);
    urls.forEach((each) => URL.revokeObjectURL(each));
    root.remove();
  };
}

export default { render };
