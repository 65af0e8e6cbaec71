import assert from "node:assert/strict";
import { test } from "node:test";
import { isFaulty, pythonLine } from "../../nbserver/widgets/js/faults.js";

const DELAY = ["delay", [["seconds", "seconds", 0, 60, 0.5], ["jitter", "seconds", 0, 60, 0]], ["both", "to_client"]];

test("the line of Python says what the card says, and no nought that is usual", () => {
  assert.equal(pythonLine("server", "delay", { seconds: 0.5, jitter: 0 }, "both", DELAY), 'server.faults.add("delay", seconds=0.5)');
  assert.equal(pythonLine("server[3]", "delay", { seconds: 0, jitter: 2 }, "to_client", DELAY), 'server[3].faults.add("delay", direction="to_client", seconds=0, jitter=2)');
  assert.equal(pythonLine("server", "delay", {}, "both", DELAY), 'server.faults.add("delay")'); // a field that is empty
});

test("a row is marked while a fault is set for all, or for it alone, and it lives", () => {
  const row = { id: 3, state: "running" };
  assert.deepEqual([[0, []], [1, []], [0, [3]], [0, [2]]].map((faults) => isFaulty({ faults }, row)), [false, true, true, false]);
  assert.equal(isFaulty({ faults: [1, [3]] }, { ...row, state: "closed" }), false);
  assert.equal(isFaulty(null, row), false);
});
