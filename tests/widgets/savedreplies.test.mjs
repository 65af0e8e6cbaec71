import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesLabel } from "../../nbserver/widgets/js/rules.js";
import { savedByKey, savedByTyping } from "../../nbserver/widgets/js/savedreplies.js";
import { speak } from "../../nbserver/widgets/js/words.js";

const key = (code, more = {}) => ({ altKey: true, ctrlKey: false, metaKey: false, shiftKey: false, code, ...more });

test("Alt and a digit mean a saved reply, by the key's place, and nothing else does", () => {
  assert.deepEqual(["Digit1", "Digit9", "Numpad3"].map((code) => savedByKey(key(code))), [0, 8, 2]);
  assert.deepEqual(["Digit0", "KeyA", undefined].map((code) => savedByKey(key(code))), [-1, -1, -1]);
  for (const more of [{ altKey: false }, { ctrlKey: true }, { metaKey: true }, { shiftKey: true }]) assert.equal(savedByKey(key("Digit1", more)), -1);
});

test("letters choose: the same again goes on, a longer beginning stays where it fits", () => {
  const texts = ["Well done", "Try again", "well, no", "谢谢"];
  assert.equal(savedByTyping(texts, -1, "w"), 0);
  assert.equal(savedByTyping(texts, 0, "w"), 2);
  assert.equal(savedByTyping(texts, 2, "W"), 0);
  assert.equal(savedByTyping(texts, 2, "we"), 2);
  assert.equal(savedByTyping(texts, 2, "well d"), 0);
  assert.equal(savedByTyping(texts, 0, "谢"), 3);
  assert.equal(savedByTyping(texts, 0, "x"), -1);
  assert.equal(savedByTyping([], -1, "x"), -1);
});

test("the head's button counts the rules that are on", () => {
  const rules = (...on) => on.map((isOn) => ({ isOn }));
  assert.deepEqual([rules(), rules(false), rules(true, false), rules(true, true)].map((each) => rulesLabel(each, speak("en"))), ["Rules", "Rules", "1 rule on", "2 rules on"]);
});
