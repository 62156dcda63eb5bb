// A row of icon buttons that is one stop of the tab key, after the ARIA pattern "Toolbar". See toolbar.py.

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const root = element("div", "stylewidgets-view sw-toolbar", { role: "toolbar" });
  let focused = "";
  // Chooses files for the buttons that ask for one; not in the page, so that nothing of it shows.
  const chooser = element("input", "", { type: "file" });
  let asked = "";
  el.append(root);

  const enabled = () => [...root.children].filter((node) => !node.disabled);

  // Buttons that stay keep their elements, and with them the focus.
  function build() {
    root.setAttribute("aria-label", model.get("label"));
    const old = new Map([...root.children].map((node) => [node.dataset.name, node]));
    const nodes = model.get("items").map((item) => {
      const node = old.get(item.name) || element("button", "", { type: "button", "data-name": item.name }, element("span", ""));
      const looks = ["sw-button", item.icon ? `sw-icon sw-icon-${item.icon}` : "", item.primary ? "sw-primary" : ""];
      node.className = looks.filter(Boolean).join(" ");
      node.firstChild.textContent = item.text || "";
      node.title = item.tip;
      if (item.text) node.removeAttribute("aria-label");
      else node.setAttribute("aria-label", item.label || item.tip);
      node.disabled = Boolean(item.disabled);
      if (item.pressed === undefined || item.pressed === null) node.removeAttribute("aria-pressed");
      else node.setAttribute("aria-pressed", String(item.pressed));
      return node;
    });
    const had = root.contains(root.getRootNode().activeElement);
    const same = nodes.length === root.children.length && nodes.every((node, k) => node === root.children[k]);
    if (!same) root.replaceChildren(...nodes);
    mark(had);
  }

  // One of them is the stop. The one that had the focus and can do nothing any more passes it on.
  function mark(had) {
    const able = enabled();
    const stop = able.find((node) => node.dataset.name === focused) || able[0];
    for (const node of root.children) node.tabIndex = node === stop ? 0 : -1;
    if (had && stop && !root.contains(root.getRootNode().activeElement)) stop.focus();
  }

  root.addEventListener("click", (event) => {
    const node = event.target.closest("button");
    if (!node) return;
    focused = node.dataset.name;
    mark(false);
    const { accept } = model.get("items").find((item) => item.name === focused) || {};
    if (accept) choose(focused, accept);
    else model.send({ type: "press", name: focused });
  }, options);

  function choose(name, accept) {
    asked = name;
    chooser.accept = accept;
    chooser.value = ""; // the same file once more is a choice, too
    chooser.click();
  }

  // What no server lets through is not sent: its size is enough for the words.
  chooser.addEventListener("change", async () => {
    const file = chooser.files[0];
    if (!file) return;
    const about = { type: "file", name: asked, file: file.name, size: file.size };
    if (file.size > model.get("largest")) model.send(about);
    else model.send(about, undefined, [await file.arrayBuffer()]);
  }, options);
  root.addEventListener("focusin", (event) => {
    focused = event.target.dataset.name || focused;
    mark(false);
  }, options);
  root.addEventListener("keydown", (event) => {
    const able = enabled();
    const at = able.indexOf(event.target.closest("button"));
    const [before, after, last] = [at - 1, at + 1, able.length - 1];
    const to = { ArrowRight: after, ArrowDown: after, ArrowLeft: before, ArrowUp: before, Home: 0, End: last }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    able[(to + able.length) % able.length].focus();
  }, options);

  function onMessage(message, buffers) {
    if (message.type !== "download") return;
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: message.mime }));
    element("a", "", { href: url, download: message.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  model.on("change:items change:label", build);
  model.on("msg:custom", onMessage);
  build();
  return () => {
    abort.abort();
    model.off("change:items change:label", build);
    model.off("msg:custom", onMessage);
    root.remove();
  };
}

export default { render };
