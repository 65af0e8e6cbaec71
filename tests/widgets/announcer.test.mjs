import assert from "node:assert/strict";
import { test } from "node:test";
import { makePace } from "../../nbserver/widgets/js/announcer.js";

function start() {
  const [said, timers] = [[], []];
  const pace = makePace((messages, count) => said.push([messages, count]), { later: (act, wait) => timers.push({ act, wait }), forget: () => timers.splice(0) });
  const wait = () => { const { act, wait: time } = timers.shift(); act(); return time; };
  return { said, timers, pace, wait };
}

test("what comes slowly is read out, each message once", () => {
  const { said, timers, pace, wait } = start();
  pace.add("one");
  assert.deepEqual(said, [[["one"], 1]]);
  pace.add("two");
  pace.add("three");
  assert.equal(said.length, 1, "not one after the other without a pause");
  wait();
  assert.deepEqual(said[1], [["two", "three"], 2]);
  wait();
  assert.equal(timers.length, 0, "nothing runs while nothing comes");
  pace.add("later");
  assert.deepEqual(said[2], [["later"], 1]);
});

test("of what comes fast only the number is told, and that seldom", () => {
  const { said, pace, wait } = start();
  pace.add("first");
  for (let i = 0; i < 1000; i++) pace.add(`message ${i}`);
  pace.add("", 38);
  wait();
  assert.deepEqual(said.slice(1), [[[], 1038]]);
  pace.add("calm again");
  assert.equal(wait(), 5000);
  assert.deepEqual(said[2], [["calm again"], 1]);
});
