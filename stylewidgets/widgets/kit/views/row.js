// One row: label, bar with a handle, exact value, reset, and what "⋯" opens. It knows its spec and its value; what people do
// with it is told to `act`: set(value, rest), hold(whether), layers(range), rename(name), remove(), walk(steps).

const PAGE_STEPS = 10;
const MENU_KEYS = new Set(["F2", "ContextMenu"]);

function digitsOf(step) {
  const [, fraction = ""] = String(step).split(".");
  return Math.min(6, step < 1e-6 ? 6 : fraction.length);
}

// The nearest place of the grid that begins at `low`, within the ends.
function snapped(spec, value) {
  const { low, high, step } = spec;
  const at = low + Math.round((value - low) / step) * step;
  return Number(Math.min(high, Math.max(low, at)).toFixed(digitsOf(step) + 2));
}

// A number that was typed, with a comma or a point, with or without the unit; NaN for anything else.
function parsed(text, unit = "") {
  const plain = text.replace(unit, "").trim().replace("\u2212", "-").replace(",", ".");
  return plain === "" ? NaN : Number(plain);
}

// `mark`: a class that scripts know the row by.
function createRow(spec, act, mark = "") {
  const root = element("div", `sw-row ${mark}`);
  const label = element("span", "sw-row-label");
  const track = element("div", "sw-row-track");
  const bar = element("div", "sw-row-bar", { "aria-hidden": "true" });
  const fill = element("div", "sw-row-fill", { "aria-hidden": "true" });
  const home = element("div", "sw-row-home", { "aria-hidden": "true" });
  const keys = "Enter Delete F2 ArrowUp ArrowDown";
  const handle = element("div", "sw-row-handle", { role: "slider", tabindex: "-1", "aria-keyshortcuts": keys });
  handle.dataset.lmSuppressShortcuts = "true"; // JupyterLab reads its one-letter commands before anybody else
  const exact = element("input", "sw-row-value", { type: "text", inputmode: "decimal", tabindex: "-1" });
  const unit = element("span", "sw-row-unit");
  const reset = element("button", "sw-row-button sw-row-reset", { type: "button", tabindex: "-1" }, "\u21ba");
  const open = element("button", "sw-row-button sw-row-open", { type: "button", tabindex: "-1" }, "\u22ef");
  bar.append(fill, home);
  track.append(bar, handle);
  root.append(label, track, exact, unit, reset, open);
  let value = 0;
  let more = null; // what "⋯" opens, made when it is first asked for
  let url = ""; // of the picture before the label
  let grab = null; // {id, offset, before} while a pointer holds the handle

  const fraction = (at) => Math.min(1, Math.max(0, (at - spec.low) / (spec.high - spec.low)));
  const written = (at) => at.toFixed(digitsOf(spec.step));

  function show(next) {
    value = next;
    const at = fraction(value);
    const from = fraction(spec.home ?? spec.low);
    handle.style.left = `calc((100% - var(--sw-row-target)) * ${at})`;
    fill.style.transform = `translateX(${100 * Math.min(at, from)}%) scaleX(${Math.abs(at - from)})`;
    handle.setAttribute("aria-valuenow", Number(value.toFixed(6)));
    handle.setAttribute("aria-valuetext", `${written(value)}${spec.unit ? ` ${spec.unit}` : ""}`);
    if (exact !== exact.getRootNode().activeElement) exact.value = written(value);
    const changed = spec.home !== null && written(value) !== written(spec.home);
    reset.classList.toggle("sw-row-idle", !changed); // which also takes it from screen readers
  }

  function describe(next) {
    spec = next;
    root.dataset.key = spec.key;
    root.title = spec.tip;
    if (url) URL.revokeObjectURL(url);
    url = spec.picture?.byteLength ? URL.createObjectURL(new Blob([spec.picture])) : "";
    label.replaceChildren(...(url ? [element("img", "sw-row-picture", { src: url, alt: "" })] : []), spec.label);
    label.title = spec.tip || spec.label;
    unit.textContent = spec.unit;
    handle.setAttribute("aria-label", spec.label);
    handle.setAttribute("aria-valuemin", spec.low);
    handle.setAttribute("aria-valuemax", spec.high);
    handle.setAttribute("aria-disabled", String(!spec.enabled));
    exact.setAttribute("aria-label", `${spec.label}, exact value`);
    exact.disabled = !spec.enabled;
    root.classList.toggle("sw-row-off", !spec.enabled);
    home.hidden = spec.home === null || spec.home <= spec.low || spec.home >= spec.high;
    home.style.left = `${100 * fraction(spec.home ?? spec.low)}%`;
    reset.hidden = spec.home === null;
    reset.setAttribute("aria-label", `Reset ${spec.label}`);
    reset.title = `Back to ${spec.home === null ? "" : written(spec.home)} (Delete)`;
    const range = spec.layers ? `${spec.layers[0]}\u2013${spec.layers[1] - 1}` : "";
    open.hidden = !(spec.num_layers || spec.renames || spec.removes);
    open.textContent = range || "\u22ef";
    open.setAttribute("aria-label", `${spec.label}: ${range ? `on layers ${range}, ` : ""}more`);
    open.title = range ? `On layers ${range}: layers, name, remove` : "Layers, name, remove (F2)";
    open.setAttribute("aria-expanded", String(Boolean(more && !more.root.hidden)));
    if (more) more.describe(spec);
  }

  function set(next, rest) {
    if (!spec.enabled) return;
    if (next !== value) show(next);
    act.set(next, rest);
  }

  // -- pointer: a mouse, a pen, a finger ----------------------------------------------------------------------------------
  function pointed(event) {
    const box = bar.getBoundingClientRect();
    return snapped(spec, spec.low + ((event.clientX - grab.offset - box.left) / box.width) * (spec.high - spec.low));
  }
  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !spec.enabled) return;
    const box = handle.getBoundingClientRect();
    const middle = box.left + box.width / 2;
    const held = event.clientX >= box.left && event.clientX <= box.right;
    grab = { id: event.pointerId, offset: held ? event.clientX - middle : 0, before: value };
    track.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    act.hold(true);
    if (!held) set(pointed(event), false);
  });
  track.addEventListener("mousedown", (event) => event.preventDefault()); // neither a selection nor another focus
  track.addEventListener("pointermove", (event) => {
    if (!grab || event.pointerId !== grab.id) return;
    const next = pointed(event);
    if (next !== value) set(next, false);
  });
  function release(event, next) {
    if (!grab || event.pointerId !== grab.id) return;
    grab = null;
    act.hold(false);
    set(next, true);
  }
  track.addEventListener("pointerup", (event) => release(event, value));
  track.addEventListener("pointercancel", (event) => release(event, grab ? grab.before : value)); // the page scrolls

  // -- keys -------------------------------------------------------------------------------------------------------------
  const moves = {
    ArrowRight: () => value + spec.step,
    ArrowLeft: () => value - spec.step,
    PageUp: () => value + PAGE_STEPS * spec.step,
    PageDown: () => value - PAGE_STEPS * spec.step,
    Home: () => spec.low,
    End: () => spec.high,
  };
  let pressed = false; // a key moves the row, and its release is still to come

  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      pressed = spec.enabled;
      set(snapped(spec, move()), false);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") act.walk(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter") exact.focus();
    else if (event.key === "Delete" || event.key === "Backspace") {
      if (spec.home !== null) set(spec.home, true);
    } else if (MENU_KEYS.has(event.key)) toggle(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  function onKeyUp() {
    if (pressed) set(value, true);
    pressed = false;
  }
  handle.addEventListener("keydown", onKeyDown);
  handle.addEventListener("keyup", onKeyUp);
  handle.addEventListener("blur", onKeyUp);
  handle.addEventListener("focus", () => act.focused());

  // -- exact value, reset, more ----------------------------------------------------------------------------------------
  function accept() {
    const typed = parsed(exact.value, spec.unit);
    const next = spec.open_ended ? typed : Math.min(spec.high, Math.max(spec.low, typed));
    if (Number.isFinite(next) && next !== value && exact.value !== written(value)) set(next, true);
    exact.value = written(value);
  }
  exact.addEventListener("focus", () => exact.select());
  exact.addEventListener("blur", accept);
  exact.addEventListener("keydown", (event) => {
    if (event.key === "Escape") exact.value = written(value);
    else if (event.key !== "Enter") return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
    handle.focus();
  });
  reset.addEventListener("click", () => {
    set(spec.home, true);
    handle.focus();
  });
  function toggle(byKey = false) {
    if (open.hidden) return;
    if (!more) {
      more = createMore(spec, { ...act, close: () => toggle(true) });
      root.append(more.root);
    } else more.root.hidden = !more.root.hidden;
    open.setAttribute("aria-expanded", String(!more.root.hidden));
    if (!byKey) return;
    if (more.root.hidden) handle.focus();
    else more.root.querySelector("select, input, button").focus();
  }
  open.addEventListener("click", () => toggle());

  describe(spec);
  show(spec.home ?? spec.low);
  return {
    root,
    handle,
    describe,
    show,
    value: () => value,
    held: () => grab !== null || pressed,
    reachable: (whether) => handle.setAttribute("tabindex", whether ? "0" : "-1"),
    close() {
      if (url) URL.revokeObjectURL(url);
      root.remove();
    },
  };
}

