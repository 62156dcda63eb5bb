// What the tests need of a page: the scripts of the package as modules, a clock that is turned by hand, a model that
// remembers what it is sent. Nothing to build and nothing to install; node alone.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../stylewidgets", import.meta.url));
let loaded = 0;

function find(file, folder = PACKAGE) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name === file) return path;
    const inside = entry.isDirectory() ? find(file, path) : null;
    if (inside) return inside;
  }
  return null;
}

// Imports scripts, joined as the widget joins them, and returns what they call `names`. `page` holds what takes the
// place of the browser's globals, for these scripts only.
export function load(files, names, page = {}) {
  const key = `page${++loaded}`;
  globalThis[key] = page;
  const sources = files.map((file) => readFileSync(find(file), "utf8"));
  const globals = `const { ${Object.keys(page).join(", ")} } = globalThis.${key};`;
  const text = [globals, ...sources, `export { ${names.join(", ")} };`].join("\n");
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}

// Time that passes only when it is told to.
export function createClock() {
  let now = 0;
  let next = 1;
  const timers = new Map(); // id -> [due, work]
  let frames = [];

  function advance(ms) {
    const end = now + ms;
    for (;;) {
      const due = [...timers].filter(([, [at]]) => at <= end).sort((a, b) => a[1][0] - b[1][0] || a[0] - b[0])[0];
      if (!due) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1][0]);
      due[1][1]();
    }
    now = end;
  }

  return {
    advance,
    frame() {
      const waiting = frames;
      frames = [];
      for (const work of waiting) work(now);
    },
    globals: {
      performance: { now: () => now },
      requestAnimationFrame: (work) => frames.push(work),
      setTimeout(work, ms) {
        timers.set(next, [now + ms, work]);
        return next++;
      },
      clearTimeout: (id) => timers.delete(id),
    },
  };
}

// The front end's half of a widget. `sent` are the messages to the kernel, with the callbacks they came with.
export function createModel(traits = {}) {
  const handlers = new Map();
  const sent = [];
  return {
    sent,
    get: (name) => traits[name],
    on: (name, handler) => handlers.set(name, [...(handlers.get(name) ?? []), handler]),
    off: (name, handler) => handlers.set(name, (handlers.get(name) ?? []).filter((one) => one !== handler)),
    send: (message, callbacks) => sent.push({ message, callbacks }),
    messages: (type) => sent.map(({ message }) => message).filter((message) => !type || message.type === type),
    trigger: (name, ...given) => (handlers.get(name) ?? []).forEach((handler) => handler(...given)),
    change(name, value) {
      traits[name] = value;
      this.trigger(`change:${name}`);
    },
    listeners: () => [...handlers.values()].flat().length,
    // The kernel has done what the message asked for.
    answer: (place) => sent[place].callbacks.iopub.status({ content: { execution_state: "idle" } }),
  };
}

// An event target: `listen` as the scripts have it, `fire` for the test.
export function createEvents() {
  const handlers = new Map();
  return {
    listen: (target, name, handler) => handlers.set(name, handler),
    addEventListener: (name, handler) => handlers.set(name, handler),
    removeEventListener: (name) => handlers.delete(name),
    fire: (name, event = {}) => handlers.get(name)?.(event),
    count: () => handlers.size,
  };
}

// Lets promises that are due come to their end.
export const settled = () => new Promise((done) => setImmediate(done));
