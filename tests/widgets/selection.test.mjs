import assert from "node:assert/strict";
import { test } from "node:test";
import { howOf, isChosen, select } from "../../nbserver/widgets/js/selection.js";

const ORDER = [5, 3, 1, 4, 2];

/** The numbers that are selected after steps of [id, how], and the current one. */
function after(...steps) {
  let state = { selected: null, chosen: new Set(), anchor: null };
  for (const [id, how] of steps) state = select(state, id, how, ORDER);
  return [ORDER.filter((id) => isChosen(state, id)), state.selected];
}

test("one, and none besides", () => {
  assert.deepEqual(after([3, "one"]), [[3], 3]);
  assert.deepEqual(after([3, "one"], [4, "toggle"], [1, "one"]), [[1], 1]);
});

test("one by one, and back to one", () => {
  assert.deepEqual(after([3, "one"], [4, "toggle"]), [[3, 4], 4]);
  assert.deepEqual(after([3, "one"], [4, "toggle"], [3, "toggle"]), [[4], 4]);
  assert.deepEqual(after([3, "one"], [3, "toggle"]), [[3], 3], "never none");
});

test("a range goes from where it began, in the order as shown", () => {
  assert.deepEqual(after([3, "one"], [4, "range"]), [[3, 1, 4], 4]);
  assert.deepEqual(after([3, "one"], [4, "range"], [5, "range"]), [[5, 3], 5]);
  assert.deepEqual(after([3, "one"], [4, "range"], [3, "range"]), [[3], 3]);
  assert.deepEqual(after([3, "range"]), [[3], 3], "from nowhere");
  assert.deepEqual(after([9, "one"], [3, "range"]), [[3], 3], "from one that is not shown");
});

test("to move, and to visit, leaves selected what is", () => {
  assert.deepEqual(after([3, "one"], [1, "move"]), [[3], 1]);
  assert.deepEqual(after([3, "one"], [1, "move"], [1, "toggle"]), [[3, 1], 1]);
  assert.deepEqual(after([3, "one"], [4, "toggle"], [1, "visit"]), [[3, 4], 1]);
  assert.deepEqual(after([3, "one"], [1, "visit"]), [[1], 1]);
});

test("all", () => {
  assert.deepEqual(after([3, "one"], [3, "all"]), [ORDER, 3]);
});

test("what the modifiers mean", () => {
  const keys = [{}, { shiftKey: true }, { ctrlKey: true }, { metaKey: true }, { ctrlKey: true, shiftKey: true }];
  assert.deepEqual(keys.map((event) => howOf(event)), ["one", "range", "toggle", "toggle", "range"]);
  assert.deepEqual(keys.map((event) => howOf(event, "one", "move")), ["one", "range", "move", "move", "range"]);
});
