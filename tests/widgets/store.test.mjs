import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FILTERS, KEPT, makeStore, nextWaiting, noteTotal, ratesOf, Table, toEntries } from "../../nbserver/widgets/js/store.js";

const row = (id, state = "running", ask = 0, last = 100) => [id, state, `127.0.0.1:${40000 + id}`, 0, 0, 0, 0, last, "", ask ? "? " : null, ask, 100, "", ask ? 99 : 0, "HTTP"];
let said, timers, time, changes, store, q;

beforeEach(() => {
  [said, timers, time, changes, q] = [[], [], 0, 0, 0];
  store = makeStore({
    say: (request, attempt) => said.push({ ...request, attempt }),
    changed: () => { changes += 1; },
    clock: () => time,
    later: (act, wait) => timers.push({ act, wait }),
  });
});

const facts = (more) => ({ ep: "life", q: (q += 1), now: 1000 + time, ...more });
const snap = (connections = [], more = {}) => store.handle({ t: "snap", v: 1, server: {}, counts: {}, connections, clients: [], ...facts(more) });
const delta = (more = {}, body) => store.handle({ t: "delta", ...facts(more) }, body ? [new DataView(Uint8Array.from(body).buffer)] : []);
const ids = () => store.tables.connections.rows.map((each) => each.id);
const runTimers = () => timers.splice(0).forEach(({ act }) => act());

test("a snapshot sets everything, deltas change and remove rows", () => {
  snap([row(1), row(2)]);
  delta({ connections: [row(2, "closed"), row(3)], gone: { connections: [1] } });
  assert.deepEqual(ids(), [2, 3]);
  assert.equal(store.tables.connections.get(2).state, "closed");
  delta({ connections: [row(3, "waiting", 1)] });
  assert.equal(store.tables.connections.get(3).since, 99);
  assert.equal(store.tables.connections.get(3).speaks, "HTTP");
  assert.equal(store.tables.connections.get(1), undefined);
});

test("what is not newer is ignored", () => {
  snap([row(1)]);
  q -= 1;
  delta({ connections: [row(9)] });
  assert.deepEqual(ids(), [1]);
  assert.equal(said.length, 0);
});

test("a gap, or another life, asks once for a snapshot and takes nothing until it comes", () => {
  for (const more of [{ q: 99 }, { ep: "other" }]) {
    said.length = 0;
    store.isSynced = false;
    snap([row(1)]);
    delta({ connections: [row(2)], ...more });
    delta({ connections: [row(3)] });
    assert.deepEqual(said.map((wish) => wish.do), ["hello"]);
    assert.deepEqual(ids(), [1]);
  }
});

test("hello is said again after 1.5, 3, 6 … seconds until a snapshot is there", () => {
  store.hello();
  const waits = [];
  for (let i = 0; i < 5; i++) {
    waits.push(timers.at(-1).wait);
    runTimers();
  }
  assert.deepEqual(waits, [1500, 3000, 6000, 12000, 24000]);
  assert.deepEqual(said.map((wish) => wish.attempt), [0, 1, 2, 3, 4, 5]);
  snap();
  runTimers();
  assert.equal(said.length, 6);
  assert.equal(timers.length, 0);
});

test("a closed store says nothing more", () => {
  store.hello();
  store.close();
  runTimers();
  assert.equal(said.length, 1);
});

test("rows are in the order of their numbers, whatever order they come in", () => {
  const table = new Table();
  table.put([5, 1, 3, 1].map((id) => ({ id, seen: true })));
  assert.deepEqual(table.rows.map((each) => each.id), [1, 3, 5]);
  assert.equal(table.get(5).id, 5);
  assert.equal(table.index.get(5), 2);
});

test("the next to be answered has waited longest behind this one, then longest of all", () => {
  const rows = [[1, 7], [2, 3], [3, 5]].map(([id, ask]) => ({ id, ask, state: "waiting" }));
  const none = () => false;
  assert.equal(nextWaiting(rows, 3, none).id, 3);
  assert.equal(nextWaiting(rows, 7, none).id, 2);
  assert.equal(nextWaiting(rows, 3, (each) => each.id === 3).id, 1);
  assert.equal(nextWaiting([], 0, none), undefined);
});

