// What is known of one piece of the byte ruler: the call, the student's line, the time, its bytes, and what a plain decode() of it would do.
import { h, tokenNodes } from "./dom.js";
import { clock, grouped, hexDump } from "./format.js";
import { bytesOf } from "./rulerscale.js";
import { decode, fold } from "./text.js";

const MOST_HEX = 128; // bytes

function bodyOf(bytes, { encoding, asHex }, words) {
  if (asHex) return h("pre", { class: "nbs-rhex" }, hexDump(bytes, MOST_HEX));
  const { tokens, half } = decode(bytes, encoding);
  const ending = half.length ? [{ kind: "half", text: Array.from(half, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("") }] : [];
  return h("div", { class: "nbs-rtext" }, ...tokenNodes(fold([...tokens, ...ending]), words));
}

function linesOf({ way, piece, group, half, what }, reading, words) {
  const who = (what === "sends") === (way.from === "client") ? "client" : "server";
  const last = piece.end - 1;
  const title = words("rulerCall", { call: piece.call, who: words(`rulerEnd.${who}`), begin: grouped(piece.begin), last: grouped(last), size: grouped(piece.size), time: clock(piece.time) });
  const out = [h("p", { class: "nbs-rcall" }, title)];
  if (piece.where) out.push(h("code", { class: "nbs-rwhere" }, piece.where.replace(/^line (\d+)/, (_, number) => words("rulerLine", { number }))));
  if (group && group.kind !== "unknown") out.push(h("p", { class: `nbs-rbecame is-${group.kind}` }, words(`rulerGroup.${group.kind}`, group)));
  out.push(bodyOf(bytesOf(way, piece), reading, words));
  if (half?.have) out.push(h("p", { class: "nbs-rhalfword" }, words(half.needs === 1 ? "rulerHalfEndOne" : "rulerHalfEnd", half)));
  if (half?.before) out.push(h("p", { class: "nbs-rhalfword" }, words(half.before === 1 ? "rulerHalfBeginOne" : "rulerHalfBegin", half)));
  if (half?.error) out.push(h("p", { class: "nbs-rerror" }, words("rulerPlain"), " ", h("code", {}, half.error)));
  return out;
}

export function makePieceDetail() {
  const element = h("div", { class: "nbs-rdetail", role: "status" });
  return {
    element,
    show(place, reading, words) {
      if (!place) element.replaceChildren(h("p", { class: "nbs-rhint" }, words("rulerHint")));
      else if (place.piece.isGap) element.replaceChildren(h("p", {}, words("rulerGapOf", { begin: grouped(place.piece.begin), end: grouped(place.piece.end) })));
      else element.replaceChildren(...linesOf(place, reading, words));
    },
  };
}
