// Rows of sliders in one model. A model has one hub (what the rows show, and requests on their way) and any number of views.

const BUSY =
  "No answer from the kernel yet: it is busy with something else, or it has ended. " +
  "If it stays so, restart it and run the cell again.";

function createRowsHub(model) {
  const page = Math.random().toString(36).slice(2, 10);
  const shown = new Map(); // value by row, as a hand or the kernel left it last
  const views = new Set();
  let busy = false;
  const requests = createRequests({
    send({ key, value, rest }, number, callbacks) {
      const message = { type: "set", page, number, key, value, rest, acks: takeAcks() };
      model.send(rest ? { ...message, settle: tellRest() } : message, callbacks);
    },
    onQuiet: take,
    onBusy(whether) {
      busy = whether;
      for (const view of views) view.busy(busy);
    },
  });

  // What the kernel says is taken where no hand holds the row and no wish for it is still on its way.
  function take() {
    const { values = {}, seen = {} } = model.get("state");
    for (const [key, value] of Object.entries(values)) {
      const held = [...views].some((view) => view.held(key));
      if (held || requests.pending(key, seen[page]?.[key] ?? 0)) continue;
      if (shown.get(key) === value) continue;
      shown.set(key, value);
      for (const view of views) view.show(key, value);
    }
  }

  function set(key, value, rest, from) {
    shown.set(key, value);
    for (const view of views) if (view !== from) view.show(key, value);
    requests.ask(key, value, rest);
  }

  model.on("change:state", take);
  take();
  return {
    set,
    value: (key) => shown.get(key),
    busy: () => busy,
    tell: (type, key, more = {}) => model.send({ type, key, ...more, acks: takeAcks() }),
    add: (view) => views.add(view),
    remove: (view) => views.delete(view),
    close() {
      requests.close();
      model.off("change:state", take);
    },
  };
}

function createRowsView(model, hub, el) {
  const root = element("div", "stylewidgets-view sw-rows", { role: "group" });
  const list = element("div", "sw-rows-list");
  const empty = element("p", "sw-rows-empty");
  const waiting = element("p", "sw-rows-waiting", { role: "status" });
  const error = element("p", "sw-rows-error", { role: "alert" });
  root.append(list, empty, error, waiting);
  el.append(root);
  const rows = new Map();
  let order = [];
  let current = null; // the row that the tabulator key comes to

  function reach(key) {
    current = rows.has(key) ? key : (order[0] ?? null);
    for (const [name, row] of rows) row.reachable(name === current);
  }

  function acts(key) {
    return {
      set: (value, rest) => hub.set(key, value, rest, view),
      hold: (held) => root.classList.toggle("sw-rows-held", held),
      focused: () => reach(key),
      walk(steps) {
        const place = Math.min(order.length - 1, Math.max(0, order.indexOf(key) + steps));
        rows.get(order[place]).handle.focus();
      },
      layers: (layers) => hub.tell("layers", key, { layers }),
      rename: (name) => hub.tell("rename", key, { name }),
      remove: () => hub.tell("remove", key),
    };
  }

  function refresh() {
    const specs = model.get("rows");
    const focused = order.find((key) => rows.get(key).root.contains(root.getRootNode().activeElement));
    const place = order.indexOf(focused);
    order = specs.map(({ key }) => key);
    for (const [key, row] of rows) {
      if (order.includes(key)) continue;
      row.close();
      rows.delete(key);
    }
    specs.forEach((spec, at) => {
      let row = rows.get(spec.key);
      if (row) row.describe(spec);
      else rows.set(spec.key, (row = createRow(spec, acts(spec.key), model.get("mark"))));
      if (!row.held() && hub.value(spec.key) !== undefined) row.show(hub.value(spec.key));
      if (list.children[at] !== row.root) list.insertBefore(row.root, list.children[at] ?? null);
    });
    empty.textContent = model.get("empty");
    empty.hidden = order.length > 0 || !model.get("empty");
    error.textContent = model.get("error");
    error.hidden = !model.get("error");
    root.setAttribute("aria-label", model.get("label"));
    reach(current);
    // The row with the focus is gone, or has another name: its place keeps the focus.
    if (place >= 0 && !order.includes(focused) && order.length) rows.get(order[Math.min(place, order.length - 1)]).handle.focus();
  }

  const view = {
    show: (key, value) => rows.get(key)?.show(value),
    held: (key) => Boolean(rows.get(key)?.held()),
    busy(whether) {
      waiting.textContent = whether ? BUSY : "";
      waiting.hidden = !whether;
    },
    close() {
      for (const name of watched) model.off(`change:${name}`, refresh);
      hub.remove(view);
      for (const row of rows.values()) row.close();
      root.remove();
    },
  };
  const watched = ["rows", "label", "empty", "error"];
  for (const name of watched) model.on(`change:${name}`, refresh);
  hub.add(view);
  refresh();
  view.busy(hub.busy());
  return view;
}

export default () => {
  let hub = null;
  return {
    initialize({ model }) {
      hub = createRowsHub(model);
      return () => hub.close();
    },
    render({ model, el }) {
      const view = createRowsView(model, hub, el);
      return () => view.close();
    },
  };
};
