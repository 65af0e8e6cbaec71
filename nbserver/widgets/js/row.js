// One connection in the list: a line of cells, and below it, while the handler is in input(), the prompt and a reply box.
import { cardChip } from "./card.js";
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { markedText } from "./finding.js";
import { bytes, count, duration, shortPeer } from "./format.js";
import { stateIcon } from "./icons.js";
import { refusalNote, replyBox } from "./replybox.js";
import { takeSavedKeys } from "./savedreplies.js";
import { isEnded, isWaiting } from "./store.js";

const LINE = 2.1; // em, as in the style sheet
const ASK_LINE = 2.5;
const NOTE_LINE = 1.9;
const SPOKEN = new Set(["HTTP", "TLS", "SSH"]);
export const COLUMNS = ["id", "state", "peer", "messages", "bytes", "last", "age"];

/** A text that can no longer go anywhere. */
const isStranded = (row, desk) => isEnded(row) && desk.draft("connections", row.id) !== "";

export const needsBox = (row, desk, focused) =>
  isWaiting(row) || row.id === focused || desk.draft("connections", row.id) !== "" || desk.hasNote("connections", row.id);

/** The state in words, as short as a column is. */
export const stateWord = (row, words) => words(isWaiting(row) ? "short.waiting" : `state.${row.state}`);

/** Height of a row in em. */
export function heightOf(row, desk, focused) {
  if (!needsBox(row, desk, focused)) return LINE;
  const hasNote = desk.hasNote("connections", row.id) || isStranded(row, desk);
  return LINE + ASK_LINE + (hasNote ? NOTE_LINE : 0);
}

/** A chip that names what a client speaks, if its first bytes tell. */
export function speaksChip() {
  const element = h("span", { class: "nbs-speaks", hidden: true });
  return {
    element,
    show(row, words) {
      attribute(element, "hidden", !row.speaks);
      text(element, row.speaks ?? "");
      attribute(element, "title", SPOKEN.has(row.speaks) ? words(`speaks.${row.speaks}`) : null);
    },
  };
}

/** The texts of a row's cells, `state` aside. */
function cellTexts(row, words, now) {
  return {
    id: String(row.id), peer: shortPeer(row.peer), messages: `${count(row.in)} / ${count(row.out)}`,
    bytes: bytes(row.bytesIn + row.bytesOut), last: row.preview || words.note(row.note), age: duration(now - row.last),
  };
}

function makeCells() {
  const icon = stateIcon();
  const word = h("span", { class: "nbs-word" });
  const [speaks, peer, last] = [speaksChip(), peerText(""), peerText("")];
  const sign = cardChip();
  const faulty = h("span", { class: "nbs-faulty", hidden: true });
  const earlier = h("span", { class: "nbs-earlier", hidden: true });
  const inner = { state: [icon.element, word], peer: [peer], last: [sign.element, faulty, speaks.element, earlier, last] };
  const cells = Object.fromEntries(COLUMNS.map((name) => [name, h("div", { class: `nbs-cell is-${name}`, role: "gridcell" }, ...(inner[name] ?? []))]));
  return {
    elements: COLUMNS.map((name) => cells[name]),
    show(row, { words, now, needle, isEarlier, isFaulty }) {
      icon.show(row.state);
      markedText(word, stateWord(row, words), needle);
      sign.show(row, words);
      speaks.show(row, words);
      attributes(faulty, { hidden: !isFaulty, title: words("fault.badgeTitle") });
      text(faulty, isFaulty ? words("fault.badge") : "");
      attribute(earlier, "hidden", !isEarlier);
      text(earlier, isEarlier ? words("foundEarlier") : "");
      const texts = cellTexts(row, words, now);
      for (const name of ["messages", "bytes", "age"]) text(cells[name], texts[name]);
      markedText(peer, texts.peer, needle);
      markedText(last, texts.last, needle);
      markedText(cells.id, texts.id, needle.replace(/^#(?=\d)/, ""));
      attributes(cells.peer, { title: row.peer });
      attributes(cells.last, { title: texts.last || null });
    },
  };
}

/** The second line: prompt, box, how long it has waited, and why a text was not sent. */
function makeAsk(hub, id, actions) {
  const table = "connections";
  const box = replyBox({ hub, table, id, onSend: (typed) => actions.onReply(id, typed), onEscape: actions.onEscape });
  const note = refusalNote({ hub, table, id });
  takeSavedKeys(hub, box.element);
  const prompt = peerText("", { class: "nbs-prompt" });
  const [long, short] = [h("span", { class: "nbs-long" }), h("span", { class: "nbs-short" })];
  const wait = h("span", { class: "nbs-wait" }, long, short);
  const element = h("div", { class: "nbs-ask", role: "gridcell" }, h("div", { class: "nbs-askline" }, prompt, box.element, wait), note.element);
  return {
    element,
    focus: () => box.element.focus({ preventScroll: true }),
    show(row, { words, now, needle }) {
      const waits = isWaiting(row);
      const time = duration(now - row.since);
      markedText(prompt, waits ? row.prompt ?? "" : "", needle);
      attribute(prompt, "title", waits ? row.prompt : null);
      attribute(wait, "hidden", !waits);
      text(long, words("waitingFor", { time }));
      text(short, time);
      box.show({ name: words("replyTo", { id }), hint: words(waits ? "typeReply" : "typeAny"), isReadOnly: isEnded(row) });
      note.show({ words, name: words("discard", { id }), reasonNow: isStranded(row, hub.desk) ? words("code.ended") : "" });
    },
  };
}

/**
 * `actions`: onReply(id, text), onEscape(), focused() → the id of the row that is typed in,
 * context(row) → {words, now, needle, isEarlier}: what is looked for, and whether it was only said before the row's last message.
 */
export function makeRow(hub, id, actions) {
  const cells = makeCells();
  const element = h("div", { class: "nbs-row", role: "row" }, h("div", { class: "nbs-line", role: "presentation" }, ...cells.elements));
  let ask = null;
  return {
    element,
    focusBox: () => ask?.focus(),
    fill(row, isSelected) {
      const context = actions.context(row);
      attributes(element, { "aria-label": context.words("connection", { id }), "aria-selected": String(isSelected), "data-state": row.state });
      cells.show(row, context);
      if (needsBox(row, hub.desk, actions.focused())) {
        if (!ask) element.append((ask = makeAsk(hub, id, actions)).element);
        ask.show(row, context);
      } else if (ask) {
        ask.element.remove();
        ask = null;
      }
    },
  };
}
