import assert from "node:assert/strict";
import { test } from "node:test";
import { lastLine, terminalKey } from "../../nbserver/widgets/js/clients.js";

test("the answer is typed behind the last line of the prompt", () => {
  assert.deepEqual(["", "> ", "Menu\\n1) talk\\n> ", "ends\\n"].map(lastLine), ["", "> ", "> ", ""]);
});

test("a terminal's keys are those with Ctrl and nothing else, pressed once", () => {
  const press = (key, more = {}) => terminalKey({ key, ctrlKey: true, altKey: false, metaKey: false, shiftKey: false, isComposing: false, repeat: false, ...more });
  assert.deepEqual(["c", "d", "l", "v", "Enter"].map((key) => press(key)), ["c", "d", "l", "", ""]);
  for (const other of [{ ctrlKey: false }, { altKey: true }, { metaKey: true }, { shiftKey: true }, { isComposing: true }, { repeat: true }]) assert.equal(press("c", other), "");
});
