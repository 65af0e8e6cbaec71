// Entries of a client's transcript as a terminal shows them: printed lines, and each prompt with what was typed behind it.
import { h, tokenNodes } from "./dom.js";
import { errorCard, localString, localText, remark } from "./bubbles.js";
import { makeReader } from "./text.js";

export function makeConsoleLines({ words, encoding, isStream }) {
  const read = makeReader(encoding, isStream);
  let open = null; // the line of a prompt that has no answer yet

  const line = (name, ...nodes) => h("div", { class: `nbs-console is-${name}` }, ...nodes);

  function traffic(entry, sign, title) {
    const { tokens } = read(entry.kind, entry.bytes, entry.size > entry.bytes.length);
    return line(entry.kind, h("span", { class: "nbs-sign", title: words(title) }, sign), h("span", {}, ...tokenNodes(tokens, words)));
  }

  function answered(entry) {
    const typed = h("span", { class: "nbs-typed" }, ...localText(localString(entry), words));
    if (!open) return line("answered", typed);
    open.append(typed);
    open = null;
    return null;
  }

  const draw = {
    printed: (entry) => line("printed", ...localText(localString(entry), words)),
    asked: (entry) => (open = line("asked", h("span", { class: "nbs-prompt" }, ...localText(localString(entry), words)))),
    answered,
    received: (entry) => traffic(entry, "←", "fromServer"),
    sent: (entry) => traffic(entry, "→", "toServer"),
    error: (entry) => errorCard(entry, words),
  };
  return {
    add: (entry) => (draw[entry.kind] ?? ((other) => remark(other, words)))(entry),
    skip: () => { open = null; },
  };
}
