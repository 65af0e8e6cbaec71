// How bytes and strings from the other end become something safe and honest to show. Pure: node --test runs it as it is.
// A token is {kind: "text", text}, {kind: "break"}, or a chip: {kind, text} with one of the kinds below, which names what
// could not be seen. Classes come from Unicode itself, so a new code point needs no new list here.

const CLASSES = [
  ["control", /^[\p{Cc}\p{Cs}]$/u],
  ["bidi", /^\p{Bidi_Control}$/u],
  ["private", /^\p{Co}$/u],
  ["unassigned", /^\p{Cn}$/u],
  // U+2800, the empty Braille pattern, is the one blank that Unicode counts among the visible symbols.
  ["invisible", /^[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$/u],
  ["space", /^(?![ \u3000])\p{Zs}$/u],
];
const NAMES = new Map(Object.entries({
  "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "ESC", "\x7f": "DEL", "\xa0": "NBSP", "\xad": "SHY", "\u200b": "ZWSP", "\u200c": "ZWNJ",
  "\u200d": "ZWJ", "\u200e": "LRM", "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO",
  "\u202e": "RLO", "\u2060": "WJ", "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
}));
const MOST_MARKS = 4; // combining marks on one letter that are still a script and not a prank
const MOST_TOKENS = 400; // of one text: every chip is an element in the page
const MOST_PARTS = 8; // names in one chip
const isPicture = (text) => /\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]*$/u.test(text);
const startsPicture = (text) => /^\p{Extended_Pictographic}/u.test(text);

const hex = (number, width) => number.toString(16).padStart(width, "0");

/** Why a character cannot be shown as it is; "" if it can. */
export function kindOf(character) {
  if (character >= " " && character <= "~") return "";
  return CLASSES.find(([, pattern]) => pattern.test(character))?.[0] ?? "";
}

/** What a chip writes for a character. */
export function nameOf(character) {
  const point = character.codePointAt(0);
  return NAMES.get(character) ?? (point < 0x100 ? `\\x${hex(point, 2)}` : `U+${hex(point, 4).toUpperCase()}`);
}

/** Characters that only serve the picture before them: joiners between two pictures, variation selectors behind one. */
function belongsToPicture(character, before, after) {
  if (character === "\u200d") return isPicture(before) && startsPicture(after);
  return (character === "\ufe0f" || character === "\ufe0e") && (isPicture(before) || /[0-9#*]$/.test(before));
}

/** A chip for neighbours of one kind: the same name again is counted, and a long row of names is cut. */
function chip(kind, names) {
  const parts = [];
  for (const name of names) {
    if (parts.at(-1)?.name === name) parts.at(-1).times += 1;
    else parts.push({ name, times: 1 });
  }
  const shown = parts.slice(0, MOST_PARTS).map(({ name, times }) => (times > 3 ? `${name} ×${times}` : Array(times).fill(name).join(glue(name))));
  const rest = parts.slice(MOST_PARTS).reduce((sum, part) => sum + part.times, 0);
  return { kind, text: shown.join(glue(shown[0])) + (rest ? ` … +${rest}` : "") };
}

const glue = (name) => (name.startsWith("\\") ? "" : " ");

/** A string as tokens. */
export function tokens(string) {
  const out = [];
  const characters = [...string];
  let [plain, names, kind, marks, i] = ["", [], "", 0, 0];
  const flush = () => {
    if (plain) out.push({ kind: "text", text: plain });
    if (names.length) out.push(chip(kind, names));
    [plain, names, kind] = ["", [], ""];
  };
  for (; i < characters.length && out.length < MOST_TOKENS; i++) {
    const character = characters[i];
    marks = /^\p{M}$/u.test(character) ? marks + 1 : 0;
    let next = marks > MOST_MARKS ? "marks" : kindOf(character);
    if (next && belongsToPicture(character, plain.slice(-8), characters[i + 1] ?? "")) next = "";
    if (next !== kind) flush();
    kind = next;
    if (!next) { plain += character; continue; }
    names.push(nameOf(character));
    if (character === "\n") { flush(); out.push({ kind: "break" }); }
  }
  flush();
  if (i < characters.length) out.push({ kind: "rest", text: `… +${characters.length - i}` });
  return out;
}

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
  return 4;
}

const LENGTHS = { "utf-8": utf8Length, gbk: gbkLength, "latin-1": () => 1 };
export const ENCODINGS = Object.keys(LENGTHS);

/** Decodes bytes that are whole characters. By hand for Latin-1: a browser's TextDecoder("latin1") is Windows-1252. */
function decodeWhole(bytes, encoding) {
  if (encoding === "latin-1") return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

const rawChip = (bytes) => chip("raw", Array.from(bytes, (byte) => `\\x${hex(byte, 2)}`));

/** Bytes as tokens, nothing lost: what is no character of the encoding becomes a raw chip; `half` is a beginning at the end. */
export function decode(bytes, encoding) {
  const lengthAt = LENGTHS[encoding];
  const out = [];
  let [start, at, isText] = [0, 0, true];
  const flush = () => {
    const run = bytes.subarray(start, at);
    if (run.length) out.push(...(isText ? tokens(decodeWhole(run, encoding)) : [rawChip(run)]));
    start = at;
  };
  while (at < bytes.length && out.length < MOST_TOKENS) {
    const length = lengthAt(bytes, at);
    if (length < 0) break;
    if ((length > 0) !== isText) flush();
    isText = length > 0;
    at += length || 1;
  }
  flush();
  if (at < bytes.length && out.length >= MOST_TOKENS) return { tokens: [...out, { kind: "rest", text: `… +${bytes.length - at} B` }], half: new Uint8Array() };
  return { tokens: out, half: bytes.subarray(at) };
}

/**
 * Reads the entries of one transcript in their order. A character that is cut in two by the end of one message is shown
 * in the next message of that direction, because that is where a program that decodes the stream gets it.
 * `before` tells what became of the half that the message before ended with: "joined", "broken", or "" if there was none.
 */
export function makeReader(encoding, isStream) {
  const halves = new Map(); // direction → bytes
  return (direction, bytes, isCut) => {
    const pending = halves.get(direction);
    let before = "";
    let whole = bytes;
    if (pending && bytes.length) {
      const joined = Uint8Array.of(...pending, ...bytes);
      before = LENGTHS[encoding](joined, 0) === 0 ? "broken" : "joined";
      if (before === "joined") whole = joined;
    }
    const { tokens: read, half } = decode(whole, encoding);
    // Behind the cut of a long body the page does not know what follows, so nothing can be joined there.
    if (isStream && half.length && !isCut) halves.set(direction, half.slice());
    else if (bytes.length) halves.delete(direction);
    if (half.length) read.push({ ...rawChip(half), kind: isCut ? "raw" : "half" });
    return { tokens: read, before };
  };
}
