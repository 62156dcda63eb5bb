import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./page.js";

test("figures of runs are shown with three digits, whole numbers and words as they are", async () => {
  const { words } = await load(["run_table.js"], ["words"]);
  assert.deepEqual([0.123456, 1234.5, 12, "e4e", null, undefined].map(words), ["0.123", "1235", "12", "e4e", "", ""]);
});

test("a camera that does not open is explained", async () => {
  const { reason } = await load(["camera.js"], ["reason"]);
  assert.match(reason({ name: "NotAllowedError" }), /not allowed/);
  assert.match(reason({ name: "NotFoundError" }), /no camera/);
  assert.match(reason({ name: "AbortError", message: "" }), /AbortError/);
});
