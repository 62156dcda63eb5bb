// A row of small pictures to press, delete and move; one stop of the tab key. See picture_strip.py.

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const title = element("span", "sw-strip-title");
  const clear = element("button", "sw-button sw-icon sw-icon-trash", { type: "button" });
  const list = element("div", "sw-strip-list", { role: "list" });
  const words = element("span", "sw-strip-empty");
  const action = element("button", "sw-button", { type: "button" });
  const empty = element("div", "sw-strip-nothing", {}, words, action);
  const head = element("div", "sw-strip-head", {}, title, clear);
  const root = element("div", "stylewidgets-view sw-strip", { role: "group" }, head, list, empty);
  let urls = [];
  let focused = 0;
  el.append(root);

  const send = (type, more = {}) => model.send({ type, ...more });
  const buttons = () => [...list.querySelectorAll(".sw-strip-picture")];

  // Words and pictures come together, and are shown once.
  let due = false;
  function soon() {
    if (!due) queueMicrotask(build);
    due = true;
  }

  function build() {
    due = false;
    const cards = model.get("cards");
    const had = list.contains(root.getRootNode().activeElement);
    const old = urls;
    urls = model.get("pictures").map((data) => (data && data.byteLength ? URL.createObjectURL(new Blob([data])) : ""));
    list.replaceChildren(
      ...cards.map((text, k) => {
        const image = element("img", "", { alt: "" });
        if (urls[k]) image.src = urls[k];
        const picture = element("button", "sw-strip-picture", { type: "button", "data-place": k, title: `go to ${text}` }, image);
        picture.setAttribute("aria-label", `${k + 1} of ${cards.length}: ${text}`);
        const cross = element("button", "sw-strip-cross", {
          type: "button", tabindex: "-1", "data-place": k, title: "delete (key Delete)",
        }, "×");
        cross.setAttribute("aria-label", `delete ${k + 1}: ${text}`);
        const caption = element("span", "sw-strip-text", { "aria-hidden": "true" }, text);
        return element("div", "sw-strip-item", { role: "listitem" }, picture, cross, caption);
      }),
    );
    setTimeout(() => old.forEach((url) => url && URL.revokeObjectURL(url)), 2000); // some may still be read
    focused = Math.max(0, Math.min(focused, cards.length - 1));
    describe();
    mark();
    if (had) buttons()[focused]?.focus();
  }

  function describe() {
    const count = model.get("cards").length;
    const name = model.get("title");
    title.textContent = count ? `${count} ${name}${count === 1 ? "" : "s"}` : "";
    root.setAttribute("aria-label", `${name}s`);
    for (const key of ["title", "aria-label"]) clear.setAttribute(key, `delete all ${name}s`);
    clear.parentElement.hidden = list.hidden = !count;
    empty.hidden = count > 0 && !model.get("problem");
    words.textContent = model.get("problem") || model.get("empty");
    action.textContent = model.get("action");
    action.hidden = !model.get("action") || count > 0;
  }

  function mark() {
    buttons().forEach((node, k) => {
      node.tabIndex = k === focused ? 0 : -1;
      if (k === model.get("marked")) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
    });
  }

  function focus(k) {
    const all = buttons();
    focused = Math.max(0, Math.min(all.length - 1, k));
    mark();
    all[focused]?.focus();
    all[focused]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  list.addEventListener("click", (event) => {
    const node = event.target.closest("button");
    if (!node) return;
    focused = Number(node.dataset.place);
    send(node.className === "sw-strip-cross" ? "delete" : "pick", { place: focused });
  }, options);
  list.addEventListener("keydown", (event) => {
    const k = Number(event.target.dataset.place);
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") send("delete", { place: k });
    else if (step && event.altKey && model.get("movable")) {
      const to = Math.max(0, Math.min(buttons().length - 1, k + step));
      focused = to;
      send("move", { place: k, to });
    } else if (step) focus(k + step);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, options);
  clear.addEventListener("click", () => send("clear"), options);
  action.addEventListener("click", () => send("action"), options);

  model.on("change:cards change:pictures", soon);
  model.on("change:marked", mark);
  model.on("change:title change:empty change:action change:problem", describe);
  build();
  return () => {
    abort.abort();
    model.off("change:cards change:pictures", soon);
    model.off("change:marked", mark);
    model.off("change:title change:empty change:action change:problem", describe);
    for (const url of urls) if (url) URL.revokeObjectURL(url);
    root.remove();
  };
}

export default { render };
