// A row of tabs, after the ARIA pattern "Tabs with automatic activation". See tab_bar.py.
//
// The panels are widgets of their own, beside this bar in an element .sw-tabs; here they get their roles and names. Every widget
// has such a bar, so it is the one that names the controls around it, too (names.js).

const GROWS_TO = 480; // px that the place of the panels stays high once one was

let bars = 0;

// Menus and lists keep the keys that choose in them: JupyterLab takes arrows and letters on the document before they hear
// them. The browser's own action stays, and keys with ctrl or alt go on to the notebook.
function keepKeys(event) {
  const list = event.target.closest?.(".sw-explorer select");
  const free = event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab" || event.key === "Escape";
  if (list && !free) event.stopPropagation();
}

function render({ model, el }) {
  window.addEventListener("keydown", keepKeys, true); // the same function for all bars: heard once
  const id = `sw-tabs-${++bars}`;
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const list = element("div", "sw-tablist", { role: "tablist" });
  const more = element("button", "sw-tab sw-more", { type: "button", "aria-expanded": "false" });
  const root = element("div", "stylewidgets-view sw-tabbar", {}, list, more);
  let unfolded = false;
  let tallest = 0;
  el.append(root);

  const tabs = () => [...list.children].filter((tab) => !tab.hidden);
  const body = () => el.closest(".sw-tabs")?.querySelector(":scope > .sw-tabpanel");

  function build() {
    list.setAttribute("aria-label", model.get("label"));
    list.replaceChildren(
      ...model.get("names").map((name, k) => {
        const tab = element("button", "sw-tab", { type: "button", role: "tab", id: `${id}-${k}`, "data-name": name }, name);
        tab.addEventListener("click", () => choose(tab), options);
        return tab;
      }),
    );
    mark();
  }

  function mark() {
    const [selected, rare] = [model.get("selected"), new Set(model.get("rare"))];
    for (const tab of list.children) {
      const up = tab.dataset.name === selected;
      tab.setAttribute("aria-selected", String(up));
      tab.tabIndex = up ? 0 : -1;
      tab.hidden = rare.has(tab.dataset.name) && !unfolded && !up;
      if (up) label(tab);
    }
    more.hidden = !rare.size;
    more.textContent = unfolded ? "less" : "more";
    more.setAttribute("aria-expanded", String(unfolded));
    more.setAttribute("aria-label", unfolded ? "show fewer tools" : `more tools: ${[...rare].join(", ")}`);
  }

  function label(tab) {
    const panel = body();
    if (!panel) return;
    panel.id = `${id}-panel`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    tab.setAttribute("aria-controls", panel.id);
    if (watched !== panel) {
      heights.disconnect();
      heights.observe((watched = panel));
    }
  }

  function choose(tab) {
    if (tab.dataset.name !== model.get("selected")) {
      model.set("selected", tab.dataset.name);
      model.save_changes();
    }
    tab.focus();
  }

  list.addEventListener("keydown", (event) => {
    const all = tabs();
    const at = all.indexOf(event.target.closest("[role=tab]"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    choose(all[(to + all.length) % all.length]);
  }, options);
  more.addEventListener("click", () => {
    unfolded = !unfolded;
    mark();
  }, options);

  // The place keeps the height it once had, so that what stands below does not jump from panel to panel.
  let watched = null;
  let width = 0;
  const heights = new ResizeObserver(() => {
    const { width: now } = watched.getBoundingClientRect();
    if (Math.abs(now - width) > 32) [tallest, watched.style.minHeight] = [0, ""]; // another window: other heights
    width = now;
    tallest = Math.max(tallest, Math.min(GROWS_TO, Math.ceil(watched.getBoundingClientRect().height)));
    watched.style.minHeight = `${tallest}px`;
  });
  let forget = null;
  const arrived = new ResizeObserver(() => {
    mark(); // the panels are in the page only after this bar is
    forget ??= keepNames(el);
  });
  arrived.observe(root);

  model.on("change:names change:label", build);
  model.on("change:selected change:rare", mark);
  build();
  return () => {
    abort.abort();
    heights.disconnect();
    arrived.disconnect();
    forget?.();
    model.off("change:names change:label", build);
    model.off("change:selected change:rare", mark);
    root.remove();
  };
}

export default { render };
