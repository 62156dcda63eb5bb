import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createClock, createModel, load } from "./page.js";

let clock, model, made, hub, view;

beforeEach(async () => {
  clock = createClock();
  model = createModel({ state: { values: { smile: 0, age: 30 }, seen: {} }, rows: [] });
  const names = ["createRequests", "createRowsHub", "LIVE", "digitsOf", "snapped", "parsed"];
  made = await load(["live.js", "requests.js", "row.js", "rows.js"], names, clock.globals);
  for (const known of [made.LIVE.pictures, made.LIVE.requests]) known.clear();
  hub = made.createRowsHub(model);
  view = { shown: [], held: () => false, show: (key, value) => view.shown.push([key, value]), busy: (now) => (view.waits = now) };
  hub.add(view);
});

const sets = () => model.messages("set").map(({ key, value, rest }) => [key, value, rest]);

test("two wishes are on their way and of the others only the newest waits", () => {
  for (const value of [1, 2, 3, 4, 5]) hub.set("smile", value, false);
  assert.deepEqual(sets(), [["smile", 1, false], ["smile", 2, false]]);
  model.answer(0);
  assert.deepEqual(sets().at(-1), ["smile", 5, false]);
  model.answer(1);
  model.answer(2);
  assert.equal(sets().length, 3);
});

test("each row keeps its newest wish, and the one that moves now comes last", () => {
  hub.set("smile", 1, false);
  hub.set("smile", 2, false);
  hub.set("age", 40, false);
  hub.set("smile", 3, false);
  hub.set("age", 41, true);
  model.answer(0);
  model.answer(1);
  assert.deepEqual(sets().slice(2), [["smile", 3, false], ["age", 41, true]]);
});

test("numbers grow, and the page has a name of its own", () => {
  hub.set("smile", 1, false);
  hub.set("age", 2, false);
  const [a, b] = model.messages("set");
  assert.ok(b.number > a.number && a.page === b.page && a.page.length >= 4);
});

test("a wish takes the acknowledgements of the page along, and the last one asks for pictures in full", () => {
  let rested = 0;
  const acks = [7, null];
  made.LIVE.pictures.set("picture", { takeAck: () => acks.shift() ?? null, rest: () => (rested += 1) });
  hub.set("smile", 1, false);
  hub.set("smile", 2, true);
  const [first, last] = model.messages("set");
  assert.deepEqual([first.acks, first.settle, last.acks, last.settle], [{ picture: 7 }, undefined, {}, ["picture"]]);
  assert.equal(rested, 1);
});

test("what the kernel says moves a row that nobody holds", () => {
  model.change("state", { values: { smile: 1.5, age: 30 }, seen: {} });
  assert.deepEqual(view.shown.at(-1), ["smile", 1.5]);
  assert.equal(hub.value("smile"), 1.5);
});

test("what the kernel says of a row is not taken while a newer wish for it is on its way", () => {
  hub.set("smile", 2, false, view);
  model.change("state", { values: { smile: 0.5, age: 50 }, seen: {} });
  assert.equal(hub.value("smile"), 2);
  assert.equal(hub.value("age"), 50);
  const { page, number } = model.messages("set")[0];
  model.change("state", { values: { smile: 1.75, age: 50 }, seen: { [page]: { smile: number } } });
  assert.equal(hub.value("smile"), 1.75, "the owner has seen the wish and decided otherwise");
});

test("a row under a hand does not move away from it", () => {
  view.held = (key) => key === "smile";
  model.change("state", { values: { smile: 3, age: 31 }, seen: {} });
  assert.equal(hub.value("smile"), 0);
  assert.equal(hub.value("age"), 31);
});

test("a host that never tells the kernel's status is taken to have answered after 400 ms", () => {
  for (const value of [1, 2, 3]) hub.set("smile", value, false);
  clock.advance(400);
  assert.deepEqual(sets().at(-1), ["smile", 3, false]);
});

test("a host that does is waited for, and the page says so after a while", () => {
  hub.set("smile", 1, false);
  model.answer(0);
  for (const value of [2, 3, 4]) hub.set("smile", value, false);
  clock.advance(2400);
  assert.equal(view.waits, undefined);
  clock.advance(100);
  assert.equal(view.waits, true);
  assert.equal(sets().length, 3, "no queue grows in a busy kernel");
  model.answer(1);
  assert.equal(view.waits, false);
  assert.deepEqual(sets().at(-1), ["smile", 4, false]);
});

test("what is on its way is known to the pictures of the page", () => {
  const [requests] = [...made.LIVE.requests];
  assert.ok(requests.quiet());
  hub.set("smile", 1, false);
  assert.ok(!requests.quiet());
  model.answer(0);
  assert.ok(requests.quiet());
});

test("a closed hub listens to nothing", () => {
  hub.set("smile", 1, false);
  hub.close();
  assert.equal(model.listeners() + made.LIVE.requests.size, 0);
});

test("values lie on the grid that begins at the lower end, within the ends", () => {
  const spec = { low: -5, high: 5, step: 0.05 };
  assert.equal(made.snapped(spec, 0.123), 0.1);
  assert.equal(made.snapped(spec, 0.15000000000000002), 0.15);
  assert.equal(made.snapped(spec, 99), 5);
  assert.equal(made.snapped({ low: 0, high: 90, step: 1 }, 33.4), 33);
  assert.deepEqual([0.05, 1, 0.5, 1e-7].map(made.digitsOf), [2, 0, 1, 6]);
});

test("numbers are read as people write them", () => {
  assert.equal(made.parsed(" \u22121,5 "), -1.5);
  assert.equal(made.parsed("20\u00b0", "\u00b0"), 20);
  assert.ok(Number.isNaN(made.parsed("")) && Number.isNaN(made.parsed("far")));
});
