// Copying: one message as text, as hex or as bytes for Python, from a bar at the bubble that is pointed at or has the focus;
// and a whole transcript as text.
import { copyText } from "./clipboard.js";
import { attribute, attributes, h } from "./dom.js";
import { glyph } from "./icons.js";
import { asHex, asLiteral, asText, transcriptText } from "./plaintext.js";

const SHOWN = 1500; // milliseconds for which a button says that it was copied
const PATIENCE = 2000; // milliseconds for what the kernel still has of a transcript
const TABLE = "connections";

/** Copies, and says what became of it: on the button, and by `say`. Returns the function that shows the button. */
function makeCopyButton(hub, { className, make, say }) {
  const label = h("span");
  const button = h("button", { class: `nbs-button ${className}`, type: "button", onClick: copy }, label);
  let [timer, shown] = [0, ""];
  const fill = () => label.replaceChildren(button.classList.contains("is-done") ? "✓" : shown);

  async function copy() {
    const words = hub.settings.words();
    const isCopied = await copyText(await make());
    say(words(isCopied ? "copied" : "notCopied"));
    if (!isCopied) { hub.desk.set({ notice: { ok: false, error: words("notCopied") } }); return; }
    clearTimeout(timer);
    button.classList.add("is-done");
    fill();
    timer = setTimeout(() => { button.classList.remove("is-done"); fill(); }, SHOWN);
  }
  return {
    element: button,
    copy,
    /** `label` is a text or an element. */
    show({ label: face, name }) {
      if (face !== shown) { shown = face; fill(); }
      attributes(button, { "aria-label": name, title: name });
    },
  };
}

/** `entryOf(bubble)` finds what is copied. The bar lies above the log, since a bubble cannot show anything outside itself. */
export function makeCopyBar({ hub, log, entryOf, announcer }) {
  const bytes = () => entryOf(bubble)?.bytes ?? new Uint8Array();
  const ways = [
    ["copyText", "copyTextName", () => asText(bytes(), hub.settings.encoding())],
    ["copyHex", "copyHexName", () => asHex(bytes())],
    ["copyBytes", "copyBytesName", () => asLiteral(bytes())],
  ];
  const buttons = ways.map(([label, name, make]) => ({ label, name, ...makeCopyButton(hub, { className: "is-copy", make, say: announcer.say }) }));
  const element = h("div", { class: "nbs-copybar", role: "group", hidden: true }, ...buttons.map((button) => button.element));
  let bubble = null;

  function showAt(node) {
    bubble = node;
    attribute(element, "hidden", !node);
    if (!node) return;
    const words = hub.settings.words();
    attribute(element, "aria-label", words("copy"));
    for (const { label, name, show } of buttons) show({ label: words(label), name: words(name) });
    const [place, own, outer] = [node, element, log].map((each) => each.getBoundingClientRect());
    const [left, top] = [place.right - outer.left - own.width, place.top - outer.top - own.height / 2];
    element.style.translate = `${Math.max(0, left)}px ${Math.max(0, top)}px`;
  }

  /** The bar goes with its bubble, and away with it. */
  function moveAlong() {
    if (!bubble) return;
    const [place, outer] = [bubble.getBoundingClientRect(), log.getBoundingClientRect()];
    showAt(place.top < outer.bottom && place.bottom > outer.top ? bubble : null);
  }

  const hasFocus = () => element.contains(document.activeElement);
  const hide = () => { if (!hasFocus()) showAt(null); };
  const lookAt = ({ target }) => { if (!hasFocus()) { const node = target.closest(".nbs-bubble"); if (node) showAt(node); } };

  function press(event) {
    if (!event.target.matches?.(".nbs-bubble")) return;
    const isCopy = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "c" && getSelection().isCollapsed;
    if (!isCopy && event.key !== "Enter") return;
    event.preventDefault();
    showAt(event.target); // the mouse may rest on another one
    if (isCopy) buttons[0].copy();
    else buttons[0].element.focus();
  }

  function leave(event) {
    if (event.key !== "Escape") return;
    const from = bubble;
    (from?.isConnected ? from : log).focus({ preventScroll: true });
  }

  log.addEventListener("pointerover", lookAt);
  log.addEventListener("focusin", lookAt);
  log.addEventListener("keydown", press);
  log.addEventListener("scroll", moveAlong, { passive: true });
  element.addEventListener("keydown", leave);
  for (const part of [log, element]) {
    part.addEventListener("pointerleave", ({ relatedTarget }) => { if (!element.contains(relatedTarget) && !log.contains(relatedTarget)) hide(); });
    part.addEventListener("focusout", ({ relatedTarget }) => { if (!element.contains(relatedTarget) && !log.contains(relatedTarget)) showAt(null); });
  }
  return { element };
}

/** Resolves when all that the kernel keeps of a transcript is here, or after a while. */
function wholeTranscript(hub, id) {
  return new Promise((resolve) => {
    const life = new AbortController();
    const done = () => { clearTimeout(timer); life.abort(); resolve(); };
    const look = () => { if (hub.store.hasEarlier(TABLE, id)) hub.store.askEarlier(TABLE, id); else done(); };
    const timer = setTimeout(done, PATIENCE);
    hub.onChange(look, life.signal);
    look();
  });
}

/** The button that copies the transcript of the connection that is shown. */
export function makeCopyAll(hub) {
  const { store, settings } = hub;
  let row = null;
  async function make() {
    const { id, peer } = row;
    await wholeTranscript(hub, id);
    const isStream = store.server?.transport !== "datagram";
    const { entries } = store.transcript(TABLE, id);
    return transcriptText({ title: `#${id} ${peer}`, entries, encoding: settings.encoding(), isStream, language: settings.language(), words: settings.words() });
  }
  const icon = glyph("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3");
  const button = makeCopyButton(hub, { className: "is-copyall", make, say: () => {} });
  return {
    element: button.element,
    show(shown, words) {
      row = shown;
      button.show({ label: icon, name: words("copyAll") });
    },
  };
}
