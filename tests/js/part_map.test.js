import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

const page = { document: { createElement: () => ({}) } };

async function regions(labels, size) {
  const { createRegions } = await load(["part_map.js"], ["createRegions"], page);
  const made = createRegions();
  const bytes = Uint8Array.from(labels);
  made.read(new DataView(bytes.buffer), size);
  return made;
}

test("a place of the picture belongs to the region that the map has there", async () => {
  const made = await regions([0, 1, 2, 2, 255, 1], [2, 3]); // two rows of three
  assert.equal(made.at(0.1, 0.1), 0);
  assert.equal(made.at(0.5, 0.4), 1);
  assert.equal(made.at(0.99, 0.99), 1);
  assert.equal(made.at(0.5, 0.6), 255);
});

test("the edge of the picture is in it", async () => {
  const made = await regions([0, 1, 2, 3], [2, 2]);
  assert.equal(made.at(1, 1), 3);
  assert.equal(made.at(1, 0), 1);
});

test("a map of another size than it says is no map", async () => {
  const made = await regions([0, 1, 2], [2, 2]);
  assert.equal(made.known(), false);
  assert.equal(made.at(0.5, 0.5), 255);
});

test("no map is nothing known", async () => {
  const { createRegions } = await load(["part_map.js"], ["createRegions"], page);
  const made = createRegions();
  made.read(null, [1, 1]);
  assert.equal(made.known(), false);
});
