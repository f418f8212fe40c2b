import assert from "node:assert/strict";
import { test } from "node:test";
import { between } from "../src/growing";

test("a stretch holds both ends, whichever was ticked first", () => {
  const beds = ["1", "2", "3", "4"];
  assert.deepEqual(between(beds, "2", "4"), ["2", "3", "4"]);
  assert.deepEqual(between(beds, "4", "2"), ["2", "3", "4"]);
  assert.deepEqual(between(beds, "3", "3"), ["3"]);
});
