// Entries of a client's transcript as a terminal shows them: printed lines, and each prompt with what was typed behind it.
import { h, tokenNodes } from "./dom.js";
import { cardsWithErrors, localString, localText, remark } from "./bubbles.js";
import { makeReader } from "./text.js";

const END_OF_INPUT = "\x04"; // Ctrl+D, as the kernel tells it
const RUN = /^run \d+$/;

/** Which sign stands before the line that says how a program ended. */
const signOf = (how) => (how.startsWith("ended after") ? "✓" : how.startsWith("stopped") ? "■" : "✗");

export function makeConsoleLines({ words, encoding, isStream }) {
  const read = makeReader(encoding, isStream);
  const cards = cardsWithErrors(words);
  let open = null; // the line of a prompt that has no answer yet

  const line = (name, ...nodes) => h("div", { class: `nbs-console is-${name}` }, ...nodes);

  function traffic(entry, sign, title) {
    const { tokens } = read(entry.kind, entry.bytes, entry.size > entry.bytes.length);
    return line(entry.kind, h("span", { class: "nbs-sign", title: words(title) }, sign), h("span", {}, ...tokenNodes(tokens, words)));
  }

  /** The last line of a prompt is the one that the answer stands on: while it waits, the box stands there. */
  function asked(entry) {
    const lines = localString(entry).split("\n");
    const before = lines.slice(0, -1).map((one) => h("div", {}, ...localText(one, words)));
    open = line("asked is-open", ...before, h("span", { class: "nbs-prompt" }, ...localText(lines.at(-1), words)));
    return open;
  }

  function answered(entry) {
    const string = localString(entry);
    const typed = h("span", { class: "nbs-typed" }, ...(string === END_OF_INPUT ? ["^D"] : localText(string, words)));
    if (!open) return line("answered", typed);
    open.append(typed);
    open.classList.remove("is-open");
    open = null;
    return null;
  }

  function opened(entry) {
    const body = localString(entry);
    return RUN.test(body) ? h("div", { class: "nbs-run" }, words.note(body)) : remark(entry, words);
  }

  function closed(entry) {
    const how = localString(entry);
    open = null;
    return line("closed", h("span", { class: "nbs-sign", "aria-hidden": "true" }, signOf(how)), h("span", {}, ...localText(words.note(how), words)));
  }

  const draw = {
    printed: (entry) => line("printed", ...localText(localString(entry), words)),
    asked, answered, opened, closed,
    received: (entry) => traffic(entry, "←", "fromServer"),
    sent: (entry) => traffic(entry, "→", "toServer"),
    ...cards.draw,
  };

  return {
    add(entry) {
      const node = (draw[entry.kind] ?? ((other) => remark(other, words)))(entry);
      cards.passed(entry.kind);
      return node;
    },
    skip: () => { open = null; cards.passed(); },
  };
}
