// The selected connection: who it is, everything that was said, and a box to say something to it at any time.
import { makeBubbles } from "./bubbles.js";
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { stateIcon } from "./icons.js";
import { refusalNote, replyBox } from "./replybox.js";
import { speaksChip, stateWord } from "./row.js";
import { makeSavedReplies } from "./savedreplies.js";
import { isEnded, isWaiting } from "./store.js";
import { ENCODINGS } from "./text.js";
import { makeTranscript } from "./transcript.js";

/** Reply box and button of one connection; a new one for each, so that no text slips from one to another. */
function makeReply(hub, id, { onReply, onEscape }) {
  const table = "connections";
  const box = replyBox({ hub, table, id, onSend: (typed) => onReply(id, typed), onEscape });
  const note = refusalNote({ hub, table, id });
  const saved = makeSavedReplies(hub, box.element);
  const send = h("button", { class: "nbs-button is-primary", type: "button", onClick: box.send });
  return {
    element: h("div", { class: "nbs-reply" }, note.element, h("div", { class: "nbs-replyline" }, box.element, saved.element, send)),
    focus: () => box.element.focus({ preventScroll: true }),
    show(row, words) {
      const hint = isEnded(row) ? stateWord(row, words) : words(isWaiting(row) ? "typeReply" : "typeAny");
      box.show({ name: words("replyTo", { id }), hint, isReadOnly: isEnded(row) });
      note.show({ words, name: words("discard", { id }) });
      text(send, words("send"));
      saved.show(words, isEnded(row));
      send.disabled = isEnded(row);
    },
  };
}

/** How the bytes are shown: a switch for hex, and the encoding of the text. */
function makeShownAs(hub) {
  const hex = h("button", { class: "nbs-button is-hex", type: "button", onClick: () => hub.desk.set({ isHex: !hub.desk.isHex }) });
  const encoding = h("select", { class: "nbs-select", onChange: () => hub.desk.set({ encoding: encoding.value }) }, ...ENCODINGS.map((name) => h("option", { value: name }, name)));
  return {
    elements: [encoding, hex],
    show(words) {
      text(hex, words("hex"));
      attributes(hex, { "aria-label": words("hexName"), title: words("hexName"), "aria-pressed": String(hub.desk.isHex) });
      attributes(encoding, { "aria-label": words("encoding"), title: words("encoding") });
      encoding.value = hub.desk.encoding;
      encoding.disabled = hub.desk.isHex;
    },
  };
}

export function makeDetail(hub, actions) {
  const icon = stateIcon();
  const [number, state, empty] = [h("b"), h("span", { class: "nbs-word" }), h("p", { class: "nbs-empty" })];
  const peer = peerText("", { class: "nbs-peer" });
  const close = h("button", { class: "nbs-button is-disconnect", type: "button", onClick: () => hub.desk.act({ do: "disconnect", connection: hub.desk.selected }) });
  const reset = h("button", { class: "nbs-button is-reset", type: "button", onClick: () => hub.desk.act({ do: "reset", connection: hub.desk.selected }) });
  const shownAs = makeShownAs(hub);
  const transcript = makeTranscript({ hub, table: "connections", makeLines: makeBubbles });
  const speaks = speaksChip();
  const title = h("div", { class: "nbs-title" }, number, peer, speaks.element, h("span", { class: "nbs-state" }, icon.element, state));
  const head = h("div", { class: "nbs-detailhead" }, title, h("div", { class: "nbs-tools" }, ...shownAs.elements, reset, close));
  const place = h("div", { class: "nbs-replyplace" });
  const element = h("div", { class: "nbs-detail" }, head, empty, transcript.element, place);
  let [shown, reply] = [null, null];

  function changeReply(id) {
    shown = id;
    reply = id === null ? null : makeReply(hub, id, actions);
    place.replaceChildren(...(reply ? [reply.element] : []));
  }

  function show(row, words) {
    const id = row?.id ?? null;
    if (id !== shown) changeReply(id);
    for (const part of [head, transcript.element, place]) attribute(part, "hidden", !row);
    attribute(empty, "hidden", Boolean(row));
    text(empty, words("select"));
    if (!row) return;
    text(number, `#${id}`);
    text(peer, row.peer);
    attribute(peer, "title", row.peer);
    speaks.show(row, words);
    icon.show(row.state);
    attribute(element, "data-state", row.state);
    text(state, stateWord(row, words));
    attributes(close, { "aria-label": words("disconnect", { id }), title: words("disconnect", { id }) });
    text(close, words("disconnectShort"));
    attributes(reset, { "aria-label": words("reset", { id }), title: words("resetTitle", { id }) });
    text(reset, words("resetShort"));
    close.disabled = reset.disabled = isEnded(row);
    shownAs.show(words);
    const { isHex, encoding } = hub.desk;
    transcript.show({ id, name: words("transcript", { id }), options: { words, isHex, encoding, isStream: hub.store.server?.transport !== "datagram" } });
    reply.show(row, words);
  }

  return { element, show, focusReply: () => reply?.focus(), close: transcript.close };
}
