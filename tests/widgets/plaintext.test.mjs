import assert from "node:assert/strict";
import { test } from "node:test";
import { asHex, asLiteral, asText, transcriptText } from "../../nbserver/widgets/js/plaintext.js";
import { speak } from "../../nbserver/widgets/js/words.js";

const utf8 = (string) => new TextEncoder().encode(string);
const entry = (n, kind, text, time = 1_760_000_000) => ({ n, kind, time, bytes: utf8(text), size: utf8(text).length });

test("a message is copied as it is seen: line breaks as such, and nothing that hides", () => {
  assert.equal(asText(utf8("你好\r\nb\n"), "utf-8"), "你好\nb\n");
  assert.equal(asText(utf8("a\u202eb\x1b[0m\0"), "utf-8"), "aRLObESC[0m\\x00");
  assert.equal(asText(Uint8Array.of(0xc4, 0xe3, 0xba), "gbk"), "你\\xba");
});

test("as hex and as bytes nothing is lost", () => {
  assert.equal(asHex(Uint8Array.of(0, 0x68, 0xff)), "00 68 ff");
  assert.equal(asLiteral(utf8("it's\t\\ \r\n\0é")), String.raw`b'it\'s\t\\ \r\n\x00\xc3\xa9'`);
});

test("a transcript is copied as lines with time, sign and escaped text, and tells what is missing", () => {
  const entries = [
    entry(3, "received", "hi\r\n"), entry(4, "asked", "Reply? "), entry(5, "answered", "yes"), entry(6, "sent", "yes\n"),
    entry(7, "error", "Traceback:\n  x\nValueError: no\n"), entry(9, "closed", "closed by you"), { ...entry(10, "passed", ""), size: 12 },
    { ...entry(11, "received", "ab", 1_760_200_000), size: 9000 },
  ];
  const text = transcriptText({ title: "#1 127.0.0.1:40001", entries, encoding: "utf-8", isStream: true, language: "en", words: speak("en") });
  const lines = text.split("\n").map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, "T "));
  assert.equal(lines[0], "#1 127.0.0.1:40001");
  assert.match(lines[1], /October 2025$/);
  assert.deepEqual(lines.slice(2, 14), [
    "2 more, not kept", "T ← hi\\r\\n", "T ? Reply?", "T > yes", "T → yes\\n", "T ! Traceback:", "      x", "    ValueError: no",
    "1 more, not kept", "T · ended: closed by you", "T … 12 more, not kept", lines[13],
  ]);
  assert.match(lines[13], /October 2025$/);
  assert.equal(lines[14], "T ← ab …");
});
