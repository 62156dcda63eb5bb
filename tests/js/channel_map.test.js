import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { createModel, load } from "./page.js";

const names = ["createGeometry", "extreme", "colours", "PALETTES", "STEPS"];
const { createGeometry, extreme, colours, PALETTES, STEPS } = await load(["channel_map.js"], names);

const LAYERS = [512, 512, 64, 3].map((channels, number) => ({ name: `layer ${number}`, channels }));
let model, geometry;

beforeEach(() => {
  model = createModel({ layers: LAYERS, values: null });
  geometry = createGeometry(model);
  geometry.width = 600;
  geometry.read();
  geometry.settle();
});

test("a channel is found again at its place, at any zoom", () => {
  for (const factor of [1, 3, 1000]) {
    geometry.zoomAt(factor, 300);
    for (const flat of [0, 511, 512, 1023, 1024, 1087, 1090]) {
      geometry.reveal(flat);
      const [x, y, width, height] = geometry.box(flat);
      assert.equal(geometry.at(x + width / 2, y + height / 2), flat);
    }
  }
});

test("a channel is named by its layer and its number there", () => {
  assert.deepEqual([0, 511, 512, 1088].map(geometry.name), ["0_0", "0_511", "1_0", "3_0"]);
});

test("beside the rows there is no channel", () => {
  const beside = [[geometry.gutter() - 1, 5], [300, -1], [300, 4 * geometry.rowHeight()], [599, 3 * geometry.rowHeight()]];
  assert.deepEqual(beside.map(([x, y]) => geometry.at(x, y)), [-1, -1, -1, -1]);
});

test("zooming keeps the channel under the pointer and ends at whole rows and large cells", () => {
  geometry.zoomAt(4, 350);
  const before = geometry.at(350, 5);
  geometry.zoomAt(1.5, 350);
  assert.equal(geometry.at(350, 5), before);
  geometry.zoomAt(1e9, 350);
  assert.ok(Math.abs(geometry.cell() - 28) < 1e-9);
  geometry.zoomAt(0, 350);
  assert.deepEqual([geometry.zoom, geometry.first], [1, 0]);
});

test("panning stops at the ends", () => {
  geometry.zoomAt(4, 300);
  geometry.pan(1e6);
  assert.equal(geometry.first, 0);
  geometry.pan(-1e6);
  assert.ok(Math.abs(geometry.first + geometry.area() / geometry.cell() - 512) < 1e-9);
});

test("values are read from the buffer where it lies, and only with the right number of them", () => {
  const all = new Float32Array(1092).map((_, place) => place);
  model.change("values", new DataView(all.buffer, 4, 4 * 1091));
  geometry.read();
  assert.deepEqual([geometry.values[0], geometry.values.length], [1, 1091]);
  model.change("values", new DataView(all.buffer, 0, 8));
  geometry.read();
  assert.equal(geometry.values, null);
});

test("of several channels under one pixel the one that stands out is shown; what is unknown never is", () => {
  assert.equal(extreme([0.1, -3, 2], 0, 3, 0), -3);
  assert.equal(extreme([NaN, 0.5, NaN], 0, 3, 0), 0.5);
  assert.equal(extreme([0, 1, 9], 0, 2, 0), 1);
  assert.ok(Number.isNaN(extreme([NaN], 0, 1, 0)));
});

test("a table of colours runs from the first stop to the last", () => {
  const table = colours(PALETTES.sequential);
  assert.equal(table.length, STEPS);
  assert.deepEqual([table[0], table[STEPS - 1]], ["rgb(27,20,54)", "rgb(253,230,162)"]);
});
