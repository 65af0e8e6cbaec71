// The byte ruler's arithmetic: where a byte stands, what is written in its place. Pure: node --test runs it as it is.
import { codecOf } from "./encodings.js";
import { kindOf, nameOf } from "./text.js";

export const ZOOMS = [0.3, 0.6, 1, 1.35, 2]; // em for one byte
const MOST = 96; // bytes of one stretch that are drawn to scale; of a longer one the rest is a tear
const TEAR = 2.4; // em
const HOLE = 6; // em, however many bytes it stands for

const toPiece = ([begin, size, time, call, line], lines) => ({ begin, size, time, call, where: lines[line], end: begin + size, isGap: call === "" });
const toGroup = ([begin, end, sends, recvs, kind]) => ({ begin, end, sends, recvs, kind });

/** What the kernel told of one direction, as objects: see PROTOCOL.md, "ruler". */
export function toWay(told, lines) {
  const row = (name) => told[name] && { total: told[name].total, pieces: told[name].pieces.map((piece) => toPiece(piece, lines)) };
  return {
    from: told.from, total: told.total, flying: told.flying, since: told.since, sends: row("sends"), recvs: row("recvs"),
    groups: told.groups.map(toGroup), framed: told.framed,
    halves: new Map(told.halves.map(([begin, have, needs, before, error]) => [begin, { have, needs, before, error }])),
    known: told.known.map(([begin, text]) => ({ begin, bytes: Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) })),
  };
}

/**
 * The stretches between neighbouring marks, with their place in em: every piece begins and ends at the edge of one. A long stretch is
 * drawn shorter than it is (`isTorn`), and one of which no byte is kept has one width whatever it stands for (`isHole`).
 */
export function stretchesOf(way, unit) {
  const edges = new Set([way.since, way.total]);
  const note = (at) => { if (at > way.since && at < way.total) edges.add(at); };
  for (const row of [way.sends, way.recvs]) for (const piece of row?.pieces ?? []) { note(piece.begin); note(piece.end); }
  for (const { begin, bytes } of way.known) { note(begin); note(begin + bytes.length); }
  for (const [begin, size] of way.framed?.messages ?? []) { note(begin); note(begin + size); }
  const sorted = [...edges].sort((a, b) => a - b);
  let x = way.since > 0 ? HOLE : 0;
  const out = way.since > 0 ? [{ begin: 0, end: way.since, x: 0, width: HOLE, isTorn: false, isHole: true }] : [];
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [begin, end] = [sorted[i], sorted[i + 1]];
    const isHole = !way.known.some((run) => run.begin < end && run.begin + run.bytes.length > begin);
    const isTorn = !isHole && end - begin > MOST;
    const width = isHole ? Math.min(HOLE, (end - begin) * unit + 1) : isTorn ? MOST * unit + TEAR : (end - begin) * unit;
    out.push({ begin, end, x, width, isTorn, isHole });
    x += width;
  }
  return out;
}

/** Where byte `at` stands, in em. */
export function xOf(stretches, at, unit) {
  let [low, high] = [0, stretches.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stretches[middle].end > at) high = middle; else low = middle + 1;
  }
  const stretch = stretches[low];
  if (!stretch) return 0;
  if (at <= stretch.begin) return stretch.x;
  if (at >= stretch.end) return stretch.x + stretch.width;
  if (stretch.isHole) return stretch.x + (stretch.width * (at - stretch.begin)) / (stretch.end - stretch.begin);
  return stretch.x + Math.min(at - stretch.begin, MOST) * unit;
}

export const widthOf = (stretches) => { const last = stretches.at(-1); return last ? last.x + last.width : 0; };

const digits = (byte) => byte.toString(16).padStart(2, "0");

/**
 * What is written in the places of the bytes from `from` to `to`: a character stands over all of its bytes. {begin, size, text, kind};
 * kind is "" for what can be shown as it is, "chip" for what cannot, "raw" for a byte that is no character, "half" for a beginning.
 */
export function cellsOf(run, from, to, { encoding, asHex }) {
  const { lengthAt, unit, toText } = codecOf(encoding);
  const out = [];
  for (let at = 0; at < run.bytes.length && run.begin + at < to;) {
    const length = lengthAt(run.bytes, at);
    const size = length > 0 ? length : Math.min(length < 0 ? Infinity : unit, run.bytes.length - at);
    if (run.begin + at + size > from) {
      const bytes = run.bytes.subarray(at, at + size);
      const begin = run.begin + at;
      if (asHex || length <= 0) bytes.forEach((byte, i) => out.push({ begin: begin + i, size: 1, text: digits(byte), kind: length > 0 ? "" : length < 0 ? "half" : "raw" }));
      else {
        const character = toText(bytes);
        const isSeen = kindOf(character) === "" && character !== " ";
        out.push({ begin, size, text: isSeen ? character : character === " " ? "␣" : nameOf(character), kind: isSeen ? "" : "chip" });
      }
    }
    at += size;
  }
  return out;
}

/** The bytes of a piece, as far as they are here. */
export function bytesOf(way, { begin, end }) {
  const run = way.known.find((one) => one.begin <= Math.max(begin, way.since) && one.begin + one.bytes.length > Math.max(begin, way.since));
  if (!run) return new Uint8Array();
  return run.bytes.subarray(Math.max(0, begin - run.begin), Math.max(0, end - run.begin));
}

/** The group that a piece belongs to. */
export const groupOf = (way, piece) => way.groups.find((group) => group.begin <= piece.begin && piece.begin < group.end);

/** What is worth saying of a direction, each once: [{sends, recvs, kind, times}], the newest last. */
export function remarkable(groups) {
  const out = new Map();
  for (const { sends, recvs, kind } of groups) {
    if (!["merged", "split", "mixed"].includes(kind)) continue;
    const key = `${sends}/${recvs}`;
    const times = (out.get(key)?.times ?? 0) + 1;
    out.delete(key);
    out.set(key, { sends, recvs, kind, times });
  }
  return [...out.values()];
}

/** The piece to go to from `piece` with an arrow: [row, index] in `rows` (each a list of pieces), or null. */
export function nextPiece(rows, [row, index], key) {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const to = index + (key === "ArrowRight" ? 1 : -1);
    return rows[row][to] ? [row, to] : null;
  }
  if (key === "Home" || key === "End") return [row, key === "Home" ? 0 : rows[row].length - 1];
  const step = key === "ArrowDown" ? 1 : -1;
  const { begin } = rows[row][index];
  for (let to = row + step; rows[to]; to += step) {
    if (rows[to].length) return [to, Math.max(0, rows[to].findLastIndex((piece) => piece.begin <= begin))];
  }
  return null;
}
