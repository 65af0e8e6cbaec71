// The keys of the board as a whole, and the panel that lists these and all others. A key of a part is handled by that part.
import { makeDisclosure } from "./disclosure.js";
import { attributes, h, text } from "./dom.js";
import { isPresenting, setPresenting } from "./presenting.js";

// What is pressed (said the same in both languages, `word:` aside), and the word for what it does.
const KEYS = [
  ["Enter", "keys.send"], ["↑ ↓", "keys.history"], ["Alt+1…9", "keys.saved"], ["Esc", "keys.escape"],
  ["↑ ↓ PgUp PgDn Home End", "keys.list"], ["Enter", "keys.open"],
  ["Shift+↑ Shift+↓ Space Ctrl+A", "keys.select"], ["/ Ctrl+F", "keys.find"],
  ["↑ ↓ ← → + − Space N", "keys.timeline"],
  ["N Shift+N", "keys.chain"],
  ["+ − 0", "keys.size"], ["F", "keys.present"],
];

const isTyping = ({ target }) => target.matches("input:not([type=checkbox]), textarea, select");

/** + and − change the size, 0 sets it back, F fills the page: wherever the focus is but in a box. */
export function followBoardKeys(root, hub) {
  const { settings } = hub;
  const act = {
    "+": () => settings.step(1), "=": () => settings.step(1), "-": () => settings.step(-1), 0: () => settings.resetScale(),
    f: () => setPresenting(root, !isPresenting(root)),
  };
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const does = act[event.key.toLowerCase()];
    if (!does) return;
    event.preventDefault();
    does();
    hub.desk.set({});
  });
}

/** The panel: contrast, language, and the keys. */
export function makeKeys(hub) {
  const { settings } = hub;
  const list = h("dl", { class: "nbs-keys" });
  const contrast = h("input", { type: "checkbox", onChange: () => settings.setContrast(contrast.checked) });
  const contrastWord = h("span");
  const language = h("select", { class: "nbs-select", onChange: () => settings.setLanguage(language.value) },
    ...[["", ""], ["en", "English"], ["zh", "中文"]].map(([value, name]) => h("option", { value }, name)));
  const languageWord = h("span");
  const choices = h("div", { class: "nbs-choices" }, h("label", {}, contrast, " ", contrastWord), h("label", {}, languageWord, " ", language));
  const disclosure = makeDisclosure(hub, "keys", choices, list);
  let shown = "";
  return {
    button: disclosure.button, panel: disclosure.panel,
    show(words) {
      disclosure.show({ label: words("view"), title: words("view"), words });
      contrast.checked = settings.isHighContrast();
      language.value = settings.chosenLanguage();
      if (shown === settings.language()) return;
      shown = settings.language();
      text(contrastWord, words("highContrast"));
      text(languageWord, words("languageWord"));
      text(language.options[0], words("languageOfPage"));
      attributes(language, { "aria-label": words("languageWord") });
      list.replaceChildren(...KEYS.map(([keys, word]) => h("div", {}, h("dt", {}, ...keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, words(word)))));
    },
  };
}
