// What is copied: one message as text, as hex or as a literal for Python, and a transcript as lines. Pure, no DOM.
import { cardIn, plain } from "./card.js";
import { clock, day } from "./format.js";
import { decode, makeReader, tokens } from "./text.js";

const hex = (byte) => byte.toString(16).padStart(2, "0");
const ESCAPES = { 9: "\\t", 10: "\\n", 13: "\\r", 39: "\\'", 92: "\\\\" };
const SIGNS = { received: "←", sent: "→", asked: "?", answered: ">", printed: " ", notice: "i", card: "!", error: "!", opened: "·", closed: "·", eof: "·", passed: "…" };
const TRAFFIC = new Set(["received", "sent"]);

/** Tokens as one sees them: what could not be seen goes as its name, so that no hidden character is pasted anywhere. */
const seen = (list, ends) => list.map(({ kind, text }) => ({ break: ends, end: ends === "\n" ? "" : text }[kind] ?? text)).join("");

/** What stands in the bubble, with its line breaks. */
export function asText(bytes, encoding) {
  const { tokens: read, half } = decode(bytes, encoding);
  return seen(read, "\n") + Array.from(half, (byte) => `\\x${hex(byte)}`).join("");
}

/** "68 69 0a": `bytes.fromhex()` takes it. */
export const asHex = (bytes) => Array.from(bytes, hex).join(" ");

/** b'hi\n', as Python itself writes it, save that the quotes are always single ones. */
export function asLiteral(bytes) {
  const letter = (byte) => ESCAPES[byte] ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hex(byte)}`);
  return `b'${Array.from(bytes, letter).join("")}'`;
}

/** A whole transcript: a line for each entry with its time and its sign, and one for each day. */
export function transcriptText({ title, entries, encoding, isStream, language, words }) {
  const read = makeReader(encoding, isStream);
  const lines = [title];
  let [last, today] = [0, ""];
  for (const entry of entries) {
    if (day(entry.time, language) !== today) lines.push(today = day(entry.time, language));
    if (entry.n > last + 1) lines.push(words("notKept", { count: entry.n - last - 1 }));
    last = entry.n;
    lines.push(`${clock(entry.time)} ${SIGNS[entry.kind] ?? "·"} ${lineOf(entry, read, words)}`.trimEnd());
  }
  return `${lines.join("\n")}\n`;
}

const cardText = ({ title, why, todo, where, line }) => [plain(title), ...(where ? [`${where}: ${line}`] : []), plain(why), `→ ${plain(todo)}`].join("\n    ");

function lineOf(entry, read, words) {
  const isCut = entry.size > entry.bytes.length;
  if (entry.kind === "passed") return words("notKept", { count: entry.size });
  if (entry.kind === "eof") return words("eof");
  if (TRAFFIC.has(entry.kind)) return seen(read(entry.kind, entry.bytes, isCut).tokens, "") + (isCut ? " …" : "");
  const text = new TextDecoder().decode(entry.bytes);
  if (entry.kind === "card") return cardText(cardIn(entry, words.language));
  if (entry.kind === "error") return text.trimEnd().split("\n").map((line) => seen(tokens(line), "")).join("\n    ");
  const said = seen(tokens(text.replace(/\r?\n$/, "")), "");
  return { opened: `${words("opened")}: ${said}`, closed: `${words("ended")}: ${said && words.note(said)}` }[entry.kind] ?? said;
}
