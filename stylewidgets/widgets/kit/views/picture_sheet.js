// A sheet of pictures to tick, as toggle buttons. See picture_sheet.py.

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const root = element("div", "stylewidgets-view stylewidgets-sheet", { role: "group" });
  el.append(root);
  let url = "";
  let focused = 0;
  let painting = null; // what a drag over the sheet makes of the pictures: chosen or not

  function build() {
    const data = model.get("sheet");
    const names = model.get("names");
    const columns = Math.max(1, model.get("columns"));
    const rows = Math.ceil(names.length / columns);
    if (url) URL.revokeObjectURL(url);
    url = data && data.byteLength ? URL.createObjectURL(new Blob([data])) : "";
    root.style.setProperty("--stylewidgets-columns", columns);
    root.setAttribute("aria-label", model.get("label"));
    focused = Math.min(focused, Math.max(0, names.length - 1));
    root.replaceChildren(
      ...names.map((name, k) => {
        const node = element("button", "stylewidgets-tick", { type: "button", title: name, "data-number": k });
        const x = columns > 1 ? (100 * (k % columns)) / (columns - 1) : 0;
        const y = rows > 1 ? (100 * Math.floor(k / columns)) / (rows - 1) : 0;
        if (url) node.style.backgroundImage = `url(${url})`;
        node.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
        node.style.backgroundPosition = `${x}% ${y}%`;
        return node;
      }),
    );
    mark();
  }

  function mark() {
    const chosen = new Set(model.get("chosen"));
    [...root.children].forEach((node, k) => {
      node.setAttribute("aria-pressed", String(chosen.has(k)));
      node.setAttribute("aria-label", node.title);
      node.tabIndex = k === focused ? 0 : -1;
    });
  }

  function set(k, value) {
    const chosen = new Set(model.get("chosen"));
    if (chosen.has(k) === value) return;
    if (value) chosen.add(k);
    else chosen.delete(k);
    model.set("chosen", [...chosen].sort((a, b) => a - b));
    model.save_changes();
    mark();
  }
  const toggle = (k) => set(k, !model.get("chosen").includes(k));

  function under(event) {
    const hit = root.getRootNode().elementFromPoint(event.clientX, event.clientY);
    const node = hit && hit.closest ? hit.closest(".stylewidgets-tick") : null;
    return node && root.contains(node) ? Number(node.dataset.number) : -1;
  }
  root.addEventListener("pointerdown", (event) => {
    const k = under(event);
    if (k < 0 || event.button > 0) return;
    focused = k;
    painting = event.pointerType === "touch" ? null : !model.get("chosen").includes(k); // a finger scrolls
    if (painting !== null) set(k, painting);
  }, options);
  root.addEventListener("pointermove", (event) => {
    if (painting === null || !(event.buttons & 1)) return;
    const k = under(event);
    if (k >= 0) set(k, painting);
  }, options);
  root.addEventListener("click", (event) => {
    const byMouse = painting !== null; // pointerdown has done it
    painting = null;
    const node = event.target.closest(".stylewidgets-tick");
    if (node && !byMouse) toggle(Number(node.dataset.number));
  }, options);
  root.addEventListener("keydown", (event) => {
    const columns = model.get("columns");
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -1e6, End: 1e6 };
    if (!(event.key in steps)) return;
    focused = Math.max(0, Math.min(root.children.length - 1, focused + steps[event.key]));
    mark();
    root.children[focused]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }, options);

  const built = ["sheet", "names", "columns", "label"];
  for (const name of built) model.on(`change:${name}`, build);
  model.on("change:chosen", mark);
  build();
  return () => {
    abort.abort();
    for (const name of built) model.off(`change:${name}`, build);
    model.off("change:chosen", mark);
    if (url) URL.revokeObjectURL(url);
    root.remove();
  };
}

export default { render };
