import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createClock, createModel, load } from "./page.js";

let clock, model, send;

beforeEach(async () => {
  clock = createClock();
  model = createModel();
  const { createSender } = await load(["grid_view.js"], ["createSender"], clock.globals);
  send = createSender(model);
});

test("while one is unanswered only the newest of its kind waits", () => {
  for (const stroke of [1, 2, 3]) send({ type: "mask", stroke });
  assert.deepEqual(model.messages().map(({ stroke }) => stroke), [1]);
  model.answer(0);
  assert.deepEqual(model.messages().map(({ stroke }) => stroke), [1, 3]);
});

test("messages of another kind do not wait", () => {
  send({ type: "mask" });
  send({ type: "near" });
  assert.deepEqual(model.messages().map(({ type }) => type), ["mask", "near"]);
});

test("after an answer with nothing waiting the next goes at once", () => {
  send({ type: "near", place: [0, 0] });
  model.answer(0);
  send({ type: "near", place: [0, 1] });
  assert.equal(model.sent.length, 2);
});

test("a host that reports no answers is waited for 400 ms, once", () => {
  send({ type: "near", place: [0, 0] });
  send({ type: "near", place: [0, 1] });
  clock.advance(400);
  assert.equal(model.sent.length, 2);
  model.answer(0);
  send({ type: "near", place: [0, 2] });
  assert.equal(model.sent.length, 2, "a late answer to the first is none to the second");
});
