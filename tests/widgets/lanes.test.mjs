import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { clampEnd, eachBar, fitted, gridStep, inSight, labelOf, Lanes, SPANS, stateAt, STATES, summary, zoomed } from "../../nbserver/widgets/js/lanes.js";
import { described, exact } from "../../nbserver/widgets/js/laneparts.js";
import { makeStore } from "../../nbserver/widgets/js/store.js";
import { LANGUAGES, speak } from "../../nbserver/widgets/js/words.js";

const row = (id, state, { came = 0, went = 0, last = 100, opened = 100, since = 0 } = {}) =>
  [id, state, `127.0.0.1:${40000 + id}`, came, went, 0, 0, last, "", null, since ? 1 : 0, opened, "", since, ""];
const words = speak("en");
let store, said, time, stop;

beforeEach(() => {
  [said, time] = [[], 0];
  store = makeStore({ say: (request) => said.push(request.do), changed: () => {}, clock: () => time, later: () => {} });
  say({ t: "snap", v: 1, server: {}, counts: {}, connections: [], clients: [] });
  stop = store.watchLanes();
  store.handle({ t: "lanes", loop: [[100, "selecting"]], queue: [], lanes: [] });
});

let q = 0;
function say(message) { time += 0.1; store.handle({ ep: "life", q: (q += 1), now: 100 + time, ...message }); }
const delta = (now, message) => say({ t: "delta", now, ...message });
const lane = (id) => store.lanes.connections.get(id);
const shown = (options = {}) => store.lanes.list({ from: 0, onlyOpen: false, isServing: true, ...options });
const bars = (id, from, to) => { const found = []; eachBar(lane(id), from, to, (state, begin, end) => found.push([state, begin, end])); return found; };

test("rows become bars: each change begins one, a question when it was asked", () => {
  delta(101, { connections: [row(1, "receiving", { opened: 100.9, last: 100.9 })] });
  delta(103, { connections: [row(1, "running", { came: 1, last: 102.9, opened: 100.9 })] });
  delta(104, { connections: [row(1, "waiting", { came: 1, last: 102.9, opened: 100.9, since: 103.5 })] });
  delta(105, { connections: [row(1, "waiting", { came: 1, last: 102.9, opened: 100.9, since: 103.5 })] });
  assert.deepEqual(bars(1, 0, 110), [["receiving", 100.9, 103], ["running", 103, 103.5], ["waiting", 103.5, 110]]);
  assert.deepEqual(bars(1, 101, 103.2), [["receiving", 101, 103], ["running", 103, 103.2]]);
  assert.deepEqual(lane(1).marks, [[102.9, 1, 0]]);
});

test("a connection that came and went between two looks was running for a moment", () => {
  delta(101, { connections: [row(1, "closed", { opened: 100.5, last: 100.8, came: 1, went: 1 })] });
  assert.deepEqual(bars(1, 0, 110), [["running", 100.5, 100.8], ["closed", 100.8, 110]]);
  assert.equal(STATES.closed.shape, "none");
});

test("who is accepted goes on with its wait in the backlog", () => {
  delta(105, { lanes: { loop: [104.9, "serving 1"], queue: [["127.0.0.1:40002", 103], ["127.0.0.1:40003", 104]] } });
  assert.deepEqual(shown().map((each) => labelOf(each, "thread", words)), ["thread", "backlog :40002", "backlog :40003"]);
  delta(107, { connections: [row(2, "receiving", { opened: 106, last: 106 })], lanes: { queue: [["127.0.0.1:40003", 104]], waited: [[2, 103]] } });
  assert.deepEqual(bars(2, 0, 108), [["backlog", 103, 106], ["receiving", 106, 108]]);
  assert.deepEqual(shown().map((each) => labelOf(each, "thread", words)), ["thread", "#2 :40002", "backlog :40003"]);
  assert.equal(summary(shown(), words), "accept loop serving #1 itself, 1 blocked in recv(), 1 in the backlog, not accepted");
});

test("an accept loop that serves a connection itself does what its handler does", () => {
  delta(101, { connections: [row(1, "receiving", { opened: 100.9, last: 100.9 })], lanes: { loop: [100.9, "serving 1"] } });
  delta(103, { connections: [row(1, "waiting", { opened: 100.9, last: 100.9, since: 102 })] });
  delta(105, { connections: [row(1, "closed", { opened: 100.9, last: 100.9 })], lanes: { loop: [105.2, "selecting"] } });
  const found = [];
  eachBar(store.lanes.loop, 100.5, 106, (state, begin, end) => found.push([state, begin, end]));
  assert.deepEqual(found, [["selecting", 100.5, 100.9], ["receiving", 100.9, 102], ["waiting", 102, 105], ["serving 1", 105, 105.2], ["selecting", 105.2, 106]]);
});

test("the past is asked for once, told once, and again after a gap; another view's answer changes nothing", () => {
  assert.deepEqual(said, ["lanes"]);
  delta(101, { connections: [row(1, "receiving")] });
  const past = { t: "lanes", loop: [[98, "selecting"]], queue: [], lanes: [[1, [[100.1, "accepted"]], [[100.5, 2, 1]]]] };
  store.handle(past);
  assert.deepEqual(lane(1).states, [[100, "receiving"]], "this view has it already");
  q += 1; // a delta is lost
  delta(102, {});
  assert.deepEqual(said, ["lanes", "hello"]);
  say({ t: "snap", server: {}, counts: {}, connections: [row(1, "running", { came: 2, went: 1, last: 100.5 })], clients: [], now: 103 });
  assert.deepEqual(said, ["lanes", "hello", "lanes"]);
  store.handle({ ...past, lanes: [[1, [[100.5, "receiving"], [102.6, "running"]], [[100.5, 2, 1]]]] });
  assert.deepEqual(lane(1).states, [[100.5, "receiving"], [102.6, "running"]]);
  assert.deepEqual(lane(1).marks, [[100.5, 2, 1]], "what the past counts is not counted again");
  assert.deepEqual(store.lanes.loop.states, [[98, "selecting"]]);
});

