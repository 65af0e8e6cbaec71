// Entries of a transcript as bubbles: what came stands left, what went stands right, the program's own lines between them.
import { h, svg, text, tokenNodes } from "./dom.js";
import { drawCard } from "./card.js";
import { bytes, clock, gap, grouped, hexDump, isoTime, splitTraceback } from "./format.js";
import { tellsOfRule } from "./notes.js";
import { fold, makeReader, tokens } from "./text.js";

const LOCAL = new TextDecoder("utf-8");
const BURST = 0.05; // seconds: what follows sooner was sent in one go, as a person sees it
const FOLDED_HEX = 128; // bytes
const TRAFFIC = new Set(["received", "sent"]);

export const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** A program's own text: its line breaks and tabs are meant as such, all else is shown as carefully as a peer's. */
export function localText(string, words) {
  const lines = string.replace(/\r?\n$/, "").replaceAll("\t", "    ").split("\n");
  return lines.flatMap((line, i) => [...(i ? [h("br")] : []), ...tokenNodes(tokens(line), words)]);
}

export const localString = (entry) => LOCAL.decode(entry.bytes);

/** The card of an exception: its last line says what, the rest is there on demand. */
function errorCard(entry, words) {
  const { summary, all } = splitTraceback(localString(entry));
  return h("div", { class: "nbs-error" },
    h("div", { class: "nbs-errorline" }, svg("svg", { viewBox: "0 0 16 16", class: "nbs-icon", "data-state": "failed", "aria-hidden": "true" },
      svg("circle", { cx: 8, cy: 8, r: 8 }), svg("path", { d: "M8 4v5M8 11.8h.01" })), h("strong", {}, ...localText(summary, words))),
    h("details", {}, h("summary", {}, words("traceback")), h("pre", {}, ...localText(all, words))));
}

/** The error that a card explains, to stand below it: its own words in one line, and the whole traceback behind a click. */
function errorDetails(entry, words) {
  const { summary, all } = splitTraceback(localString(entry));
  return h("details", {}, h("summary", {}, h("code", { dir: "ltr" }, ...localText(summary, words))), h("pre", {}, ...localText(all, words)));
}

/** Cards, and errors: each joins the card that explains it, right before it; or, if none does, stands by itself. */
export function cardsWithErrors(words) {
  let card = null;
  return {
    draw: {
      card: (entry) => { card = drawCard(entry, words); return card; },
      error(entry) {
        if (!card) return errorCard(entry, words);
        card.append(errorDetails(entry, words));
        return null;
      },
    },
    /** An entry of this kind was drawn, or some were passed over. */
    passed(kind) { if (kind !== "card") card = null; },
  };
}

const REMARKS = { opened: "opened", closed: "ended", eof: "eof" };

export const timeNode = (time, shown = clock(time)) => h("time", { datetime: isoTime(time) }, shown);

/** A line of its own: opened, closed, the end of a direction, what was noticed. Of a kind that is unknown here, nothing. */
export function remark(entry, words) {
  const body = words.note(localString(entry));
  const line = (...children) => h("div", { class: `nbs-remark is-${entry.kind}` }, ...children, timeNode(entry.time));
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

/** `draw(isFolded)` → nodes. A long body shows its beginning; `unfolded` remembers which were opened. */
function foldable(place, entry, { words, unfolded }, draw) {
  const button = h("button", { class: "nbs-unfold", type: "button", onClick: turn });
  function show() {
    const isOpen = unfolded.has(entry.n);
    place.replaceChildren(...draw(!isOpen));
    text(button, isOpen ? words("showLess") : words("showAll", { size: bytes(entry.bytes.length) }));
    button.setAttribute("aria-expanded", String(isOpen));
  }
  function turn() {
    if (!unfolded.delete(entry.n)) unfolded.add(entry.n);
    show();
  }
  show();
  return [place, button];
}

/**
 * Draws one transcript, entry by entry. `add(entry)` gives a node, or nothing if the entry became part of the last one.
 * `skip(entries)` takes note of entries that are not drawn. `unfolded` holds the numbers of long entries that are shown whole.
 */
export function makeBubbles({ words, isHex, encoding, isStream, unfolded }) {
  const read = makeReader(encoding, isStream);
  const halfChips = new Map(); // direction → the chip that waits for its other half
  let typed = null; // the bubble of an `answered`, until the `sent` with the same bytes joins it
  let before = null; // the message before, if it was drawn as a bubble of its own
  const cards = cardsWithErrors(words);
  let isByRule = false; // whether the `answered` that follows is a rule's

  function hexBody(entry) {
    const place = h("pre", { class: "nbs-hex" });
    const draw = (isFolded) => [hexDump(entry.bytes, isFolded ? FOLDED_HEX : Infinity)];
    if (entry.bytes.length > FOLDED_HEX + 16) return foldable(place, entry, { words, unfolded }, draw);
    place.append(...draw(false));
    return [place];
  }

  function textBody(entry) {
    const { tokens: found, before: settled } = read(entry.kind, entry.bytes, entry.size > entry.bytes.length);
    settleHalf(halfChips.get(entry.kind), settled, words);
    // One chip for the half character, folded or not: it is settled when the next message comes.
    const half = found.at(-1)?.kind === "half" ? tokenNodes([found.pop()], words) : [];
    halfChips.set(entry.kind, half[0]);
    const place = h("div", { class: "nbs-text" });
    const folded = fold(found);
    const draw = (isFolded) => [...tokenNodes(isFolded ? folded : found, words), ...half];
    if (folded !== found) return foldable(place, entry, { words, unfolded }, draw);
    place.append(...draw(false));
    return [place];
  }

  function bubble(entry, side, who) {
    const isCut = entry.size > entry.bytes.length;
    const isNext = before?.kind === entry.kind && entry.time - before.time < BURST;
    const time = isNext ? timeNode(entry.time, gap(entry.time - before.time)) : timeNode(entry.time);
    before = TRAFFIC.has(entry.kind) ? entry : null;
    return h("div", { class: `nbs-bubble is-${side}${isNext ? " is-next" : ""}` },
      h("div", { class: "nbs-meta" }, h("b", {}, who), time, h("span", {}, bytes(entry.size))),
      ...(isHex ? hexBody(entry) : textBody(entry)),
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
    ...cards.draw,
  };

  return {
    add(entry) {
      const node = (draw[entry.kind] ?? ((other) => remark(other, words)))(entry);
      if (entry.kind !== "answered") typed = null;
      if (!TRAFFIC.has(entry.kind)) before = null;
      cards.passed(entry.kind);
      isByRule = entry.kind === "notice" && tellsOfRule(localString(entry));
      return node;
    },
    skip(entries) {
      typed = before = null;
      cards.passed();
      // Only the last one of each direction tells which half character is still open.
      for (const kind of TRAFFIC) {
        const last = entries.findLast((entry) => entry.kind === kind);
        if (last && !isHex) read(kind, last.bytes, last.size > last.bytes.length);
        if (last) halfChips.delete(kind);
      }
    },
  };
}
