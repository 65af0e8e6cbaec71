// Encodings, as a board reads them: how long each character is, so that halves and bytes that are no character stay visible.
// Which pairs of bytes are a character is asked of the browser itself, once for an encoding when it is first chosen.

/** Length of the UTF-8 character at `at`; 0 if these bytes are none; -1 if they are the beginning of one and nothing follows. */
function utf8Length(bytes, at) {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte after these four leads is narrower: no overlong form, no surrogate, nothing above U+10FFFF.
  const [low, high] = { 0xe0: [0xa0, 0xbf], 0xed: [0x80, 0x9f], 0xf0: [0x90, 0xbf], 0xf4: [0x80, 0x8f] }[lead] ?? [0x80, 0xbf];
  for (let i = 1; i < length; i++) {
    if (at + i >= bytes.length) return -1;
    const byte = bytes[at + i];
    if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return 0;
  }
  return length;
}

/** The same for GBK, as browsers decode it: two bytes, or the four of GB 18030. */
function gbkLength(bytes, at) {
  if (bytes[at] < 0x80) return 1;
  if (bytes[at] === 0x80 || bytes[at] === 0xff) return 0;
  const second = bytes[at + 1];
  if (second === undefined) return -1;
  if (second >= 0x40 && second <= 0xfe && second !== 0x7f) return 2;
  if (second < 0x30 || second > 0x39) return 0;
  for (const [i, low, high] of [[2, 0x81, 0xfe], [3, 0x30, 0x39]]) {
    if (at + i >= bytes.length) return -1;
    if (bytes[at + i] < low || bytes[at + i] > high) return 0;
  }
  // Of the four-byte forms two ranges are characters: the rest of the first plane, and all other planes.
  const point = (((bytes[at] - 0x81) * 10 + second - 0x30) * 126 + bytes[at + 2] - 0x81) * 10 + bytes[at + 3] - 0x30;
  return point <= 39_419 || (point >= 189_000 && point <= 1_237_575) ? 4 : 0;
}

/** UTF-16: units of two bytes, and two of these for what lies above the first plane. */
const utf16Length = (high) => (bytes, at) => {
  if (at + 1 >= bytes.length) return -1;
  const unit = bytes[at + high];
  if (unit < 0xd8 || unit > 0xdf) return 2;
  if (unit > 0xdb) return 0;
  if (at + 2 + high >= bytes.length) return -1;
  const next = bytes[at + 2 + high];
  if (next < 0xdc || next > 0xdf) return 0;
  return at + 3 < bytes.length ? 4 : -1;
};

/** Which single bytes and which pairs are characters, as the browser's decoder tells: everything decoded once, a line each. */
function tableOf(encoding) {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const isMapped = (rows) => new TextDecoder(encoding).decode(Uint8Array.from(rows.flatMap((row) => [...row, 10]))).split("\n").map((text) => !text.includes("\ufffd"));
  const singles = isMapped(all.map((byte) => (byte === 10 ? [] : [byte])));
  const leads = all.filter((byte) => !singles[byte]);
  const pairs = new Map(leads.map((lead) => [lead, isMapped(all.map((byte) => (byte === 10 ? [lead] : [lead, byte])))]));
  for (const [lead, seconds] of pairs) if (!seconds.includes(true)) pairs.delete(lead);
  return { singles, pairs };
}

/** Encodings of East Asia: one byte, or a lead and a second one. */
function pairLength(encoding) {
  let table = null;
  return (bytes, at) => {
    table ??= tableOf(encoding);
    if (table.singles[bytes[at]]) return 1;
    const seconds = table.pairs.get(bytes[at]);
    if (!seconds) return 0;
    if (at + 1 >= bytes.length) return -1;
    return seconds[bytes[at + 1]] ? 2 : 0;
  };
}

// The five bytes that Windows-1252 leaves out; browsers make control characters of them, Python refuses them.
const NOT_WINDOWS = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
const byLatin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const byBrowser = (label) => (bytes) => new TextDecoder(label, { ignoreBOM: true }).decode(bytes);
const codec = (label, lengthAt, { unit = 1, toText = byBrowser(label) } = {}) => ({ lengthAt, unit, toText });

// `unit`: so many bytes are passed over where there is no character. Latin-1 by hand: a browser's is Windows-1252.
const CODECS = {
  "utf-8": codec("utf-8", utf8Length),
  ascii: codec("utf-8", (bytes, at) => (bytes[at] < 0x80 ? 1 : 0)),
  "latin-1": codec("latin-1", () => 1, { toText: byLatin }),
  "windows-1252": codec("windows-1252", (bytes, at) => (NOT_WINDOWS.has(bytes[at]) ? 0 : 1)),
  "utf-16le": codec("utf-16le", utf16Length(1), { unit: 2 }),
  "utf-16be": codec("utf-16be", utf16Length(0), { unit: 2 }),
  gbk: codec("gb18030", gbkLength),
  big5: codec("big5", pairLength("big5")),
  shift_jis: codec("shift_jis", pairLength("shift_jis")),
  "euc-kr": codec("euc-kr", pairLength("euc-kr")),
};
export const ENCODINGS = Object.keys(CODECS);

/** {lengthAt(bytes, at), unit, toText(bytes)} of an encoding; toText is given whole characters only. */
export const codecOf = (encoding) => CODECS[encoding];
