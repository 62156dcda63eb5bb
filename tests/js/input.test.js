import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createClock, createEvents, createModel, load } from "./page.js";

let clock, model, canvas, input;

beforeEach(async () => {
  clock = createClock();
  model = createModel({ interactive: true });
  canvas = createEvents();
  const box = { left: 100, top: 50, width: 200, height: 100 };
  const element = {
    getBoundingClientRect: () => box,
    setPointerCapture: () => {},
    getRootNode: () => ({ activeElement: element }),
  };
  const { createInput } = await load(["input.js"], ["createInput"], clock.globals);
  input = createInput(model, { canvas: element }, canvas.listen);
});

const at = (x, y, more = {}) => ({ clientX: x, clientY: y, buttons: 1, pointerId: 4, preventDefault() {}, ...more });
const move = (x) => canvas.fire("pointermove", at(x, 50));
const names = () => model.messages().map((message) => message.event);

test("a place is told in shares of the picture, with the keys that are held", () => {
  canvas.fire("pointermove", at(150, 125, { shiftKey: true, altKey: true }));
  clock.frame();
  assert.deepEqual(model.messages(), [
    { type: "pointer", event: "move", x: 0.25, y: 0.75, buttons: 1, id: 4, keys: ["shift", "alt"] },
  ]);
});

test("moves within one animation frame are one message, the newest", () => {
  for (const x of [110, 120, 130]) move(x);
  assert.deepEqual(model.messages(), []);
  clock.frame();
  assert.deepEqual(model.messages().map(({ x }) => x), [0.15]);
});

test("turns of the wheel within one frame add up", () => {
  for (const deltaY of [3, 4, 5]) canvas.fire("wheel", at(150, 75, { deltaX: 1, deltaY }));
  clock.frame();
  assert.deepEqual(model.messages().map(({ dx, dy }) => [dx, dy]), [[3, 12]]);
});

test("press, move and release keep their order and are never merged", () => {
  move(110);
  canvas.fire("pointerdown", at(120, 50));
  move(130);
  canvas.fire("pointerup", at(130, 50, { buttons: 0 }));
  clock.frame();
  model.answer(0);
  model.answer(1);
  clock.frame();
  assert.deepEqual(names(), ["move", "down", "move", "up"]);
});

test("moves wait while two messages are unanswered and the newest goes with the next answer", () => {
  for (const x of [110, 120, 130, 140]) {
    move(x);
    clock.frame();
  }
  assert.equal(model.sent.length, 2);
  model.answer(0);
  clock.frame();
  assert.deepEqual(model.messages().map(({ x }) => x), [0.05, 0.1, 0.2]);
});

test("a second report of the same answer frees no second place", () => {
  for (const x of [110, 120, 130]) {
    move(x);
    clock.frame();
  }
  model.answer(0);
  model.answer(0);
  clock.frame();
  move(140);
  clock.frame();
  assert.equal(model.sent.length, 3);
});

test("a host that reports no answers is waited for 400 ms", () => {
  for (const x of [110, 120, 130]) {
    move(x);
    clock.frame();
  }
  clock.advance(399);
  clock.frame();
  assert.equal(model.sent.length, 2);
  clock.advance(1);
  clock.frame();
  assert.equal(model.sent.length, 3);
});

test("a held key goes as fast as the kernel, a pressed one at once", () => {
  input.key("ArrowRight", false);
  input.key("ArrowRight", true);
  assert.equal(model.sent.length, 1);
  model.answer(0);
  input.key("ArrowRight", true);
  input.key("z", false);
  assert.deepEqual(model.messages().map(({ key }) => key), ["ArrowRight", "ArrowRight", "z"]);
});

test("a view that is not interactive sends nothing", () => {
  model.change("interactive", false);
  move(110);
  canvas.fire("pointerdown", at(110, 50));
  canvas.fire("wheel", at(110, 50, { deltaX: 0, deltaY: 1 }));
  clock.frame();
  assert.deepEqual(model.sent, []);
});
