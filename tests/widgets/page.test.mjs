// What the views compute without a page: links, the desk, the list, settings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { keepSelection } from "../../nbserver/widgets/js/board.js";
import { sameBytes } from "../../nbserver/widgets/js/bubbles.js";
import { makeDesk, remember, stepHistory } from "../../nbserver/widgets/js/desk.js";
import { makeLink } from "../../nbserver/widgets/js/link.js";
import { moveTo, offsetsOf, rowAt } from "../../nbserver/widgets/js/list.js";
import { stepScale } from "../../nbserver/widgets/js/settings.js";

function makeModel({ control = true, kernel } = {}) {
  const sent = [];
  return { sent, get: (name) => ({ control, key: "hub-1" })[name], widget_manager: { kernel }, send: (request) => sent.push(request) };
}
const makeKernel = () => ({ clientId: "session", messages: [], sendControlMessage(...args) { this.messages.push(args); } });

test("a wish takes the control channel, and the comm if no answer comes, with the same rid", async () => {
  const [kernel, timers] = [makeKernel(), []];
  const model = makeModel({ kernel });
  const link = makeLink(model, { later: (act, wait) => timers.push({ act, wait }), forget: () => {} });
  const ack = link.wish({ do: "stop" });
  const [message, expectReply, dispose] = kernel.messages[0];
  assert.deepEqual([message.channel, message.header.msg_type, message.header.session, message.content.hub, expectReply, dispose],
    ["control", "nbserver_request", "session", "hub-1", false, true]);
  assert.equal(model.sent.length, 0);
  timers.find(({ wait }) => wait === 1500).act();
  assert.equal(model.sent[0].rid, message.content.request.rid);
  link.acked({ rid: model.sent[0].rid, ok: true });
  assert.equal((await ack).ok, true);
});

test("without a control channel, or when it refuses, the comm carries the wish", () => {
  const dead = { clientId: "", sendControlMessage() { throw new Error("Kernel is dead"); } };
  for (const options of [{ control: false, kernel: makeKernel() }, { kernel: undefined }, { kernel: dead }]) {
    const model = makeModel(options);
    makeLink(model, { later: () => 0 }).say({ do: "hello" });
    assert.equal(model.sent[0].do, "hello");
    assert.match(model.sent[0].rid, /^[0-9a-f]{32}$/);
  }
});

test("a wish that nobody answers ends with an answer all the same", async () => {
  const timers = [];
  const link = makeLink(makeModel({ control: false }), { later: (act, wait) => timers.push({ act, wait }), forget: () => {} });
  const ack = link.wish({ do: "stop" });
  timers.find(({ wait }) => wait === 15000).act();
  assert.deepEqual([(await ack).ok, (await ack).code], [false, "silent"]);
});

test("what a kernel that is alive does not answer waits for a running cell, and is not given up", async () => {
  const timers = [];
  let isAlive = true;
  const link = makeLink(makeModel({ control: false }), { later: (act) => timers.push(act), forget: () => {}, isAlive: () => isAlive });
  let ack;
  link.wish({ do: "reply" }).then((answer) => { ack = answer; });
  for (let i = 0; i < 3; i++) timers.pop()();
  await null;
  assert.equal(ack, undefined);
  isAlive = false;
  timers.pop()();
  await null;
  assert.equal(ack.code, "silent");
});

test("a text is said to be on its way when it takes long, until it is answered", async () => {
  let [now, answer] = [100, null];
  const wish = () => new Promise((resolve) => { answer = resolve; });
  const desk = makeDesk({ wish, changed: () => {}, life: () => "life", clock: () => now });
  const done = desk.submit("connections", 3, { do: "reply", text: "hello", ask: 1 });
  now += 1;
  assert.equal(desk.hasNote("connections", 3), false);
  now += 1;
  assert.equal(desk.late("connections", 3), "hello");
  assert.equal(desk.hasNote("connections", 3), true);
  assert.equal(desk.late("connections", 4), undefined);
  answer({ ok: true });
  await done;
  assert.equal(desk.late("connections", 3), undefined);
});

const makeAnsweringDesk = (ack) => makeDesk({ wish: async () => ack, changed: () => {}, life: () => "life" });

test("a refused text comes back to the desk, an accepted one is gone", async () => {
  const desk = makeAnsweringDesk({ ok: false, code: "ended", error: "gone" });
  desk.type("connections", 3, "hello");
  assert.equal(await desk.submit("connections", 3, { do: "reply", text: "hello", ask: 1 }), false);
  assert.equal(desk.draft("connections", 3), "hello");
  assert.equal(desk.refusal("connections", 3).code, "ended");
  desk.discard("connections", 3);
  assert.equal(desk.draft("connections", 3), "");
  const kind = makeAnsweringDesk({ ok: true });
  await kind.submit("connections", 3, { do: "reply", text: "hello", ask: 1 });
  assert.equal(kind.draft("connections", 3), "");
  assert.deepEqual(kind.history("connections"), ["hello"]);
});

test("a new text is not overwritten by one that comes back refused", async () => {
  const desk = makeAnsweringDesk({ ok: false, code: "busy", error: "" });
  const answer = desk.submit("connections", 3, { do: "reply", text: "first", ask: 0 });
  desk.type("connections", 3, "second");
  await answer;
  assert.equal(desk.draft("connections", 3), "second");
  assert.equal(desk.refusal("connections", 3).text, "first");
});

test("an input() is answered once, until the kernel has spoken", async () => {
  const desk = makeAnsweringDesk({ ok: true });
  const answer = desk.submit("connections", 3, { do: "reply", text: "", ask: 4 });
  assert.equal(desk.isAnswered("connections", { id: 3, ask: 4 }), true);
  assert.equal(desk.isAnswered("connections", { id: 3, ask: 5 }), false);
  await answer;
  assert.equal(desk.isAnswered("connections", { id: 3, ask: 4 }), false);
});

test("earlier texts come back, and the draft behind them", () => {
  const history = remember(remember(remember([], "a"), "a"), "b");
  assert.deepEqual(history, ["a", "b"]);
  let past = { at: 0, draft: "" };
  const seen = [1, 1, 1, -1, -1].map((direction) => (past = stepHistory(history, past, direction, "draft")).text);
  assert.deepEqual(seen, ["b", "a", "a", "b", "draft"]);
});

test("rows of different heights are found by their place", () => {
  const offsets = offsetsOf([1, 2, 3], (height) => height * 10);
  assert.deepEqual([...offsets], [0, 10, 30, 60]);
  assert.deepEqual([-5, 0, 9, 10, 29, 30, 1000].map((y) => rowAt(offsets, y)), [0, 0, 0, 1, 1, 2, 2]);
  assert.equal(rowAt(offsetsOf([], () => 1), 5), 0);
});

test("keys lead through the list and stay in it", () => {
  assert.deepEqual(["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "x"].map((key) => moveTo(key, 5, 10, 8)), [6, 4, 0, 9, 9, 0, undefined]);
});

test("the selection stays, or goes to the next that is left", () => {
  const rows = [{ id: 2 }, { id: 4 }];
  assert.deepEqual([null, 2, 3, 9].map((id) => keepSelection(rows, id)), [2, 2, 4, 4]);
  assert.equal(keepSelection([], 3), null);
});

test("sizes go up and down and stop at the ends", () => {
  assert.deepEqual([stepScale(1, 1), stepScale(1, -1), stepScale(2.4, 1), stepScale(0.85, -1), stepScale(1.1, 1)], [1.2, 0.85, 2.4, 0.85, 1.2]);
});

test("equal bytes", () => {
  assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
  assert.equal(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1)), false);
});
