// Cards of which one is chosen. See cards.py for the traits.

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const root = element("div", "stylewidgets-view stylewidgets-cards", { role: "radiogroup" });
  el.append(root);
  let url = "";
  let focused = 0;

  function picture(count, k) {
    const node = element("span", "stylewidgets-card-picture", { "aria-hidden": "true" });
    node.style.backgroundImage = `url(${url})`;
    node.style.backgroundSize = `${count * 100}% 100%`;
    node.style.backgroundPosition = `${count > 1 ? (100 * k) / (count - 1) : 0}% 0`;
    return node;
  }

  function words(card) {
    const lines = card.lines || [];
    return lines.map((text, k) => {
      const node = element("span", "stylewidgets-card-line", {}, text);
      if (card.light && k === lines.length - 1) node.dataset.light = card.light;
      return node;
    });
  }

  function build() {
    const cards = model.get("cards");
    root.style.setProperty("--stylewidgets-least", `${model.get("least")}px`);
    root.setAttribute("aria-label", model.get("label"));
    focused = Math.max(0, Math.min(focused, cards.length - 1));
    const had = root.contains(root.getRootNode().activeElement);
    root.replaceChildren(...cards.map((card, k) => {
      const title = element("span", "stylewidgets-card-title", {}, card.title);
      const parts = [...(url ? [picture(cards.length, k)] : []), title, ...words(card)];
      const node = element("button", "stylewidgets-card", { type: "button", role: "radio" }, ...parts);
      if (card.tip) node.title = card.tip;
      return node;
    }));
    mark();
    if (had) root.children[focused]?.focus();
  }

  async function load() {
    const data = model.get("sheet");
    const [before, now] = [url, data && data.byteLength ? URL.createObjectURL(new Blob([data])) : ""];
    url = now;
    // Other pictures alone leave the cards where they are: one may be under a finger.
    const pictures = [...root.querySelectorAll(".stylewidgets-card-picture")];
    if (!now || pictures.length !== model.get("cards").length) build();
    else {
      const image = new Image();
      image.src = now;
      await image.decode().catch(() => {}); // or the cards would be blank meanwhile
      if (now === url) for (const node of pictures) node.style.backgroundImage = `url(${now})`;
    }
    if (before) URL.revokeObjectURL(before);
  }

  function mark() {
    const chosen = model.get("chosen");
    if (chosen >= 0 && !root.contains(root.getRootNode().activeElement)) focused = chosen;
    [...root.children].forEach((node, k) => {
      node.setAttribute("aria-checked", String(k === chosen));
      node.tabIndex = k === focused ? 0 : -1;
    });
  }

  function choose(k) {
    focused = k;
    model.set("chosen", k);
    model.save_changes();
    mark();
  }

  function across() {
    const top = root.children[0]?.offsetTop;
    const other = [...root.children].findIndex((node) => node.offsetTop !== top);
    return other < 0 ? root.children.length : other;
  }

  root.addEventListener("click", (event) => {
    const node = event.target.closest(".stylewidgets-card");
    if (node) choose([...root.children].indexOf(node));
  }, options);
  root.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across(), ArrowDown: across(), Home: -1e6, End: 1e6 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in steps) {
      focused = Math.max(0, Math.min(root.children.length - 1, focused + steps[event.key]));
      mark();
      root.children[focused]?.focus();
    } else if (event.key !== "Enter" && event.key !== " ") return;
    else choose(focused);
    event.preventDefault();
    event.stopPropagation();
  }, options);

  const listeners = [
    ["change:sheet", load], ["change:cards", build], ["change:least", build], ["change:label", build], ["change:chosen", mark],
  ];
  for (const [name, handler] of listeners) model.on(name, handler);
  load();
  return () => {
    abort.abort();
    for (const [name, handler] of listeners) model.off(name, handler);
    if (url) URL.revokeObjectURL(url);
    root.remove();
  };
}

export default { render };
