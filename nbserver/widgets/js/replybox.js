// A box for text that belongs to somebody: Enter sends, Shift+Enter begins another line, leaving it sends nothing, arrows
// bring earlier texts back.
import { attribute, h, text } from "./dom.js";
import { stepHistory } from "./desk.js";

/** True while an input method is composing: its Enter chooses a character and must not send. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Why a text was not sent, in the person's language. */
export function reasonOf({ code, error }, words) {
  return code === "refused" || !code ? words.note(error) : words(`code.${code}`);
}

/** Whether the caret can go no further up (`direction` 1) or down (-1) in the text, so that an arrow means the history. */
export const isAtEdge = ({ value, selectionStart, selectionEnd }, direction) =>
  !(direction > 0 ? value.slice(0, selectionStart) : value.slice(selectionEnd)).includes("\n");

/**
 * `onSend(text)`, `onEscape()`; the box grows to `most` lines. The text lives on the desk, not in the element: it survives scrolling away and a second view.
 */
export function replyBox({ hub, table, id, onSend, onEscape = () => {}, most = 1 }) {
  const { desk } = hub;
  let past = { at: 0, draft: "" };
  const box = h("textarea", { class: "nbs-box", rows: 1, wrap: "off", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "send" });

  function recall(direction) {
    const step = stepHistory(desk.history(table), past, direction, box.value);
    past = { at: step.at, draft: step.draft };
    fill(step.text);
    desk.type(table, id, step.text);
  }

  function fill(typed) {
    if (box.value !== typed) box.value = typed;
    const lines = typed.split("\n").length;
    box.rows = Math.min(most, lines);
    attribute(box, "title", lines > most ? typed : null);
  }

  function send() {
    past = { at: 0, draft: "" };
    onSend(box.value);
  }

  box.addEventListener("input", () => {
    past = { at: 0, draft: "" };
    fill(box.value);
    desk.type(table, id, box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    const act = { Enter: send, ArrowUp: () => recall(1), ArrowDown: () => recall(-1), Escape: onEscape }[event.key];
    if (!act || (event.key === "Enter" && event.shiftKey)) return;
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction && !isAtEdge(box, direction)) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) act(); // a key held down answers one question, not all of them
  });

  return {
    element: box,
    send,
    /** `name` is the accessible name, `hint` stands in the empty box. */
    show({ name, hint, isReadOnly = false, isDisabled = false }) {
      fill(desk.draft(table, id));
      attribute(box, "aria-label", name);
      attribute(box, "placeholder", hint);
      box.readOnly = isReadOnly;
      box.disabled = isDisabled;
      box.classList.toggle("is-sending", desk.isSending(table, id));
    },
  };
}

/** The line that says why a text was not sent, with the button that throws the text away; or that it is on its way still. */
export function refusalNote({ hub, table, id }) {
  const { desk } = hub;
  const reason = h("span", { class: "nbs-reason" });
  const discard = h("button", { class: "nbs-discard", type: "button", onClick: () => desk.discard(table, id) }, "×");
  const note = h("div", { class: "nbs-refusal", role: "alert", hidden: true }, reason, discard);
  return {
    element: note,
    /** `reasonNow` is said if no refusal came but the text cannot go any more. */
    show({ words, reasonNow = "", name }) {
      const [refusal, late] = [desk.refusal(table, id), desk.late(table, id)];
      const isLate = late !== undefined && !refusal;
      const isShown = Boolean(refusal || isLate || reasonNow);
      attribute(note, "hidden", !isShown);
      attribute(note, "role", isLate ? "status" : "alert");
      note.classList.toggle("is-late", isLate);
      attribute(discard, "hidden", isLate);
      if (isLate) { text(reason, words("onItsWay", { text: late })); return; }
      if (!isShown) { text(reason, ""); return; }
      const why = refusal ? reasonOf(refusal, words) : reasonNow;
      const isElsewhere = refusal && refusal.text !== "" && refusal.text !== desk.draft(table, id);
      text(reason, isElsewhere ? words("notSentText", { text: refusal.text, reason: why }) : words("notSent", { reason: why }));
      attribute(discard, "aria-label", name);
      attribute(discard, "title", name);
    },
  };
}
