// The reply box of the selected connection: what is typed there goes to it at any time, as text or as bytes in hex.
import { attributes, h, text } from "./dom.js";
import { refusalNote, replyBox } from "./replybox.js";
import { stateWord } from "./row.js";
import { makeSavedReplies } from "./savedreplies.js";
import { isEnded, isWaiting } from "./store.js";

const TABLE = "connections";
const HEX = /^(?:\s*[0-9a-f]{2})+\s*$/i;

/** A button that is in or out; what it says is `name`. */
function makeSwitch(desk, name) {
  const button = h("button", { class: `nbs-button is-switch is-${name}`, type: "button", onClick: () => desk.set({ [name]: !desk[name] }) });
  return {
    element: button,
    show({ label, title, isDisabled }) {
      text(button, label);
      attributes(button, { "aria-label": title, title, "aria-pressed": String(desk[name]) });
      button.disabled = isDisabled;
    },
  };
}

/** A new one for each connection, so that no text slips from one to another. `onReply(id, text)` sends or answers. */
export function makeDetailReply(hub, id, { onReply, onEscape }) {
  const { desk, store } = hub;
  const box = replyBox({ hub, table: TABLE, id, onSend, onEscape, most: 5 });
  const note = refusalNote({ hub, table: TABLE, id });
  const [lineEnd, asHex] = [makeSwitch(desk, "lineEnd"), makeSwitch(desk, "asHex")];
  const saved = makeSavedReplies(hub, box.element);
  const send = h("button", { class: "nbs-button is-primary", type: "button", onClick: box.send });
  const line = h("div", { class: "nbs-replyline is-detail" }, box.element, lineEnd.element, asHex.element, saved.element, send);

  function onSend(typed) {
    const row = store.tables.connections.get(id);
    if (desk.asHex) sendHex(row, typed);
    else onReply(id, typed && desk.lineEnd && row && !isWaiting(row) ? `${typed}\n` : typed);
  }

  function sendHex(row, typed) {
    if (!row || isEnded(row) || typed.trim() === "") return;
    if (HEX.test(typed)) desk.submit(TABLE, id, { do: "send", connection: id, hex: typed });
    else desk.refuse(TABLE, id, { code: "noHex", text: typed });
  }

  return {
    element: h("div", { class: "nbs-reply" }, note.element, line),
    focus: () => box.element.focus({ preventScroll: true }),
    show(row, words) {
      const [ended, waits] = [isEnded(row), isWaiting(row)];
      const hint = desk.asHex ? words("typeHex") : words(waits ? "typeReply" : "typeAny");
      box.show({ name: words("replyTo", { id }), hint: ended ? stateWord(row, words) : hint, isReadOnly: ended });
      note.show({ words, name: words("discard", { id }) });
      lineEnd.show({ label: words("lineEnd"), title: words(waits ? "lineEndWaits" : "lineEndName"), isDisabled: ended || waits || desk.asHex });
      asHex.show({ label: words("asHex"), title: words("asHexName"), isDisabled: ended });
      saved.show(words, ended);
      text(send, words("send"));
      send.disabled = ended;
    },
  };
}
