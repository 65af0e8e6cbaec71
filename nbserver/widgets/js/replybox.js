// A box for one line of text that belongs to somebody: Enter sends, leaving it sends nothing, arrows bring earlier texts back.
import { attribute, h, text } from "./dom.js";
import { stepHistory } from "./desk.js";

/** True while an input method is composing: its Enter chooses a character and must not send. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Why a text was not sent, in the person's language. */
export function reasonOf({ code, error }, words) {
  return code === "refused" || !code ? words.note(error) : words(`code.${code}`);
}

/**
 * `onSend(text)`, `onEscape()`. The text lives on the desk, not in the element: it survives scrolling away and a second view.
 */
export function replyBox({ hub, table, id, onSend, onEscape = () => {} }) {
  const { desk } = hub;
  let past = { at: 0, draft: "" };
  const box = h("input", { class: "nbs-box", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "send" });

  function recall(direction) {
    const step = stepHistory(desk.history(table), past, direction, box.value);
    past = { at: step.at, draft: step.draft };
    box.value = step.text;
    desk.type(table, id, step.text);
  }

  function send() {
    past = { at: 0, draft: "" };
    onSend(box.value);
  }

  box.addEventListener("input", () => {
    past = { at: 0, draft: "" };
    desk.type(table, id, box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    const act = { Enter: send, ArrowUp: () => recall(1), ArrowDown: () => recall(-1), Escape: onEscape }[event.key];
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) act(); // a key held down answers one question, not all of them
  });

  return {
    element: box,
    send,
    /** `name` is the accessible name, `hint` stands in the empty box. */
    show({ name, hint, isReadOnly = false, isDisabled = false }) {
      const draft = desk.draft(table, id);
      if (box.value !== draft) box.value = draft;
      attribute(box, "aria-label", name);
      attribute(box, "placeholder", hint);
      box.readOnly = isReadOnly;
      box.disabled = isDisabled;
      box.classList.toggle("is-sending", desk.isSending(table, id));
    },
  };
}

/** The line that says why a text was not sent, with the button that throws the text away. */
export function refusalNote({ hub, table, id }) {
  const { desk } = hub;
  const reason = h("span", { class: "nbs-reason" });
  const discard = h("button", { class: "nbs-discard", type: "button", onClick: () => desk.discard(table, id) }, "×");
  const note = h("div", { class: "nbs-refusal", role: "alert", hidden: true }, reason, discard);
  return {
    element: note,
    /** `reasonNow` is said if no refusal came but the text cannot go any more. */
    show({ words, reasonNow = "", name }) {
      const refusal = desk.refusal(table, id);
      const isShown = Boolean(refusal || reasonNow);
      attribute(note, "hidden", !isShown);
      if (!isShown) { text(reason, ""); return; }
      const why = refusal ? reasonOf(refusal, words) : reasonNow;
      const isElsewhere = refusal && refusal.text !== "" && refusal.text !== desk.draft(table, id);
      text(reason, isElsewhere ? words("notSentText", { text: refusal.text, reason: why }) : words("notSent", { reason: why }));
      attribute(discard, "aria-label", name);
      attribute(discard, "title", name);
    },
  };
}
