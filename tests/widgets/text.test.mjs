import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, fold, kindOf, makeReader, nameOf, tokens } from "../../nbserver/widgets/js/text.js";

const utf8 = (string) => new TextEncoder().encode(string);
const flat = (list) => list.map((token) => (token.kind === "text" ? token.text : token.kind === "break" ? "" : `[${token.text}]`)).join("");
const shown = (string) => flat(tokens(string));

test("every code point that cannot be seen becomes a chip, every other one stays as it is", () => {
  const unseen = /^[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]$/u;
  const blank = /^[\p{Zs}\u2800]$/u;
  for (let point = 0; point <= 0x10ffff; point++) {
    const character = String.fromCodePoint(point);
    const isChip = unseen.test(character) || (blank.test(character) && character !== " " && character !== "\u3000");
    const [{ kind, text }] = tokens(character);
    const isRight = isChip ? kind !== "text" && /^[\x21-\x7e]+$/.test(text) : kind === "text" && text === character;
    if (!isRight) assert.fail(`U+${point.toString(16)} is shown as ${kind} ${text}`);
  }
});

test("chips name what they stand for", () => {
  assert.equal(shown("a\r\nb"), "a[\\r\\n]b");
  assert.equal(shown("\x1b[31m"), "[ESC][31m");
  assert.equal(shown("\u202eevil"), "[RLO]evil");
  assert.equal(nameOf("\u0600"), "U+0600");
  assert.equal(kindOf("\u202e"), "bidi");
  assert.equal(kindOf("\ue000"), "private");
  assert.equal(kindOf("中"), "");
});

test("a shown line feed also breaks the line, and a typed backslash is no chip", () => {
  assert.deepEqual(tokens("a\nb").map((token) => token.kind), ["text", "end", "break", "text"]);
  assert.deepEqual(tokens("\\n"), [{ kind: "text", text: "\\n" }]);
});

test("neighbours of one kind are one chip", () => {
  assert.equal(shown("\0".repeat(4096)), "[\\x00 ×4096]");
  assert.equal(tokens("\u200b\u200c".repeat(2000)).length, 1);
});

test("a text of many chips is cut, with the number of what is left", () => {
  const list = tokens("a\0".repeat(4000));
  assert.ok(list.length <= 402);
  assert.deepEqual(list.at(-1).kind, "rest");
});

test("joined pictures stay whole, a joiner between letters does not hide", () => {
  assert.equal(shown("👨‍👩‍👧 ❤️ 1️⃣"), "👨‍👩‍👧 ❤️ 1️⃣");
  assert.equal(shown("a\u200db"), "a[ZWJ]b");
});

test("stacked marks beyond four are named", () => {
  assert.equal(shown(`Z${"\u0302".repeat(6)}`), `Z${"\u0302".repeat(4)}[U+0302 U+0302]`);
});

test("bytes that are not UTF-8 are told one by one", () => {
  const { tokens: list, half } = decode(Uint8Array.of(0x61, 0xff, 0xfe, 0x62, 0xed, 0xa0, 0x80), "utf-8");
  assert.equal(flat(list), "a[\\xff\\xfe]b[\\xed\\xa0\\x80]");
  assert.equal(half.length, 0);
});

test("what is UTF-8 is what the platform says, for every first byte and the borders of the second", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isValid = (bytes) => { try { strict.decode(bytes); return true; } catch { return false; } };
  for (let first = 0; first < 256; first++) {
    for (const second of [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
      const bytes = Uint8Array.of(first, second, 0x80, 0x80);
      for (const length of [1, 2, 3, 4]) {
        const part = bytes.subarray(0, length);
        const { tokens: list, half } = decode(part, "utf-8");
        assert.equal(half.length === 0 && list.every((token) => token.kind !== "raw"), isValid(part), [...part].join());
      }
    }
  }
});

test("a character cut in two goes on in the next message of that direction", () => {
  const read = makeReader("utf-8", true);
  const [first, second] = [utf8("你好").subarray(0, 4), utf8("你好").subarray(4)];
  const before = read("received", first, false);
  assert.equal(flat(before.tokens), "你[\\xe5]");
  assert.equal(before.tokens.at(-1).kind, "half");
  assert.equal(flat(read("sent", utf8("x"), false).tokens), "x");
  const after = read("received", second, false);
  assert.deepEqual([after.before, flat(after.tokens)], ["joined", "好"]);
});

test("a half character that does not go on is broken", () => {
  const read = makeReader("utf-8", true);
  read("received", Uint8Array.of(0xe4), false);
  const after = read("received", utf8("ok"), false);
  assert.deepEqual([after.before, flat(after.tokens)], ["broken", "ok"]);
  assert.equal(read("received", utf8("ok"), false).before, "");
});

test("nothing is joined across datagrams, nor behind the cut of a long body", () => {
  for (const [isStream, isCut] of [[false, false], [true, true]]) {
    const read = makeReader("utf-8", isStream);
    read("received", Uint8Array.of(0xe4), isCut);
    assert.equal(read("received", Uint8Array.of(0xbd, 0xa0), false).before, "");
  }
});

test("a long text is folded to its beginning, a short one is not", () => {
  const folded = fold(tokens("A".repeat(4096)));
  assert.deepEqual(folded.map(({ kind, text }) => [kind, text.length]), [["text", 600], ["rest", 1]]);
  assert.equal(fold(tokens("line\n".repeat(40))).filter(({ kind }) => kind === "break").length, 12);
  assert.ok(fold(tokens("a\0".repeat(4000))).length < 70);
  const short = tokens("hello\r\n");
  assert.equal(fold(short), short);
});

test("hostile bytes take little time", () => {
  const bytes = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256);
  const start = performance.now();
  for (let i = 0; i < 50; i++) decode(bytes, "utf-8");
  assert.ok(performance.now() - start < 1000);
});