test("filters", () => {
  const rows = ["waiting", "running", "half-closed", "closed", "reset", "failed"].map((state) => ({ state }));
  const count = (name) => rows.filter(FILTERS[name]).length;
  assert.deepEqual(Object.keys(FILTERS).map(count), [6, 1, 3, 3]);
});

test("bodies are cut out of a view into a larger buffer, and copied", () => {
  const buffer = new DataView(Uint8Array.from([9, 9, 104, 105, 33]).buffer, 2);
  const [entry] = toEntries([[1, "received", 5, 0, 2, 10]], buffer);
  assert.equal(new TextDecoder().decode(entry.bytes), "hi");
  assert.equal(entry.bytes.buffer.byteLength, 2);
  assert.equal(entry.size, 10);
});

test("a transcript is watched while somebody looks, and its entries are taken once", () => {
  snap([row(1)]);
  const unwatch = store.watch("connections", 1);
  const unwatchToo = store.watch("connections", 1);
  assert.deepEqual(said.map((wish) => [wish.do, wish.id]), [["watch", 1]]);
  delta({ entries: [["connections", 1, 2, "received", 0, 0, 1, 1]] }, [65]);
  assert.equal(store.transcript("connections", 1).entries.length, 0, "not before the transcript itself");
  const body = new DataView(Uint8Array.from([65, 66]).buffer);
  store.handle({ t: "transcript", table: "connections", id: 1, entries: [[1, "received", 0, 0, 1, 1], [2, "received", 0, 1, 1, 1]] }, [body]);
  delta({ entries: [["connections", 1, 2, "received", 0, 0, 1, 1], ["connections", 1, 3, "sent", 0, 0, 1, 1], ["clients", 1, 1, "sent", 0, 0, 1, 1]] }, [67]);
  assert.deepEqual(store.transcript("connections", 1).entries.map((entry) => entry.n), [1, 2, 3]);
  unwatch();
  assert.equal(store.transcript("connections", 1).entries.length, 3);
  unwatchToo();
  assert.equal(store.transcript("connections", 1).entries.length, 0);
});

test("a transcript keeps a bounded number of entries", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  store.handle({ t: "transcript", table: "connections", id: 1, entries: [] });
  for (let n = 1; n <= KEPT + 50; n++) delta({ entries: [["connections", 1, n, "eof", 0, 0, 0, 0]] });
  assert.equal(store.transcript("connections", 1).entries.length, KEPT);
  assert.equal(store.transcript("connections", 1).entries.at(-1).n, KEPT + 50);
});

test("after a gap what is watched is asked for again; another tab's snapshot changes nothing", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  store.handle({ t: "transcript", table: "connections", id: 1, entries: [[1, "eof", 0, 0, 0, 0]] });
  snap([row(1)]);
  assert.equal(said.filter((wish) => wish.do === "watch").length, 1);
  q += 5;
  delta();
  snap([row(1)]);
  assert.equal(said.filter((wish) => wish.do === "watch").length, 2);
});

test("a watch without an answer is said again", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  runTimers();
  assert.deepEqual(said.map((wish) => wish.attempt), [0, 1]);
  store.handle({ t: "transcript", table: "connections", id: 1, entries: [] });
  runTimers();
  assert.equal(said.length, 2);
});

test("the kernel's clock is followed, and stands still while the kernel is silent", () => {
  snap();
  time = 2;
  assert.equal(store.now(), 1002);
  assert.equal(store.isStale(), false);
  time = 60;
  assert.equal(store.isStale(), true);
  assert.equal(store.now(), 1003);
  delta();
  assert.equal(store.isStale(), false);
});

test("a hub whose server and clients have ended may be silent", () => {
  snap([row(1)], { server: { state: "stopped" }, clients: [row(1, "running")] });
  time = 60;
  assert.equal(store.isStale(), true);
  delta({ clients: [row(1, "closed")] });
  time = 120;
  assert.equal(store.isStale(), false);
});

