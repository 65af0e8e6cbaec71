import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, BY_NUMBER, comparison, countRows, Listing, nextSort } from "../../nbserver/widgets/js/order.js";
import { FILTERS, Table } from "../../nbserver/widgets/js/store.js";

const row = (id, bytesIn = 0, state = "running") => ({ id, bytesIn, bytesOut: 0, state, ask: 0, peer: "", preview: "", note: "", in: 0, out: 0, last: 0 });
const BYTES = { column: "bytes", isDown: false };

/** A listing of a table, with what a test does not say left as it was. */
function makeList(...rows) {
  const [table, listing] = [new Table(), new Listing()];
  let given = { table, mark: 0, asked: "", passes: null, sort: BYTES, isHeld: false, now: 100 };
  const update = (changes = {}) => {
    given = { ...given, mark: given.mark + 1, ...changes };
    listing.update(given);
    return listing.rows.map((each) => each.id);
  };
  const put = (...changed) => table.put(changed);
  put(...rows);
  return { table, listing, update, put };
}

test("up, down, and back to the order of numbers", () => {
  let sort = BY_NUMBER;
  const seen = ["bytes", "bytes", "bytes", "age", "bytes"].map((column) => (sort = nextSort(sort, column)));
  assert.deepEqual(seen, [BYTES, { column: "bytes", isDown: true }, BY_NUMBER, { column: "age", isDown: false }, BYTES]);
});

test("equal rows keep the order of their numbers, up and down", () => {
  for (const isDown of [false, true]) {
    const rows = [row(3, 1), row(1, 1), row(2, 1)].sort(comparison({ column: "bytes", isDown }));
    assert.deepEqual(rows.map((each) => each.id), [1, 2, 3]);
  }
});

test("addresses are in the order of their numbers", () => {
  const peers = ["10.0.0.10:1", "10.0.0.9:10000", "10.0.0.9:9000"];
  assert.deepEqual(peers.sort((a, b) => (addressKey(a) < addressKey(b) ? -1 : 1)), ["10.0.0.9:9000", "10.0.0.9:10000", "10.0.0.10:1"]);
});

test("the counts of the chips are those of their filters", () => {
  const rows = ["waiting", "running", "half-closed", "closed", "reset", "failed"].map((state, i) => row(i, 0, state));
  const counted = Object.fromEntries(Object.entries(FILTERS).map(([name, passes]) => [name, rows.filter(passes).length]));
  assert.deepEqual(countRows(rows), counted);
});

test("by number, and all of them: the table itself, nothing is ever old", () => {
  const { table, listing, update, put } = makeList(row(1), row(2));
  update({ sort: BY_NUMBER, isHeld: true });
  put(row(3), row(1, 9));
  assert.deepEqual(update(), [1, 2, 3]);
  assert.deepEqual([listing.rows === table.rows, listing.isOld], [true, false]);
});

test("a held order stands still, and knows that it is old", () => {
  const { table, listing, update, put } = makeList(row(1, 1), row(2, 2), row(3, 3));
  assert.deepEqual(update(), [1, 2, 3]);
  put(row(1, 9), row(4, 0));
  table.drop([2]);
  assert.deepEqual(update({ isHeld: true }), [1, 3, 4]);
  assert.deepEqual([listing.rows[0].bytesIn, listing.isOld], [9, true], "in its old place, as it is now");
  assert.deepEqual(update({ isHeld: false, now: 200 }), [4, 3, 1]);
  assert.equal(listing.isOld, false);
});

test("one that no longer belongs here stays while the order is held", () => {
  const passes = (each) => each.bytesIn < 5;
  const { listing, update, put } = makeList(row(1, 1), row(2, 2));
  update({ passes });
  put(row(1, 9));
  assert.deepEqual([update({ isHeld: true }), listing.isOld], [[1, 2], true]);
  assert.deepEqual([update({ isHeld: false }), listing.isOld], [[2], false]);
});

test("what a person asks for is done at once, held or not", () => {
  const { listing, update, put } = makeList(row(1, 2), row(2, 1));
  assert.deepEqual(update({ isHeld: true }), [2, 1]);
  assert.deepEqual(update({ asked: "down", sort: { column: "bytes", isDown: true } }), [1, 2]);
  put(row(1, 0));
  assert.deepEqual(update(), [1, 2]);
  listing.sortAgain();
  assert.deepEqual(update(), [2, 1]);
});

test("what nobody has asked for is sorted once a second", () => {
  const { update, put } = makeList(row(1, 1), row(2, 2));
  update({ now: 100 });
  put(row(1, 9), row(3, 0));
  assert.deepEqual(update({ now: 100.5 }), [1, 2, 3], "a new one is there at once");
  assert.deepEqual(update({ now: 101 }), [3, 2, 1]);
});

test("from all to some, and back, no row is there twice", () => {
  const { update, put } = makeList(row(1), row(2));
  assert.deepEqual(update({ sort: BY_NUMBER, isHeld: true }), [1, 2]);
  const passes = (each) => each.id !== 1;
  assert.deepEqual(update({ passes, asked: "some" }), [2]);
  put(row(3));
  assert.deepEqual(update(), [2, 3]);
  assert.deepEqual(update({ passes: null, asked: "all" }), [1, 2, 3]);
});

test("nothing is done when nothing has changed", () => {
  const { listing, update } = makeList(row(1), row(2));
  update({ passes: () => true });
  const { rows } = listing;
  update({ mark: 1 });
  assert.equal(listing.rows, rows);
});
