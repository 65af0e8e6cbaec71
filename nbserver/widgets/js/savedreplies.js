// Texts that are used again and again: a menu beside a reply box, and Alt+1 to Alt+9 in it. They go into the box and are never sent by themselves.
import { attribute, attributes, h, peerText, text, tokenNodes } from "./dom.js";
import { glyph } from "./icons.js";
import { tokens } from "./text.js";

const TYPING = 700; // milliseconds between two letters of one beginning
const LONGEST = 500; // characters, as the kernel allows
const KEYED = 9; // so many have a key

/** Which saved reply a key in a box asks for, counted from 0; -1 if none. By the key's place: Alt changes its letter on some machines. */
export function savedByKey({ altKey, ctrlKey, metaKey, shiftKey, code }) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code ?? "");
  return digit && altKey && !ctrlKey && !metaKey && !shiftKey ? Number(digit[1]) - 1 : -1;
}

/** The next text after the one at `at` that begins with what was typed, in upper or lower case; -1 if none does. */
export function savedByTyping(texts, at, typed) {
  const from = typed.length > 1 ? at : at + 1; // a second letter may keep the place that the first one found
  const order = texts.map((_, i) => (from + i + texts.length) % texts.length);
  return order.find((i) => texts[i].toLowerCase().startsWith(typed.toLowerCase())) ?? -1;
}

/** Puts a text where the cursor is. */
function insert(box, saved) {
  if (saved === undefined || box.readOnly || box.disabled) return;
  box.focus({ preventScroll: true });
  box.setRangeText(saved, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input")); // so that the box takes it for typed
}

/** Alt+1 to Alt+9 in a box. */
export function takeSavedKeys(hub, box) {
  box.addEventListener("keydown", (event) => {
    const at = savedByKey(event);
    if (at < 0) return;
    event.preventDefault();
    insert(box, hub.store.saved[at]);
  });
}

/** One saved reply in the menu: the text, and beside it what forgets it. */
function makeItem(hub, saved, at, words, choose) {
  const hasKey = at < KEYED;
  const item = h("button", { class: "nbs-menuitem", type: "button", role: "menuitem", tabindex: "-1", "aria-keyshortcuts": hasKey ? `Alt+${at + 1}` : null, onClick: () => choose(saved) },
    peerText("", { class: "nbs-savedtext" }), ...(hasKey ? [h("kbd", { "aria-hidden": "true" }, `Alt+${at + 1}`)] : []));
  item.firstChild.append(...tokenNodes(tokens(saved), words));
  const name = words("forgetReply", { text: saved });
  const forget = h("button", { class: "nbs-menuitem is-forget", type: "button", role: "menuitem", tabindex: "-1", "aria-label": name, title: name, onClick: () => hub.desk.act({ do: "forget_reply", text: saved }) }, "×");
  return h("div", { class: "nbs-menurow", role: "none" }, item, forget);
}

/** The button beside `box`, with its menu. */
export function makeSavedReplies(hub, box) {
  const icon = glyph("M4 2.2h8v11.4l-4-3.2-4 3.2z");
  const button = h("button", { class: "nbs-button is-saved", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onClick: () => (menu.hidden ? open() : close()) }, icon);
  const menu = h("div", { class: "nbs-menu", role: "menu", tabindex: "-1", hidden: true, onKeydown: onKey });
  const element = h("span", { class: "nbs-saved" }, button, menu);
  let [key, typed, typedAt] = ["", "", 0];

  const rows = () => [...menu.querySelectorAll(".nbs-menurow")];
  const focusOn = (row, place = 0) => row?.children[Math.min(place, row.childElementCount - 1)].focus();

  function open() {
    attribute(menu, "hidden", false);
    attribute(button, "aria-expanded", "true");
    key = "";
    draw(hub.settings.words());
    focusOn(rows()[0]);
  }

  function close() {
    attribute(menu, "hidden", true);
    attribute(button, "aria-expanded", "false");
  }

  function choose(saved) {
    close();
    insert(box, saved);
  }

  async function save() {
    close();
    box.focus({ preventScroll: true });
    await hub.desk.act({ do: "save_reply", text: box.value });
  }

  function onKey(event) {
    const at = rows().findIndex((row) => row.contains(document.activeElement));
    const place = rows()[at]?.lastElementChild === document.activeElement && rows()[at].childElementCount > 1 ? 1 : 0;
    const step = { ArrowDown: at + 1, ArrowUp: at - 1 + rows().length, Home: 0, End: rows().length - 1 }[event.key];
    if (step !== undefined) focusOn(rows()[step % rows().length], place);
    else if (event.key === "ArrowRight") focusOn(rows()[at], 1);
    else if (event.key === "ArrowLeft") focusOn(rows()[at], 0);
    else if (event.key === "Delete") { if (hub.store.saved[at] !== undefined) hub.desk.act({ do: "forget_reply", text: hub.store.saved[at] }); }
    else if (event.key === "Escape") { close(); button.focus({ preventScroll: true }); }
    else if (event.key.length === 1 && event.key !== " " && !event.altKey && !event.ctrlKey && !event.metaKey) findTyped(event, at);
    else return;
    event.preventDefault();
  }

  function findTyped(event, at) {
    typed = event.timeStamp - typedAt < TYPING ? typed + event.key : event.key;
    typedAt = event.timeStamp;
    const found = savedByTyping(hub.store.saved, at, typed);
    if (found >= 0) focusOn(rows()[found]);
  }

  function saveRow(words) {
    const isNew = box.value !== "" && box.value.length <= LONGEST && !hub.store.saved.includes(box.value);
    const item = h("button", { class: "nbs-menuitem is-save", type: "button", role: "menuitem", tabindex: "-1", "aria-disabled": isNew ? null : "true", onClick: () => { if (isNew) save(); } }, h("span", { "aria-hidden": "true" }, "+"), words("saveReply"));
    return h("div", { class: "nbs-menurow", role: "none" }, item);
  }

  /** Draws the menu anew if it is not so already; the focus stays at its place. */
  function draw(words) {
    const { saved } = hub.store;
    const wanted = JSON.stringify([saved, box.value, hub.settings.language()]);
    if (menu.hidden || wanted === key) return;
    key = wanted;
    const at = rows().findIndex((row) => row.contains(document.activeElement));
    if (at >= 0) menu.focus(); // the one that has it goes; left to nobody, the menu would take it for left
    const hint = h("div", { class: "nbs-menuhint", role: "none", hidden: saved.length > 0 }, words("noSaved"));
    menu.replaceChildren(hint, ...saved.map((each, i) => makeItem(hub, each, i, words, choose)), saveRow(words));
    if (at >= 0) focusOn(rows()[Math.min(at, saved.length)]);
  }

  menu.addEventListener("mousedown", (event) => event.preventDefault()); // a click must not take the focus first, and so close it
  element.addEventListener("focusout", (event) => { if (!element.contains(event.relatedTarget)) close(); });
  takeSavedKeys(hub, box);
  return {
    element,
    show(words, isDisabled) {
      attributes(button, { "aria-label": words("savedReplies"), title: words("savedTitle") });
      attribute(menu, "aria-label", words("savedReplies"));
      button.disabled = isDisabled;
      if (isDisabled && !menu.hidden) close();
      draw(words);
    },
  };
}