// What stands behind "⋯": the layers that the row acts on, its name, and its removal.
function createMore(spec, act) {
  const root = element("div", "sw-row-more", { role: "group" });
  const menu = element("select", "sw-row-layers");
  const first = element("input", "sw-row-end", { type: "number", min: "0" });
  const last = element("input", "sw-row-end", { type: "number", min: "0" });
  const ends = element("span", "sw-row-ends", {}, first, "\u2013", last);
  const name = element("input", "sw-row-name", { type: "text" });
  const remove = element("button", "sw-row-button sw-row-remove", { type: "button" }, "Remove");
  const named = (text, node) => element("label", "sw-row-field", {}, text, node);
  const layers = element("span", "sw-row-field", {}, named("Layers", menu), ends);
  const naming = named("Name", name);
  root.append(layers, naming, remove);
  let made = "";

  function describe(next) {
    spec = next;
    root.setAttribute("aria-label", `More of ${spec.label}`);
    layers.hidden = !spec.num_layers;
    naming.hidden = !spec.renames;
    remove.hidden = !spec.removes;
    remove.setAttribute("aria-label", `Remove ${spec.label}`);
    if (name !== name.getRootNode().activeElement) name.value = spec.label;
    const ranges = Object.entries(spec.ranges);
    if (made !== JSON.stringify(ranges)) {
      made = JSON.stringify(ranges);
      const option = (value, text) => element("option", "", { value }, text);
      const usual = ranges.map(([key, [from, to]]) => option(key, `${key} (${from}\u2013${to - 1})`));
      menu.replaceChildren(option("all", "all"), ...usual, option("", "from\u2013to"));
    }
    const range = spec.layers;
    const same = ranges.find(([, [from, to]]) => range && from === range[0] && to === range[1]);
    menu.value = !range ? "all" : same ? same[0] : "";
    ends.hidden = menu.value !== "";
    first.max = last.max = spec.num_layers - 1;
    first.value = range ? range[0] : 0;
    last.value = range ? range[1] - 1 : spec.num_layers - 1;
    first.setAttribute("aria-label", `First layer of ${spec.label}`);
    last.setAttribute("aria-label", `Last layer of ${spec.label}`);
  }

  menu.addEventListener("change", () => {
    ends.hidden = menu.value !== "";
    if (menu.value === "all") act.layers(null);
    else if (menu.value !== "") act.layers(spec.ranges[menu.value]);
  });
  function onEnds() {
    const limit = (text) => Math.min(spec.num_layers - 1, Math.max(0, Math.round(Number(text)) || 0));
    const [from, to] = [limit(first.value), limit(last.value)];
    act.layers([Math.min(from, to), Math.max(from, to) + 1]);
  }
  first.addEventListener("change", onEnds);
  last.addEventListener("change", onEnds);
  name.addEventListener("change", () => name.value.trim() && name.value !== spec.label && act.rename(name.value));
  remove.addEventListener("click", () => act.remove());
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") act.close();
  });
  describe(spec);
  return { root, describe };
}
