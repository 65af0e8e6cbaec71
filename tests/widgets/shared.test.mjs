import assert from "node:assert/strict";
import { test } from "node:test";
import { lanesOf, merged, raceWords, readShared } from "../../nbserver/widgets/js/shared.js";

const told = {
  spans: [[1, 0, 0.2, 9, 11, true, false], [2, 0.1, 0.3, 9, 11, true, true], [2, 0.5, 0.6, 14, 14, false, false], [1, 0.55, 0.7, 15, 15, true, false]],
  races: [[0, 1, 0.1, 0.2], [2, 3, 0.55, 0.6]],
  waits: [[3, 0, 0.4, 8, "lock"]],
};

test("a race is told by what its two threads did", () => {
  const { races } = readShared(told);
  assert.deepEqual(raceWords(races[0], "n"), ["shared.lost", { one: 1, other: 2, name: "n", lines: "9–11" }]);
  assert.deepEqual(raceWords(races[1], "n"), ["shared.changedWhile", { one: 1, other: 2, name: "n", lines: "14–15" }]);
  const kept = readShared({ spans: told.spans.map((span) => [...span.slice(0, 6), false]), races: told.races });
  assert.equal(raceWords(kept.races[0], "n")[0], "shared.canBeLost");
});

test("there is a lane for each thread, with what lies above drawn last", () => {
  const lanes = lanesOf(readShared(told));
  assert.deepEqual(lanes.map(({ number, bars }) => [number, bars.map(({ kind }) => kind)]), [[1, ["changing", "changing", "race", "race"]], [2, ["changing", "reading", "race", "race"]], [3, ["locked"]]]);
  assert.deepEqual(lanesOf(readShared({})), []);
});

test("overlaps that touch are one", () => {
  assert.deepEqual(merged([{ from: 3, to: 4 }, { from: 0, to: 2 }, { from: 1, to: 2.5 }]), [{ from: 0, to: 2.5 }, { from: 3, to: 4 }]);
});
