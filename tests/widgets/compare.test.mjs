import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, longestWait, spanOf, waitOf } from "../../nbserver/widgets/js/compare.js";
import { moment, roundSpan, share, tickStep } from "../../nbserver/widgets/js/stage.js";

const lane = (client, states, waited, where = "backlog") => ({ client, states, answered: null, waited, where, note: "" });

test("a client that still waits has waited until now, one that was served until then", () => {
  assert.deepEqual(waitOf(lane(2, [[0.5, "backlog"]], null), 2), { seconds: 1.5, where: "backlog" });
  assert.deepEqual(waitOf(lane(2, [[0, "backlog"], [1, "accepted"]], null), 2), { seconds: 2, where: "accepted" });
  assert.deepEqual(waitOf(lane(2, [[0, "backlog"], [1, "serving"]], 1), 9), { seconds: 1, where: "backlog" });
  assert.deepEqual(waitOf(lane(2, [[0, "backlog"], [1, "done"]], null), 9), { seconds: 0, where: "backlog" }); // it gave up
});

test("the longest wait is told, and a wait that nobody would notice is none", () => {
  const lanes = [lane(1, [[0, "serving"]], 0.01), lane(2, [[0, "backlog"], [1, "serving"]], 1), lane(3, [[0, "backlog"]], null)];
  assert.equal(longestWait(lanes, 2).client, 3);
  assert.equal(longestWait(lanes.slice(0, 2), 2).client, 2);
  assert.equal(longestWait(lanes.slice(0, 1), 2), null);
});

test("the last bar goes on until now, and an end is a sign", () => {
  assert.deepEqual(barsOf(lane(1, [[0, "backlog"], [1, "serving"]], 1), 3), { bars: [{ from: 0, to: 1, state: "backlog" }, { from: 1, to: 3, state: "serving" }], end: null });
  assert.deepEqual(barsOf(lane(1, [[0, "serving"], [2, "failed"]], 0), 3), { bars: [{ from: 0, to: 2, state: "serving" }], end: { at: 2, state: "failed" } });
  assert.deepEqual(barsOf(lane(1, [], null), 3), { bars: [], end: null });
});

test("the axis ends at a round time behind the last", () => {
  const columns = [{ name: "a", total: 1.01, lanes: [] }, { name: "b", total: null, lanes: [lane(1, [[0, "serving"], [2.9, "failed"]], 0)] }];
  assert.equal(spanOf(columns, 0, false), 3);
  assert.equal(spanOf([], 4.2, true), 4.5);
  assert.deepEqual([0.0207, 0.9, 3.02, 30, 61].map(roundSpan), [0.025, 0.9, 3, 30, 60]);
  assert.deepEqual([0.02, 1, 10].map(tickStep), [0.002, 0.1, 1]);
});

test("moments are written as exactly as the ticks stand", () => {
  assert.deepEqual([moment(0.02, 0.005), moment(0.0005, 0.0005), moment(1.5, 0.5), moment(2, 1), moment(0.3, 0.1)], ["20 ms", "0.5 ms", "1.5 s", "2 s", "0.3 s"]);
  assert.deepEqual([share(1, { from: 0, to: 4 }), share(9, { from: 0, to: 4 }), share(-1, { from: 0, to: 4 })], [25, 100, 0]);
});