test("messages per second, from totals", () => {
  const history = [];
  for (const [now, total] of [[10.2, 0], [10.9, 4], [11.5, 10], [14.1, 16]]) noteTotal(history, now, total);
  assert.deepEqual(ratesOf(history, 15).slice(-5), [0, 6, 2, 2, 2]);
  noteTotal(history, 15, 1);
  assert.deepEqual(history, [{ second: 15, total: 1 }], "a total that fell is another server's");
  for (let now = 16; now < 400; now++) noteTotal(history, now, now);
  assert.ok(history.length <= 62);
});

test("10 000 rows are put and found in no time", () => {
  const start = performance.now();
  snap(Array.from({ length: 10000 }, (_, i) => row(i + 1)));
  for (let i = 0; i < 20; i++) delta({ connections: Array.from({ length: 500 }, (_, j) => row(j * 20 + 1, "receiving")) });
  assert.ok(performance.now() - start < 1000);
  assert.equal(store.tables.connections.rows.length, 10000);
});

const line = (n) => [n, "eof", 0, 0, 0, 0];
const numbers = () => store.transcript("connections", 1).entries.map((entry) => entry.n);
const answer = (t, first, entries) => store.handle({ t, table: "connections", id: 1, first, entries: entries.map(line) });

test("earlier entries are asked for once, and come before those that are here", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  answer("transcript", 3, [7, 8]);
  assert.equal(store.hasEarlier("connections", 1), true);
  store.askEarlier("connections", 1);
  store.askEarlier("connections", 1);
  assert.deepEqual(said.filter((wish) => wish.do === "earlier").map(({ table, id, before }) => [table, id, before]), [["connections", 1, 7]]);
  delta({ entries: [["connections", 1, ...line(9)]] });
  answer("earlier", 5, [5, 6]);
  answer("earlier", 5, [5, 6]);
  assert.deepEqual(numbers(), [5, 6, 7, 8, 9]);
  assert.equal(store.hasEarlier("connections", 1), false);
  store.askEarlier("connections", 1);
  assert.equal(said.filter((wish) => wish.do === "earlier").length, 1, "nothing earlier is kept");
});

test("what the kernel has forgotten meanwhile is not asked for again", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  answer("transcript", 3, [7]);
  store.askEarlier("connections", 1);
  runTimers();
  assert.equal(said.filter((wish) => wish.do === "earlier").length, 2, "said again while there is no answer");
  answer("earlier", 50, []);
  runTimers();
  assert.deepEqual([numbers(), store.hasEarlier("connections", 1), said.filter((wish) => wish.do === "earlier").length], [[7], false, 2]);
});

test("earlier entries do not push the newest out, and those of another transcript are not taken", () => {
  snap([row(1)]);
  store.watch("connections", 1);
  answer("transcript", 1, Array.from({ length: KEPT - 50 }, (_, i) => 101 + i));
  store.askEarlier("connections", 1);
  store.handle({ t: "earlier", table: "connections", id: 2, first: 1, entries: [line(1)] });
  assert.equal(numbers()[0], 101);
  answer("earlier", 1, Array.from({ length: 100 }, (_, i) => i + 1));
  assert.deepEqual([numbers().length, numbers()[0], numbers().at(-1)], [KEPT, 51, KEPT + 50]);
  assert.equal(store.hasEarlier("connections", 1), false, "as many as a page keeps are here");
});

test("a look is asked for until it is there, then every few seconds, and again in full after a gap", () => {
  snap();
  said.length = 0;
  const stop = store.watchLook("chain", 3);
  assert.deepEqual(said.map(({ do: what, at, connection, again }) => [what, at, connection, again]), [["look", "chain", 3, undefined]]);
  assert.equal(store.look("chain", 3), undefined);
  delta({ looks: [["chain", 3, { step: 1 }], ["chain", 4, { step: 9 }]] });
  assert.deepEqual(store.look("chain", 3), { step: 1 });
  assert.equal(store.look("chain", 4), undefined);
  runTimers();
  assert.equal(said.at(-1).again, true);
  q += 5;
  delta(); // a gap
  snap();
  assert.deepEqual([said.at(-1).do, said.at(-1).again], ["look", undefined]);
  stop();
  said.length = 0;
  runTimers();
  assert.deepEqual(said.filter((one) => one.do === "look"), []);
});
