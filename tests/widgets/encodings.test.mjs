import assert from "node:assert/strict";
import { test } from "node:test";
import { ENCODINGS } from "../../nbserver/widgets/js/encodings.js";
import { decode, makeReader } from "../../nbserver/widgets/js/text.js";

const bytes = (...values) => Uint8Array.from(values.flat());
const flat = (list) => list.map((token) => (token.kind === "text" ? token.text : token.kind === "break" ? "" : `[${token.text}]`)).join("");
const shown = (values, encoding) => flat(decode(bytes(values), encoding).tokens);

test("each encoding reads what was written in it", () => {
  const written = {
    "utf-8": [[0xe4, 0xbd, 0xa0], "你"], ascii: [[0x68, 0x69], "hi"], "latin-1": [[0xe9, 0xdf], "éß"],
    "windows-1252": [[0x80, 0x93, 0xe9], "€“é"], "utf-16le": [[0x60, 0x4f, 0x3d, 0xd8, 0x00, 0xde], "你😀"],
    "utf-16be": [[0x4f, 0x60, 0xd8, 0x3d, 0xde, 0x00], "你😀"], gbk: [[0xc4, 0xe3, 0x81, 0x39, 0xef, 0x39], "你㐊"],
    big5: [[0xa7, 0x41, 0x21], "你!"], shift_jis: [[0x82, 0xa0, 0xb1], "あｱ"], "euc-kr": [[0xb0, 0xa1, 0x2e], "가."],
  };
  assert.deepEqual(Object.keys(written), ENCODINGS);
  for (const [encoding, [data, text]] of Object.entries(written)) assert.equal(shown(data, encoding), text, encoding);
});

test("bytes that are no character of the encoding are told one by one", () => {
  assert.equal(shown([0x61, 0x80, 0xff], "ascii"), "a[\\x80\\xff]");
  assert.equal(shown([0x61, 0x81, 0x62], "windows-1252"), "a[\\x81]b");
  assert.equal(shown([0xe9, 0x80], "latin-1"), "é[\\x80]");
  assert.equal(shown([0x00, 0xdc, 0x61, 0x00], "utf-16le"), "[\\x00\\xdc]a");
  assert.equal(shown([0xd8, 0x3d, 0x00, 0x61], "utf-16be"), "[\\xd8\\x3d]a");
  assert.equal(shown([0x84, 0x31, 0xa5, 0x30, 0x61], "gbk"), "[\\x84]1[\\xa5]0a", "no four bytes of GB 18030");
  assert.equal(shown([0xff, 0x61], "gbk"), "[\\xff]a");
});

test("a character that is cut anywhere goes on in the next message, in every encoding", () => {
  const texts = { "utf-8": [0xf0, 0x9f, 0x98, 0x80], "utf-16le": [0x3d, 0xd8, 0x00, 0xde], "utf-16be": [0xd8, 0x3d, 0xde, 0x00], gbk: [0x81, 0x39, 0xef, 0x39], big5: [0xa7, 0x41], shift_jis: [0x82, 0xa0], "euc-kr": [0xb0, 0xa1] };
  for (const [encoding, whole] of Object.entries(texts)) {
    for (let cut = 1; cut < whole.length; cut++) {
      const read = makeReader(encoding, true);
      const before = read("received", bytes(whole.slice(0, cut)), false);
      assert.deepEqual(before.tokens.map(({ kind }) => kind), ["half"], `${encoding} ${cut}`);
      const after = read("received", bytes(whole.slice(cut)), false);
      assert.deepEqual([after.before, flat(after.tokens)], ["joined", shown(whole, encoding)], `${encoding} ${cut}`);
    }
  }
});

test("UTF-16 that is cut within a unit is not read askew, even where no character comes of it", () => {
  const read = makeReader("utf-16le", true);
  read("received", bytes(0x00), false);
  assert.equal(flat(read("received", bytes(0xdc, 0x61, 0x00), false).tokens), "[\\x00\\xdc]a");
  read("received", bytes(0x3d, 0xd8), false);
  const after = read("received", bytes(0x61, 0x00), false);
  assert.deepEqual([after.before, flat(after.tokens)], ["broken", "a"]);
});

test("hostile bytes take little time in every encoding", () => {
  const data = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256);
  for (const encoding of ENCODINGS) {
    decode(data, encoding);
    const start = performance.now();
    for (let i = 0; i < 20; i++) decode(data, encoding);
    assert.ok(performance.now() - start < 1000, encoding);
  }
});
