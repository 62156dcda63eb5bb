// Five stations from z to the picture; every number is as bright as it changed. See chain_view.py.

const STATIONS = [
  ["z", "random numbers"],
  ["w", "from the mapping network"],
  ["styles", "one row for each layer: how strongly each channel counts"],
  ["layers", "what the convolutions draw, small to large"],
  ["picture", "before, and now"],
];

function render({ model, el }) {
  const root = element("div", "stylewidgets-view sw-chain", { role: "group" });
  root.setAttribute("aria-label", "from z to the picture");
  const bodies = {};
  const notes = {};
  STATIONS.forEach(([name, about], k) => {
    if (k) root.append(element("span", "sw-chain-arrow", { "aria-hidden": "true" }, "→"));
    bodies[name] = element("div", `sw-chain-body sw-chain-${name}`);
    notes[name] = element("div", "sw-chain-note");
    root.append(
      element("section", "sw-chain-station", { "data-name": name },
        element("div", "sw-chain-title", {}, name), element("div", "sw-chain-about", {}, about), bodies[name], notes[name]),
    );
  });
  el.append(root);

  // Cells are boxes: crisp at any zoom, and in the theme's own colours.
  function cells(parent, levels) {
    while (parent.children.length < levels.length) parent.append(element("i", "sw-chain-cell"));
    while (parent.children.length > levels.length) parent.lastChild.remove();
    levels.forEach((level, k) => parent.children[k].style.setProperty("--lit", level.toFixed(2)));
  }

  function numbers() {
    cells(bodies.z, model.get("z"));
    cells(bodies.w, model.get("w"));
  }

  function rows() {
    const styles = model.get("styles");
    while (bodies.styles.children.length < styles.length) {
      const [name, row] = [element("span", "sw-chain-name"), element("div", "sw-chain-cells")];
      bodies.styles.append(element("div", "sw-chain-row", {}, name, row));
    }
    styles.forEach(([name, levels], k) => {
      const row = bodies.styles.children[k];
      row.firstChild.textContent = name;
      cells(row.lastChild, levels);
    });
  }

  let urls = [];
  let due = false;
  function soon() {
    if (!due) queueMicrotask(pictures);
    due = true;
  }

  function put(parent, data, captions, levels) {
    while (parent.children.length < data.length) {
      parent.append(element("figure", "sw-chain-picture", {}, element("img", "", { alt: "" }), element("figcaption")));
    }
    data.forEach((bytes, k) => {
      const figure = parent.children[k];
      const url = URL.createObjectURL(new Blob([bytes]));
      urls.push(url);
      figure.firstChild.src = url;
      figure.lastChild.textContent = captions[k];
      figure.style.setProperty("--lit", levels[k].toFixed(2));
    });
  }

  function pictures() {
    due = false;
    const old = urls;
    urls = [];
    const layers = model.get("layers");
    put(bodies.layers, model.get("maps"), layers.map(([name]) => name), layers.map(([, level]) => level));
    put(bodies.picture, model.get("pictures"), ["before", "now"], [0, model.get("picture_level")]);
    setTimeout(() => old.forEach((url) => URL.revokeObjectURL(url)), 2000); // some may still be read
  }

  function words() {
    STATIONS.forEach(([name], k) => {
      const text = model.get("words")[k] || "";
      notes[name].textContent = text;
      notes[name].parentElement.classList.toggle("sw-chain-lit", text.startsWith("lit"));
    });
  }

  const heard = [
    ["change:z change:w", numbers],
    ["change:styles", rows],
    ["change:layers change:maps change:pictures change:picture_level", soon],
    ["change:words", words],
  ];
  for (const [event, handler] of heard) model.on(event, handler);
  numbers();
  rows();
  pictures();
  words();
  return () => {
    for (const [event, handler] of heard) model.off(event, handler);
    urls.forEach((url) => URL.revokeObjectURL(url));
    root.remove();
  };
}

export default { render };
