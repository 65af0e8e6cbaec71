// Entries of a transcript as bubbles: what came stands left, what went stands right, the program's own lines between them.
import { h, svg, text, tokenNodes } from "./dom.js";
import { bytes, clock, grouped, hexDump, splitTraceback } from "./format.js";
import { tellsOfRule } from "./notes.js";
import { makeReader, tokens } from "./text.js";

const LOCAL = new TextDecoder("utf-8");

export const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** A program's own text: its line breaks and tabs are meant as such, all else is shown as carefully as a peer's. */
export function localText(string, words) {
  const lines = string.replace(/\r?\n$/, "").replaceAll("\t", "    ").split("\n");
  return lines.flatMap((line, i) => [...(i ? [h("br")] : []), ...tokenNodes(tokens(line), words)]);
}

export const localString = (entry) => LOCAL.decode(entry.bytes);

/** The card of an exception: its last line says what, the rest is there on demand. */
export function errorCard(entry, words) {
  const { summary, all } = splitTraceback(localString(entry));
  return h("div", { class: "nbs-error" },
    h("div", { class: "nbs-errorline" }, svg("svg", { viewBox: "0 0 16 16", class: "nbs-icon", "data-state": "failed", "aria-hidden": "true" },
      svg("circle", { cx: 8, cy: 8, r: 8 }), svg("path", { d: "M8 4v5M8 11.8h.01" })), h("strong", {}, ...localText(summary, words))),
    h("details", {}, h("summary", {}, words("traceback")), h("pre", {}, ...localText(all, words))));
}

const REMARKS = { opened: "opened", closed: "ended", eof: "eof" };

/** A line of its own: opened, closed, the end of a direction, what was noticed. Of a kind that is unknown here, nothing. */
export function remark(entry, words) {
  const body = words.note(localString(entry));
  const line = (...children) => h("div", { class: `nbs-remark is-${entry.kind}` }, ...children, h("time", {}, clock(entry.time)));
  if (entry.kind === "passed") return line(words("notKept", { count: grouped(entry.size) }));
  if (entry.kind === "notice") return line(h("span", { class: "nbs-sign", role: "img", "aria-label": words("noticed"), title: words("noticed") }, "i"), ...localText(body, words));
  const word = REMARKS[entry.kind];
  return word ? line(words(word), ...(body ? [": ", ...localText(body, words)] : [])) : null;
}

/** What became of the half character at the end of an earlier message. */
export function settleHalf(chip, before, words) {
  if (!chip || !before) return;
  chip.className = `nbs-chip is-${before === "joined" ? "joined" : "raw"}`;
  chip.title = words(before === "joined" ? "joined" : "raw");
  if (before === "joined") text(chip, "↴");
}

/**
 * Draws one transcript, entry by entry. `add(entry)` gives a node, or nothing if the entry became part of the last one.
 * `skip(entries)` takes note of entries that are not drawn.
 */
export function makeBubbles({ words, isHex, encoding, isStream }) {
  const read = makeReader(encoding, isStream);
  const halfChips = new Map(); // direction → the chip that waits for its other half
  let typed = null; // the bubble of an `answered`, until the `sent` with the same bytes joins it
  let isByRule = false; // whether the `answered` that follows is a rule's

  function body(entry) {
    if (isHex) return h("pre", { class: "nbs-hex" }, hexDump(entry.bytes));
    const { tokens: found, before } = read(entry.kind, entry.bytes, entry.size > entry.bytes.length);
    const node = h("div", { class: "nbs-text" }, ...tokenNodes(found, words));
    settleHalf(halfChips.get(entry.kind), before, words);
    halfChips.set(entry.kind, node.querySelector(".is-half"));
    return node;
  }

  function bubble(entry, side, who) {
    const isCut = entry.size > entry.bytes.length;
    return h("div", { class: `nbs-bubble is-${side}` },
      h("div", { class: "nbs-meta" }, h("b", {}, who), h("time", {}, clock(entry.time)), h("span", {}, bytes(entry.size))),
      body(entry),
      ...(isCut ? [h("div", { class: "nbs-cut" }, words("cut", { shown: bytes(entry.bytes.length), size: bytes(entry.size) }))] : []));
  }

  function answered(entry) {
    const who = words(isByRule ? "byRule" : "you");
    const node = bubble(entry, "typed", isByRule ? who : `${who} · ${words("typed")}`);
    typed = { node, bytes: entry.bytes, who };
    return node;
  }

  function sent(entry) {
    if (!typed || !sameBytes(typed.bytes, entry.bytes)) return bubble(entry, "sent", words("toPeer"));
    read(entry.kind, entry.bytes, false);
    typed.node.className = "nbs-bubble is-sent";
    text(typed.node.querySelector("b"), typed.who);
    return null;
  }

  const draw = {
    received: (entry) => bubble(entry, "received", words("fromPeer")),
    sent,
    answered,
    asked: (entry) => h("div", { class: "nbs-asked" }, h("span", { class: "nbs-sign", title: words("asks") }, "?"), h("span", {}, ...localText(localString(entry), words))),
    printed: (entry) => h("div", { class: "nbs-printed" }, ...localText(localString(entry), words)),
    error: (entry) => errorCard(entry, words),
  };

  return {
    add(entry) {
      const node = (draw[entry.kind] ?? ((other) => remark(other, words)))(entry);
      if (entry.kind !== "answered") typed = null;
      isByRule = entry.kind === "notice" && tellsOfRule(localString(entry));
      return node;
    },
    skip(entries) {
      typed = null;
      // Only the last one of each direction tells which half character is still open.
      for (const kind of ["received", "sent"]) {
        const last = entries.findLast((entry) => entry.kind === kind);
        if (last && !isHex) read(kind, last.bytes, last.size > last.bytes.length);
        if (last) halfChips.delete(kind);
      }
    },
  };
}
