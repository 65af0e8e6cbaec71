import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, cellsOf, groupOf, nextPiece, remarkable, stretchesOf, toWay, widthOf, xOf } from "../../nbserver/widgets/js/rulerscale.js";

const base64 = (text) => Buffer.from(text).toString("base64");
const told = (more) => toWay({
  from: "client", total: 12, flying: 0, since: 0,
  sends: { total: 12, pieces: [[0, 6, 1, "send", 0], [6, 6, 1, "send", 0]] },
  recvs: { total: 12, pieces: [[0, 12, 2, "recv", 0]] },
  groups: [[0, 12, 2, 1, "merged"]], halves: [], known: [[0, base64("hello-world-")]], framed: null, ...more,
}, [""]);

test("every mark is at the edge of a stretch, and bytes stand one beside the other", () => {
  const stretches = stretchesOf(told(), 1);
  assert.deepEqual(stretches.map(({ begin, end }) => [begin, end]), [[0, 6], [6, 12]]);
  assert.equal(xOf(stretches, 3, 1), 3);
  assert.equal(xOf(stretches, 12, 1), 12);
  assert.equal(widthOf(stretches), 12);
});

test("five million bytes that are not kept have the room of a few, and what follows is to scale", () => {
  const way = told({
    total: 5_000_003, sends: null, recvs: { total: 5_000_003, pieces: [[0, 5_000_000, 0, "", 0], [5_000_000, 3, 2, "recv", 0]] },
    groups: [], known: [[5_000_000, base64("end")]],
  });
  const stretches = stretchesOf(way, 1);
  assert.ok(widthOf(stretches) < 20);
  assert.equal(xOf(stretches, 5_000_003, 1) - xOf(stretches, 5_000_000, 1), 3);
  assert.deepEqual([...bytesOf(way, way.recvs.pieces[1])], [...Buffer.from("end")]);
});

test("a long stretch is torn, and never wider than its tear", () => {
  const way = told({ total: 8000, sends: null, recvs: { total: 8000, pieces: [[0, 8000, 1, "recv", 0]] }, groups: [], known: [[0, base64("x".repeat(8000))]] });
  const stretches = stretchesOf(way, 1);
  assert.equal(stretches[0].isTorn, true);
  assert.ok(widthOf(stretches) < 100);
});

test("a character stands over all of its bytes, half of one is told, and hex shows each", () => {
  const bytes = Uint8Array.from([...Buffer.from("a你\n"), 0xe5, 0xa5]);
  const read = (asHex) => cellsOf({ begin: 10, bytes }, 10, 17, { encoding: "utf-8", asHex }).map(({ begin, size, text, kind }) => [begin, size, text, kind]);
  assert.deepEqual(read(false), [[10, 1, "a", ""], [11, 3, "你", ""], [14, 1, "\\n", "chip"], [15, 1, "e5", "half"], [16, 1, "a5", "half"]]);
  assert.deepEqual(read(true).map(([, , text]) => text), ["61", "e4", "bd", "a0", "0a", "e5", "a5"]);
});

test("what is worth saying is said once, with how often", () => {
  const merged = { sends: 2, recvs: 1, kind: "merged" };
  assert.deepEqual(remarkable([merged, { sends: 1, recvs: 1, kind: "whole" }, merged]), [{ ...merged, times: 2 }]);
  const way = told();
  assert.equal(groupOf(way, way.sends.pieces[1]).kind, "merged");
});

test("the arrows go along a row and over to the piece that stands at the same byte", () => {
  const rows = [[{ begin: 0 }, { begin: 6 }], [{ begin: 0 }], [], [{ begin: 0 }, { begin: 2 }]];
  assert.deepEqual(nextPiece(rows, [0, 0], "ArrowRight"), [0, 1]);
  assert.equal(nextPiece(rows, [0, 1], "ArrowRight"), null);
  assert.deepEqual(nextPiece(rows, [0, 1], "ArrowDown"), [1, 0]);
  assert.deepEqual(nextPiece(rows, [1, 0], "ArrowDown"), [3, 0]);
  assert.deepEqual(nextPiece(rows, [3, 1], "Home"), [3, 0]);
});