test("nothing is kept while nobody looks", () => {
  stop();
  assert.equal(store.lanes, null);
  delta(101, { connections: [row(1, "receiving")] });
});

test("closed lanes leave with the window, and at once when only open ones are wanted", () => {
  delta(101, { connections: [row(1, "closed", { last: 100.5 }), row(2, "receiving")] });
  assert.deepEqual(shown().map((each) => each.id), [null, 1, 2]);
  assert.deepEqual(shown({ from: 100.6 }).map((each) => each.id), [null, 2]);
  assert.deepEqual(shown({ onlyOpen: true }).map((each) => each.id), [null, 2]);
  delta(102, { gone: { connections: [1] } });
  assert.deepEqual([...store.lanes.connections.keys()], [2]);
});

test("lanes come in the order of their numbers, however they were told", () => {
  delta(101, { connections: [row(3, "receiving"), row(1, "receiving")] });
  delta(102, { connections: [row(2, "receiving")] });
  assert.deepEqual(shown().map((each) => each.id), [null, 1, 2, 3]);
});

test("a lane keeps ten minutes, and a bounded number of changes", () => {
  for (let i = 0; i < 3000; i++) delta(200 + i * 0.1, { connections: [row(1, i % 2 ? "running" : "receiving", { came: i, last: 200 + i * 0.1 })] });
  assert.ok(lane(1).states.length <= 1200 && lane(1).marks.length <= 1200);
  delta(2000, { connections: [row(1, "running", { came: 3000, last: 2000 })] });
  delta(2001, { connections: [row(1, "sending", { came: 3000, last: 2000 })] });
  assert.ok(lane(1).states.length <= 3);
});

test("what a lane did at a time, in words", () => {
  delta(101, { connections: [row(1, "receiving", { opened: 100, last: 100 })] });
  delta(101.12, { connections: [row(1, "running", { opened: 100, last: 100 })] });
  assert.equal(stateAt(lane(1), 99), null);
  assert.deepEqual(stateAt(lane(1), 100.5), { state: "receiving", since: 100, until: 101.12 });
  const at = (moment) => described(lane(1), moment, { thread: "", now: 104.52, words });
  assert.match(at(100.5), /^#1 127\.0\.0\.1:40001: blocked in recv\(\), from [\d:.]+, for 1\.1 s$/);
  assert.match(at(104), /^#1 127\.0\.0\.1:40001: running Python, since [\d:.]+, for 3\.4 s$/);
  assert.deepEqual([0.0042, 0.5, 12.34, 125].map(exact), ["4 ms", "500 ms", "12.3 s", "2 m 05 s"]);
});

test("every state has a shape, a colour and a word in both languages; who is blocked, runs and waits look different without colour", () => {
  for (const { shape, token, word } of Object.values(STATES)) for (const language of ["en", "zh"]) assert.ok(shape && token && word in LANGUAGES[language]);
  const shapes = ["receiving", "sending", "waiting", "running", "backlog", "half-closed", "full"].map((state) => STATES[state].shape);
  assert.equal(new Set(shapes).size, shapes.length);
});

test("zoom goes through its steps, and looking back ends at ten minutes and at the present", () => {
  assert.deepEqual([zoomed(20, -1), zoomed(20, 1), zoomed(2, -1), zoomed(600, 1)], [10, 30, 2, 600]);
  assert.deepEqual([SPANS[0], SPANS.at(-1)], [2, 600]);
  assert.deepEqual([clampEnd(990, 1000, 20), clampEnd(1001, 1000, 20), clampEnd(10, 1000, 20)], [990, null, 420]);
});

test("the grid has room for its texts, and only lanes in sight are drawn", () => {
  assert.deepEqual([gridStep(20, 1000, 70), gridStep(2, 1000, 70), gridStep(600, 1000, 70)], [2, 0.2, 60]);
  assert.deepEqual(inSight(10000, 2400, 240, 24), [100, 110]);
  assert.deepEqual(inSight(3, 0, 240, 24), [0, 3]);
});

test("a name that is too long ends in an ellipsis, and is as long as fits", () => {
  const measure = (text) => text.length;
  assert.equal(fitted("#3 :40002", 9, measure), "#3 :40002");
  assert.equal(fitted("nbserver-serve-8008", 12, measure), "nbserver-se…");
  assert.equal(fitted("long name", 6, measure), "long…");
});

test("lanes taken alone keep what they were told of 10 000 connections quickly", () => {
  const lanes = new Lanes();
  const rows = Array.from({ length: 10000 }, (_, i) => ({ id: i + 1, state: "receiving", peer: "", in: 0, out: 0, last: 100, opened: 50, since: 0 }));
  lanes.takePast({ loop: [], queue: [], lanes: [] }, rows, 101);
  assert.equal(lanes.list({ from: 0, onlyOpen: true, isServing: true }).length, 10001);
});
