// Directions by group, with a picture of what each one does; one stop of the tab key for each open group. See gallery.py.

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const find = element("input", "sw-gallery-find", {
    type: "search", placeholder: "find by name", "aria-label": "find a direction by name",
  });
  const again = element("button", "sw-button sw-icon sw-icon-refresh", {
    type: "button", title: "draw the small pictures again from the present face",
  });
  again.setAttribute("aria-label", again.title);
  const said = element("span", "sw-gallery-said", { role: "status" });
  const groups = element("div", "");
  const about = element("div", "sw-gallery-about", { role: "status" });
  const bar = element("div", "sw-gallery-bar", {}, find, again, said);
  const looks = { role: "group", "aria-label": "directions to add" };
  const root = element("div", "stylewidgets-view sw-gallery", looks, bar, groups, about);
  const pictures = new Map(); // by name, two addresses: less and more
  const asked = new Set();
  el.append(root);

  function build() {
    const folded = new Map([...groups.children].map((node) => [node.dataset.group, node.open]));
    groups.replaceChildren(
      ...model.get("groups").map(({ name, open, items }) => {
        const tiles = element("div", "sw-gallery-tiles", { role: "list" }, ...items.map(tile));
        const summary = element("summary", "sw-gallery-group", {}, `${name} (${items.length})`);
        const node = element("details", "", { "data-group": name }, summary, tiles);
        node.open = folded.get(name) ?? open;
        node.addEventListener("toggle", want, options);
        return node;
      }),
    );
    mark();
    filter();
  }

  function tile({ name, info }, k) {
    const less = element("img", "sw-gallery-less", { alt: "" });
    const more = element("img", "", { alt: "" });
    const add = element(
      "button", "sw-gallery-add", { type: "button", "data-name": name, tabindex: k ? "-1" : "0" },
      more, less, element("span", "sw-gallery-name", {}, name),
    );
    const help = element("button", "sw-gallery-info sw-icon sw-icon-info", {
      type: "button", tabindex: "-1", "data-info": info, title: `about ${name}: ${info}`,
    });
    help.setAttribute("aria-label", `about ${name}`);
    return element("div", "sw-gallery-tile", { role: "listitem", "data-name": name }, add, help);
  }

  function mark() {
    const used = new Set(model.get("used"));
    for (const node of groups.querySelectorAll(".sw-gallery-add")) {
      const { name } = node.dataset;
      const [less, more] = pictures.get(name) || ["", ""];
      const [a, b] = node.querySelectorAll("img");
      if (more) [a.src, b.src] = [more, less];
      else for (const image of [a, b]) image.removeAttribute("src");
      node.setAttribute("aria-pressed", String(used.has(name)));
      node.title = used.has(name) ? `${name} is in use` : `add a slider for ${name}; pointing at it shows the other way`;
    }
  }

  function filter() {
    const wanted = find.value.trim().toLowerCase();
    let count = 0;
    for (const group of groups.children) {
      let here = 0;
      for (const node of group.querySelectorAll(".sw-gallery-tile")) {
        node.hidden = !node.dataset.name.toLowerCase().includes(wanted);
        here += !node.hidden;
      }
      group.hidden = !here;
      if (wanted && here) group.open = true;
      count += here;
    }
    said.textContent = wanted ? (count ? `${count} found` : "no direction is called so") : model.get("words");
    want();
  }

  // Ask for the pictures of what is in sight, once.
  function want() {
    const names = [...groups.children]
      .filter((group) => group.open && !group.hidden)
      .flatMap((group) => [...group.querySelectorAll(".sw-gallery-tile:not([hidden])")].map((node) => node.dataset.name))
      .filter((name) => !asked.has(name));
    for (const name of names) asked.add(name);
    if (names.length) model.send({ type: "want", names });
  }

  function onMessage(message, buffers) {
    if (message.type === "forget") {
      asked.clear();
      want();
    }
    if (message.type !== "picture") return;
    for (const old of pictures.get(message.name) || []) URL.revokeObjectURL(old);
    pictures.set(message.name, buffers.map((data) => URL.createObjectURL(new Blob([data]))));
    mark();
  }

  groups.addEventListener("click", (event) => {
    const help = event.target.closest(".sw-gallery-info");
    const add = event.target.closest(".sw-gallery-add");
    if (help) about.textContent = about.textContent === help.dataset.info ? "" : help.dataset.info;
    else if (add && add.getAttribute("aria-pressed") !== "true") model.send({ type: "add", name: add.dataset.name });
  }, options);
  groups.addEventListener("keydown", (event) => {
    const here = event.target.closest(".sw-gallery-add");
    if (!here) return;
    const all = [...here.closest(".sw-gallery-tiles").querySelectorAll(".sw-gallery-tile:not([hidden]) .sw-gallery-add")];
    const columns = all.filter((node) => node.offsetTop === all[0].offsetTop).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "i") here.parentElement.querySelector(".sw-gallery-info").click();
    else if (step) {
      const to = all[Math.max(0, Math.min(all.length - 1, all.indexOf(here) + step))];
      for (const node of all) node.tabIndex = node === to ? 0 : -1;
      to.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }, options);
  find.addEventListener("input", filter, options);
  find.addEventListener("keydown", (event) => event.stopPropagation(), options);
  again.addEventListener("click", () => model.send({ type: "again" }), options);

  model.on("change:groups", build);
  model.on("change:used", mark);
  model.on("change:words", filter);
  model.on("msg:custom", onMessage);
  build();
  return () => {
    abort.abort();
    model.off("change:groups", build);
    model.off("change:used", mark);
    model.off("change:words", filter);
    model.off("msg:custom", onMessage);
    for (const pair of pictures.values()) for (const url of pair) URL.revokeObjectURL(url);
    root.remove();
  };
}

export default { render };
