import assert from "node:assert/strict";
import { test } from "node:test";
import { onward } from "../../nbserver/widgets/js/ring.js";
import { carriedWords, circleWords, direction, doing, moreWords, parts, spent } from "../../nbserver/widgets/js/waitwords.js";
import { speak } from "../../nbserver/widgets/js/words.js";

const words = speak("en");
const one = { who: ["connection", 1, "here"], whom: ["client", 1, ""], why: "receive", call: "recv", since: 100 };
const other = { who: ["client", 1, ""], whom: ["connection", 1, "here"], why: "receive", call: "recv", since: 100 };

test("a time of waiting has tenths as long as they can be read", () => {
  assert.deepEqual([0.04, 4.23, 9.94, 12.4, 75].map(spent), ["0.0 s", "4.2 s", "9.9 s", "12 s", "1 m 15 s"]);
});

test("an arrow goes to the one who is waited for", () => {
  assert.equal(direction(one, other), "both");
  assert.equal(direction(one, { ...other, whom: null }), "there");
  assert.equal(direction({ ...one, whom: ["you", 0, ""] }, other), "back");
  assert.equal(direction({ ...one, whom: ["client", 2, ""] }, { who: ["client", 1, ""] }), "none");
});

test("what somebody does is said with whom and how long", () => {
  assert.equal(doing(one, 103.2, words), "blocked in recv() for 3.2 s: waits for client 1");
  assert.equal(doing({ ...one, why: "person" }, 112, words), "handler 1 has been waiting for you for 12 s");
  assert.equal(doing({ ...other, why: "person" }, 112, words), "client 1 has been waiting for you for 12 s");
  assert.equal(doing({ who: ["peer", 1, "x"] }, 0, words), "has closed its side");
  assert.equal(circleWords([one, other], words), "#1 waits in recv() for client 1, client 1 waits in recv() for #1");
});

test("a bar has what is under way, and none when all has been read", () => {
  assert.equal(parts([10, 0, 0, 0, 10]), null);
  assert.deepEqual(parts([1000, 0, 400, 500, 100]), [["read", 100], ["unread", 500], ["queued", 400]]);
  assert.equal(carriedWords([1000, 0, 400, 0, null], words), "send() has taken 1.0 kB · still queued here: 400 B");
});

test("those who are not shown are counted by what they wait for", () => {
  assert.equal(moreWords({ receive: 940, lock: 2 }, words), "and 940 more in recv(), and 2 more");
  assert.equal(moreWords({}, words), "");
});

test("the sign goes on clockwise, and round once for each turn, but not for ever", () => {
  assert.equal(onward(0, 1, 1), 120);
  assert.equal(onward(120, 0, 0), 360);
  assert.equal(onward(360, 0, 1), 720);
  assert.equal(onward(0, 0, 1000), 720);
  assert.equal(onward(240, 1, 2), 840);
});
