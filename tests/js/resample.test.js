import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

const { lanczosWeights, enlargeLines } = await load(["resample.js"], ["lanczosWeights", "enlargeLines"]);

const near = (found, wanted, most = 1e-4) => assert.ok(Math.abs(found - wanted) <= most, `${found} is not ${wanted}`);

// Both axes, as a draw does it; returns the pixel at (row, column) as [r, g, b, a].
function enlarge(pixels, width, height, factor) {
  const weights = lanczosWeights(factor);
  const between = new Float32Array(4 * width * height * factor);
  const result = new Float32Array(between.length * factor);
  enlargeLines(pixels, between, width, height, weights);
  enlargeLines(between, result, height, width * factor, weights);
  return (row, column) => [...result.subarray(4 * (row * width * factor + column)).subarray(0, 4)];
}

function picture(width, height, colour) {
  const pixels = new Float32Array(4 * width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set([...colour(x, y), 255], 4 * (y * width + x));
  return pixels;
}

for (const factor of [2, 3, 4, 6]) {
  test(`the six weights of each of ${factor} phases sum to one and mirror each other`, () => {
    const weights = lanczosWeights(factor);
    assert.equal(weights.length, factor);
    weights.forEach(({ first, taps }, phase) => {
      assert.equal(taps.length, 6);
      near(taps.reduce((sum, value) => sum + value), 1, 1e-12);
      const other = weights[factor - 1 - phase];
      for (let place = -3; place <= 3; place++) near(taps[place - first] ?? 0, other.taps[-place - other.first] ?? 0, 1e-9);
    });
  });
}

test("the weights are sinc(x) sinc(x / 3), computed elsewhere", () => {
  const [{ first, taps }] = lanczosWeights(2);
  assert.equal(first, -3);
  [0.00738, -0.068, 0.27101, 0.89277, -0.13327, 0.03011].forEach((wanted, tap) => near(taps[tap], wanted, 1e-5));
});

test("one colour stays this colour, up to the edges", () => {
  const at = enlarge(picture(5, 4, () => [200, 10, 90]), 5, 4, 3);
  for (const [row, column] of [[0, 0], [11, 14], [6, 7], [0, 14]]) {
    [200, 10, 90, 255].forEach((value, channel) => near(at(row, column)[channel], value));
  }
});

test("an enlarged picture is upright: red grows to the right and green downwards", () => {
  const at = enlarge(picture(12, 10, (x, y) => [10 * x, 20 * y, 0]), 12, 10, 2);
  for (const [row, column] of [[8, 8], [9, 13], [12, 10]]) {
    const [red, green, blue] = at(row, column);
    near(red, 10 * ((column + 0.5) / 2 - 0.5), 0.3);
    near(green, 20 * ((row + 0.5) / 2 - 0.5), 0.6);
    assert.equal(blue, 0);
  }
});

function createPage() {
  const calls = [];
  const made = [];
  const createContext = () => {
    const canvas = { width: 0, height: 0 };
    const context = {
      canvas,
      drawImage: (...given) => calls.push(given),
      getImageData: (x, y, width, height) => ({ data: new Uint8ClampedArray(4 * width * height) }),
      putImageData: (image) => made.push([image.width, image.height]),
    };
    canvas.getContext = () => context;
    return context;
  };
  class ImageData {
    constructor(width, height) {
      Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
    }
  }
  return { made, createContext, globals: { document: { createElement: () => createContext().canvas }, ImageData } };
}

for (const [side, place, smoothing, sizes] of [
  [64, 384, "smooth", [[256, 256]]], // never over 256 px: the browser does the rest
  [64, 100, "smooth", [[128, 128]]],
  [64, 64, "smooth", []],
  [64, 384, "pixels", []],
  [256, 384, "smooth", []],
]) {
  test(`a picture of ${side} px in ${place} px, ${smoothing}, is enlarged to ${JSON.stringify(sizes)}`, async () => {
    const page = createPage();
    const { createResampler } = await load(["resample.js"], ["createResampler"], page.globals);
    const draw = createResampler();
    const source = { width: side, height: side };
    draw(page.createContext(), source, place, place, smoothing);
    draw(page.createContext(), source, place, place, smoothing);
    assert.deepEqual(page.made, sizes, "and only once for the same picture");
    draw(page.createContext(), { ...source }, place, place, smoothing);
    assert.equal(page.made.length, 2 * sizes.length, "another picture of the same size is another");
  });
}
