// How bytes and strings from the other end become something safe and honest to show. Pure: node --test runs it as it is.
// A token is {kind: "text", text}, {kind: "break"}, or a chip: {kind, text} with one of the kinds below, which names what
// could not be seen. Classes come from Unicode itself, so a new code point needs no new list here.
import { codecOf } from "./encodings.js";

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
const FOLDED = 600; // characters of a long text that are shown at first
const FOLDED_CHIP = 20; // as many of them is a chip worth
const FOLDED_BREAKS = 12; // lines
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
    if (next === "control" && /[\r\n]/.test(character)) next = "end";
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

/** The beginning of a long text, with what is left counted; a text that is not long comes back as it is. */
export function fold(list) {
  const out = [];
  let [room, breaks] = [FOLDED, FOLDED_BREAKS];
  for (const token of list) {
    const characters = token.kind === "text" ? [...token.text] : [token];
    if (token.kind === "break") breaks -= 1;
    if (room < characters.length || breaks < 0) {
      if (token.kind === "text" && breaks >= 0) out.push({ ...token, text: characters.slice(0, room).join("") });
      return [...out, { kind: "rest", text: "…" }];
    }
    room -= token.kind === "text" ? characters.length : FOLDED_CHIP;
    out.push(token);
  }
  return list;
}

const rawChip = (bytes) => chip("raw", Array.from(bytes, (byte) => `\\x${hex(byte, 2)}`));

/** Bytes as tokens, nothing lost: what is no character of the encoding becomes a raw chip; `half` is a beginning at the end. */
export function decode(bytes, encoding) {
  const { lengthAt, unit, toText } = codecOf(encoding);
  const out = [];
  let [start, at, isText] = [0, 0, true];
  const flush = () => {
    const run = bytes.subarray(start, at);
    if (run.length) out.push(...(isText ? tokens(toText(run)) : [rawChip(run)]));
    start = at;
  };
  while (at < bytes.length && out.length < MOST_TOKENS) {
    const length = lengthAt(bytes, at);
    if (length < 0) break;
    if ((length > 0) !== isText) flush();
    isText = length > 0;
    at += length || unit;
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
  const { lengthAt, unit } = codecOf(encoding);
  const halves = new Map(); // direction → bytes
  return (direction, bytes, isCut) => {
    const pending = halves.get(direction);
    let before = "";
    let whole = bytes;
    if (pending && bytes.length) {
      const joined = Uint8Array.of(...pending, ...bytes);
      // Half a unit of UTF-16 takes the next byte in any case, or all that follows would be read askew.
      before = lengthAt(joined, 0) === 0 && pending.length % unit === 0 ? "broken" : "joined";
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
