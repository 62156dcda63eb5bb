import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createClock, createEvents, createModel, load, settled } from "./page.js";

let clock, model, page, hub, view, decoding, LIVE;

// Bitmaps are decoded when the test says so, in any order.
function createImageBitmap(blob) {
  const bitmap = { closed: false, close: () => (bitmap.closed = true) };
  return new Promise((resolve, reject) => decoding.push({ blob, bitmap, resolve, reject }));
}

beforeEach(async () => {
  clock = createClock();
  page = { ...createEvents(), hidden: false };
  model = createModel({ frame: null, compare: null, info: {}, mime: "image/png", key: "key" });
  decoding = [];
  const globals = { ...clock.globals, document: page, createImageBitmap };
  const made = await load(["live.js", "resample.js", "input.js", "view.js"], ["createHub", "LIVE"], globals);
  LIVE = made.LIVE;
  for (const known of [LIVE.pictures, LIVE.requests]) known.clear();
  hub = made.createHub(model);
  view = { visible: false, drawn: 0, draw: () => view.drawn++, refresh() {} };
  hub.add(view);
});

const frame = (index, more = {}) =>
  model.trigger("msg:custom", { type: "frame", index, mime: "image/jpeg", ...more }, [new Uint8Array(4)]);
async function decoded(place) {
  decoding[place].resolve(decoding[place].bitmap);
  await settled();
}

const owed = () => LIVE.pictures.get("key").takeAck();

test("a frame waits with its acknowledgement for a message that takes it along", async () => {
  frame(7);
  await decoded(0);
  clock.frame();
  assert.equal(view.drawn, 1);
  assert.deepEqual(model.messages("ack"), []);
  assert.equal(owed(), 7);
  assert.equal(owed(), null);
});

test("two frames that nothing took along are acknowledged together, when the second is painted", async () => {
  for (const index of [1, 2]) {
    frame(index);
    await decoded(index - 1);
    clock.frame();
  }
  assert.deepEqual(model.messages("ack"), [{ type: "ack", index: 2 }]);
  assert.equal(owed(), null);
});

test("a frame that came counts as arrived while it is decoded, two do not", async () => {
  frame(1);
  assert.equal(owed(), 1);
  frame(2);
  assert.equal(owed(), null);
  await decoded(0);
  assert.equal(owed(), 2);
});

test("the question for the picture in full takes the acknowledgement along", async () => {
  frame(4);
  await decoded(0);
  clock.frame();
  clock.advance(120);
  assert.deepEqual(model.messages(), [{ type: "settle", acks: { key: 4 } }]);
});

test("nothing rests while a wish is on its way", async () => {
  const wish = { quiet: () => false };
  LIVE.requests.add(wish);
  frame(1);
  await decoded(0);
  clock.frame();
  clock.advance(1000);
  assert.deepEqual(model.messages("settle"), []);
  LIVE.requests.delete(wish);
  clock.advance(1000);
  assert.equal(model.messages("settle").length, 1);
});

test("a moving picture is enlarged in the quickest way, and once in the best when it rests", async () => {
  model.change("info", {});
  frame(1);
  await decoded(0);
  clock.frame();
  assert.equal(hub.picture().fine, false);
  hub.picture().final = true; // it cannot be improved, so no other will come
  clock.advance(120);
  assert.equal(hub.picture().fine, true);
  assert.equal(view.drawn, 2);
});

test("when another view asks for the picture in full, this one does not, and takes the last final frame for it", async () => {
  frame(1);
  await decoded(0);
  clock.frame();
  LIVE.pictures.get("key").rest();
  clock.advance(200);
  assert.deepEqual(model.messages("settle"), []);
  clock.advance(1000);
  assert.equal(model.messages("settle").length, 1, "unless none came");
});

test("a frame that is decoded after a newer one is dropped", async () => {
  frame(1);
  frame(2);
  await decoded(1);
  await decoded(0);
  clock.frame();
  assert.ok(decoding[0].bitmap.closed);
  assert.deepEqual(model.messages("ack").map(({ index }) => index), [2]);
});

test("of two frames within one animation frame the newer is painted and the older freed", async () => {
  frame(1);
  frame(2);
  await decoded(0);
  await decoded(1);
  clock.frame();
  assert.equal(view.drawn, 1);
  assert.ok(decoding[0].bitmap.closed && !decoding[1].bitmap.closed);
  assert.equal(hub.picture().index, 2);
});

test("a frame that cannot be decoded is acknowledged as failed, so that nobody waits for it", async (context) => {
  context.mock.method(console, "warn", () => {});
  frame(3);
  decoding[0].reject(new Error("not a picture"));
  await settled();
  assert.deepEqual(model.messages("ack"), [{ type: "ack", index: 3, failed: true }]);
});

test("the picture of a saved notebook is painted and not acknowledged", async () => {
  const saved = createModel({ frame: new Uint8Array(4), compare: null, info: { width: 8, height: 8 }, mime: "image/png" });
  const globals = { ...clock.globals, document: page, createImageBitmap };
  const { createHub } = await load(["live.js", "resample.js", "input.js", "view.js"], ["createHub"], globals);
  const other = createHub(saved);
  await decoded(0);
  clock.frame();
  assert.ok(other.picture());
  assert.deepEqual(saved.sent, []);
});

test("rest is told once, 120 ms after the last frame", async () => {
  frame(1);
  await decoded(0);
  clock.frame();
  clock.advance(119);
  assert.deepEqual(model.messages("settle"), []);
  clock.advance(1);
  clock.advance(5000);
  assert.equal(model.messages("settle").length, 1);
});

test("a frame that comes meanwhile puts rest off", async () => {
  frame(1);
  await decoded(0);
  clock.frame();
  clock.advance(100);
  frame(2);
  clock.advance(100);
  assert.deepEqual(model.messages("settle"), []);
});

test("after a release rest is told at once", async () => {
  frame(1);
  await decoded(0);
  clock.frame();
  page.fire("pointerup");
  clock.advance(30);
  assert.equal(model.messages("settle").length, 1);
});

test("the settled picture asks for no other", async () => {
  frame(1, { settled: true });
  await decoded(0);
  clock.frame();
  clock.advance(5000);
  assert.deepEqual(model.messages("settle"), []);
});

test("a hidden page, which gets no animation frames, paints all the same", async () => {
  page.hidden = true;
  frame(1);
  await decoded(0);
  clock.advance(0);
  assert.equal(view.drawn, 1);
});

test("whether it is seen is told when it changes", () => {
  view.visible = true;
  hub.tellVisible();
  hub.tellVisible();
  page.hidden = true;
  page.fire("visibilitychange");
  assert.deepEqual(model.messages("visible").map(({ value }) => value), [true, false]);
});

test("a closed hub listens to nothing and keeps no picture", async () => {
  frame(1);
  await decoded(0);
  clock.frame();
  hub.close();
  assert.equal(model.listeners() + page.count(), 0);
  assert.ok(decoding[0].bitmap.closed);
  clock.advance(5000);
  assert.deepEqual(model.messages("settle"), []);
});
