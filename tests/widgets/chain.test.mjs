// What the call chain says of its calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hueOf, lasting, lookUp, reachedAt, took } from "../../nbserver/widgets/js/chainsteps.js";

const call = (state, begin = null, name = "handle", seconds = null) => ({ state, begin, name, seconds });
const words = (key) => key;

test("a class has the same colour wherever it stands, and object has none", () => {
  const classes = ["Mine", "TCPServer", "BaseServer", "object", "Handler", "object"];
  assert.deepEqual(["Mine", "BaseServer", "Handler", "object", "unknown"].map((name) => hueOf(classes, name)), ["0", "2", "3", "none", "none"]);
});

test("the chain is where it is held, else in the innermost call that runs, else at the last that was made", () => {
  const loop = call("running", 1, "serve_forever");
  assert.equal(reachedAt([loop, call("running", 2), call("running", 3), call("to come")]), 2);
  assert.equal(reachedAt([loop, call("running", 2), call("held"), call("to come")]), 2);
  assert.equal(reachedAt([loop, call("returned", 2), call("returned", 3)]), 2);
  assert.equal(reachedAt([call("unseen"), call("to come")]), 0);
});

test("durations from microseconds to minutes", () => {
  assert.deepEqual([0.000001, 0.0004, 0.0042, 0.25, 8.34, 75].map(lasting), ["< 0.01 ms", "0.40 ms", "4.2 ms", "250 ms", "8.3 s", "1 m 15 s"]);
});

test("a call that runs has lasted until now, one that is held says what it waits for", () => {
  assert.equal(took(call("running", 10), 12.5, words), "2.5 s");
  assert.equal(took(call("held"), 12, words), "chain.waitsForNext");
  assert.equal(took(call("unseen"), 12, words), "chain.before");
  assert.equal(took(call("to come"), 12, words), "");
});

test("a look-up passes classes until one has the name, and asks no further", () => {
  assert.deepEqual(lookUp(["A", "B", "C"], "B").map(({ how }) => how), ["passed", "found", "rest"]);
  assert.deepEqual(lookUp(["A", "B"], undefined).map(({ how }) => how), ["rest", "rest"]);
});
