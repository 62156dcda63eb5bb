import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

// As much of an element as the script asks for; `found` is what its queries find, by the beginning of the selector.
function fake({ attributes = {}, found = {}, around = {}, classes = [], ...more } = {}) {
  return {
    attributes,
    getAttribute: (name) => attributes[name] ?? null,
    setAttribute: (name, value) => (attributes[name] = value),
    querySelector: (selector) => found[selector]?.[0] ?? null,
    querySelectorAll: (selector) => found[selector] ?? [],
    closest: (selector) => around[selector] ?? null,
    classList: { contains: (name) => classes.includes(name) },
    ...more,
  };
}

const control = (label) => fake({ found: { ".widget-label": [{ textContent: ` ${label} ` }] } });
const nameControls = (await load(["names.js"], ["nameControls"])).nameControls;

test("the handle of a slider is named by the words beside it, two handles by their ends, too", () => {
  const one = fake({ around: { ".jupyter-widgets": control("ψ") } });
  const pair = ["a", "b"].map(() => fake({ around: { ".jupyter-widgets": control("layers") } }));
  const bars = [fake({ found: { ".noUi-handle": [one] } }), fake({ found: { ".noUi-handle": pair } })];
  nameControls(fake({ found: { ".noUi-base": bars } }));
  const names = [one, ...pair].map((handle) => handle.attributes["aria-label"]);
  assert.deepEqual(names, ["ψ", "layers, from", "layers, to"]);
});

test("a handle without words takes its tooltip, and one without either stays as it is", () => {
  const tipped = fake({ around: { ".jupyter-widgets": fake({ around: { "[title]": { title: "how strong" } } }) } });
  const bare = fake();
  nameControls(fake({ found: { ".noUi-base": [tipped, bare].map((it) => fake({ found: { ".noUi-handle": [it] } })) } }));
  assert.equal(tipped.attributes["aria-label"], "how strong");
  assert.equal("aria-label" in bare.attributes, false);
});

test("the pictures on the buttons of Play become words", () => {
  const buttons = [fake(), fake()];
  const icons = ["fa-play", "fa-retweet"].map((name, k) => fake({ classes: [name], around: { button: buttons[k] } }));
  nameControls(fake({ found: { ".widget-play button i": icons } }));
  assert.deepEqual(buttons.map((node) => node.attributes["aria-label"]), ["play", "repeat"]);
});

test("a menu keeps the keys that choose in it, and leaves the others to the notebook", async () => {
  const { keepKeys } = await load(["names.js", "tab_bar.js"], ["keepKeys"]);
  const heard = (key, inside, more = {}) => {
    let kept = false;
    const target = fake({ around: inside ? { ".sw-explorer select": {} } : {} });
    keepKeys({ key, target, stopPropagation: () => (kept = true), ...more });
    return kept;
  };
  assert.deepEqual(["ArrowDown", "a", "Tab", "Escape"].map((key) => heard(key, true)), [true, true, false, false]);
  assert.equal(heard("ArrowDown", false), false);
  assert.equal(heard("s", true, { ctrlKey: true }), false);
});
