// The selected connection: who it is, everything that was said, and a box to say something to it at any time.
import { makeBubbles } from "./bubbles.js";
import { cardChip } from "./card.js";
import { makeCopyAll } from "./copybar.js";
import { makeDetailReply } from "./detailreply.js";
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { ENCODINGS } from "./encodings.js";
import { stateIcon } from "./icons.js";
import { otherEnd } from "./otherend.js";
import { speaksChip, stateWord } from "./row.js";
import { isEnded } from "./store.js";
import { makeTranscript } from "./transcript.js";

/** How the bytes are shown: a switch for hex, and the encoding of the text. */
function makeShownAs(hub) {
  const { settings } = hub;
  const hex = h("button", { class: "nbs-button is-hex", type: "button", onClick: settings.toggleHex });
  const encoding = h("select", { class: "nbs-select", onChange: () => settings.readAs(encoding.value) }, ...ENCODINGS.map((name) => h("option", { value: name }, name)));
  return {
    elements: [encoding, hex],
    show(words) {
      text(hex, words("hex"));
      attributes(hex, { "aria-label": words("hexName"), title: words("hexName"), "aria-pressed": String(settings.isHex()) });
      attributes(encoding, { "aria-label": words("encoding"), title: words("encoding") });
      encoding.value = settings.encoding();
      encoding.disabled = settings.isHex();
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
  const copyAll = makeCopyAll(hub);
  const transcript = makeTranscript({ hub, table: "connections", makeLines: makeBubbles });
  const speaks = speaksChip();
  const sign = cardChip();
  const client = otherEnd(hub, "connections");
  const title = h("div", { class: "nbs-title" }, number, client.element, peer, speaks.element, sign.element, h("span", { class: "nbs-state" }, icon.element, state));
  const head = h("div", { class: "nbs-detailhead" }, title, h("div", { class: "nbs-tools" }, ...shownAs.elements, copyAll.element, reset, close));
  const place = h("div", { class: "nbs-replyplace" });
  const element = h("div", { class: "nbs-detail" }, head, empty, transcript.element, place);
  let [shown, reply] = [null, null];
  let wanted = null; // the connection whose box is to have the focus, once it is shown

  function changeReply(id) {
    shown = id;
    reply = id === null ? null : makeDetailReply(hub, id, actions);
    place.replaceChildren(...(reply ? [reply.element] : []));
    if (wanted === id) focusReply(id);
  }

  /** Selected and entered within one frame, its box is not there yet: the focus must not go to another's. */
  function focusReply(id) {
    wanted = id === shown ? null : id;
    if (!wanted) reply?.focus();
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
    sign.show(row, words);
    client.show(row, words);
    icon.show(row.state);
    attribute(element, "data-state", row.state);
    text(state, stateWord(row, words));
    attributes(close, { "aria-label": words("disconnect", { id }), title: words("disconnect", { id }) });
    text(close, words("disconnectShort"));
    attributes(reset, { "aria-label": words("reset", { id }), title: words("resetTitle", { id }) });
    text(reset, words("resetShort"));
    close.disabled = reset.disabled = isEnded(row);
    shownAs.show(words);
    copyAll.show(row, words);
    const [isHex, encoding] = [hub.settings.isHex(), hub.settings.encoding()];
    transcript.show({ id, name: words("transcript", { id }), options: { words, isHex, encoding, isStream: hub.store.server?.transport !== "datagram" } });
    reply.show(row, words);
  }

  return { element, show, focusReply, close: transcript.close };
}
