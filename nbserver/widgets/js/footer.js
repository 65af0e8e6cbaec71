// A word to all, or to the selected while several are selected; and what else can be done to several.
import { attribute, attributes, h, text } from "./dom.js";
import { refusalNote, replyBox } from "./replybox.js";
import { makeSavedReplies } from "./savedreplies.js";
import { isEnded } from "./store.js";

/** What can be done to several, and the words for it. */
const ACTIONS = [
  { what: "disconnect", short: "disconnectShort", name: "disconnectSelected", question: "disconnectMany" },
  { what: "reset", short: "resetShort", name: "resetSelected", question: "resetMany" },
];

/** Box and button for one text to many. A box of its own for each: what was begun for a few never goes to all. */
function makeSend(hub, table, requestOf) {
  const { desk } = hub;
  const onSend = (typed) => {
    if (typed !== "" && !desk.isSending(table, 0)) desk.submit(table, 0, { do: "broadcast", text: typed, ...requestOf() });
  };
  const box = replyBox({ hub, table, id: 0, onSend });
  const note = refusalNote({ hub, table, id: 0 });
  const saved = makeSavedReplies(hub, box.element);
  const button = h("button", { class: "nbs-button", type: "button", onClick: box.send });
  return {
    note: note.element, elements: [box.element, saved.element, button],
    show({ name, label, hint, isDisabled }, words) {
      box.show({ name, hint, isDisabled });
      note.show({ words, name: words("discardShort") });
      text(button, label);
      saved.show(words, isDisabled);
      button.disabled = isDisabled;
    },
  };
}

/** A button that asks once before it acts on more than one. A key held down must not answer for the person. */
function makeConfirm({ onYes, onNo }) {
  const [question, no] = [h("span", { class: "nbs-question" }), h("button", { class: "nbs-button", type: "button", onClick: onNo })];
  const yes = h("button", { class: "nbs-button is-stop", type: "button", onClick: onYes });
  const element = h("div", { class: "nbs-confirm", role: "alertdialog", hidden: true }, question, yes, no);
  element.addEventListener("keydown", (event) => {
    if (event.repeat && ["Enter", " "].includes(event.key)) event.preventDefault();
    if (event.key === "Escape") onNo();
  });
  return { element, question, yes, no };
}

function makeSelected(hub, { onClear }) {
  const { desk, store } = hub;
  let [open, asked, redraw] = [[], null, () => {}]; // open: the selected that still live; asked: the action that is to be confirmed
  const send = makeSend(hub, "selected", () => ({ to: open }));
  const count = h("span", { class: "nbs-count", role: "status" });
  const buttons = ACTIONS.map((action) => h("button", { class: "nbs-button", type: "button", onClick: () => (open.length > 1 ? ask(action) : act(action)) }));
  const clear = h("button", { class: "nbs-discard is-clear", type: "button", onClick: onClear }, "×");
  const confirm = makeConfirm({ onYes: () => { act(asked); ask(null); }, onNo: () => ask(null) });
  const line = h("div", { class: "nbs-replyline" }, count, ...send.elements, ...buttons, clear);
  const element = h("div", { class: "nbs-several", role: "group" }, send.note, line, confirm.element);

  const act = ({ what }) => desk.act({ do: what, connections: open });
  function ask(action) {
    const button = buttons[ACTIONS.indexOf(action ?? asked)];
    asked = action;
    redraw();
    (action ? confirm.yes : button).focus();
  }

  function countText(chosen, rows, words) {
    const isAll = rows.length === store.tables.connections.rows.length;
    const shown = isAll ? chosen.size : rows.reduce((sum, row) => sum + chosen.has(row.id), 0);
    return words(shown < chosen.size ? "selectedHidden" : "selected", { count: chosen.size, hidden: chosen.size - shown });
  }

  function showButtons(words, isDisabled) {
    ACTIONS.forEach(({ short, name }, i) => {
      text(buttons[i], words(short));
      attributes(buttons[i], { "aria-label": words(name), title: words(name) });
      buttons[i].disabled = isDisabled;
    });
    attributes(clear, { "aria-label": words("clearSelection"), title: words("clearSelection") });
  }

  function showConfirm(words) {
    attribute(line, "hidden", asked !== null);
    attribute(confirm.element, "hidden", asked === null);
    if (!asked) return;
    const question = words(asked.question, { count: open.length });
    attribute(confirm.element, "aria-label", question);
    text(confirm.question, question);
    text(confirm.yes, words(asked.short));
    text(confirm.no, words("cancel"));
  }

  function show(chosen, rows, words) {
    redraw = () => show(chosen, rows, words);
    open = [...chosen].filter((id) => !isEnded(store.tables.connections.get(id))).sort((a, b) => a - b);
    const [isShown, isDisabled] = [chosen.size > 1, open.length === 0];
    if (!isShown || isDisabled) asked = null;
    attribute(element, "hidden", !isShown);
    if (!isShown) return;
    attribute(element, "aria-label", words("selected", { count: chosen.size }));
    text(count, countText(chosen, rows, words));
    send.show({ name: words("messageSelected"), label: words("sendSelected"), hint: words("typeSelected", { count: open.length }), isDisabled }, words);
    showButtons(words, isDisabled);
    showConfirm(words);
  }
  return { element, show };
}

export function makeFooter(hub, actions) {
  const toAll = makeSend(hub, "all", () => ({}));
  const selected = makeSelected(hub, actions);
  const all = h("div", {}, toAll.note, h("div", { class: "nbs-replyline" }, ...toAll.elements));
  return {
    element: h("div", { class: "nbs-footer" }, all, selected.element),
    /** `chosen`: the numbers selected, of which some may be gone. `rows`: those that the list shows. */
    show({ isServing, chosen, rows }, words) {
      const known = new Set([...chosen].filter((id) => hub.store.tables.connections.get(id)));
      attribute(all, "hidden", known.size > 1);
      toAll.show({ name: words("messageAll"), label: words("sendAll"), hint: words("typeAll", { count: hub.store.counts.open }), isDisabled: !isServing }, words);
      selected.show(known, rows, words);
    },
  };
}
