// Finding: by what a row shows, here and at once; by all that was said, in the kernel, which has the transcripts.
import { attributes, h, text } from "./dom.js";

const PAUSE = 250; // milliseconds after the last key, then the kernel is asked
const AGAIN = 3; // seconds, then it is asked again if something was said meanwhile
const SHARE = 20; // so many times as long as the search took: the kernel has other things to do

/** `value` in pieces, every second of which is a hit of `needle` (in lower case). */
export function pieces(value, needle) {
  const lower = value.toLowerCase();
  if (!needle || lower.length !== value.length) return [value]; // a letter whose small form is longer: places would not fit
  const found = [];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    found.push(value.slice(from, at), value.slice(at, at + needle.length));
    from = at + needle.length;
  }
  return [...found, value.slice(from)];
}

const marked = new WeakMap(); // element → the pieces in it, as one text

/** Sets an element's text with its hits marked, if it is not so already. */
export function markedText(element, value, needle) {
  const parts = needle ? pieces(value, needle) : [value];
  const [is, was] = [parts.length > 1 ? parts.join("\0") : "", marked.get(element) ?? ""];
  if (is !== was) {
    marked.set(element, is);
    element.replaceChildren(...parts.map((part, i) => (i % 2 ? h("mark", { class: "nbs-hit" }, part) : part)));
  } else if (!is) {
    text(element, value);
  }
}

/** All that a row shows or could show, in lower case. */
export function rowText(row, words) {
  const state = row.state === "waiting" ? `${words("state.waiting")}\n${words("short.waiting")}` : words(`state.${row.state}`);
  return `${row.peer}\n${row.preview}\n${row.prompt ?? ""}\n${row.speaks}\n${words.note(row.note)}\n${state}`.toLowerCase();
}

/** What is looked for, and what was found: one for all views of a hub. */
export function makeFinding({ wish, changed, life, later = setTimeout, forget = clearTimeout, clock = () => performance.now() / 1000 }) {
  let [seen, language, timer, isAsking] = [new WeakMap(), "", 0, false];
  let answer = { needle: "", life: "", mark: "", next: 0, numbers: new Set() };
  const [isOurs, NONE] = [() => answer.needle === finding.needle && answer.life === life(), new Set()];

  const finding = {
    typed: "", needle: "", isPartial: false,
    /** Looks for a text; "" for nothing. */
    set(typed) {
      const needle = typed.trim().toLowerCase();
      forget(timer);
      if (needle !== finding.needle) {
        [seen, finding.needle, finding.isPartial] = [new WeakMap(), needle, false];
        if (needle) timer = later(() => finding.ask(), PAUSE);
      }
      finding.typed = typed;
      changed();
    },
    /** Whether a row shows the text. Asked once of each row: one that changes is another object. */
    isShownIn(row, words, newLanguage) {
      if (newLanguage !== language) [seen, language] = [new WeakMap(), newLanguage];
      let is = seen.get(row);
      if (is === undefined) {
        is = finding.needle === `#${row.id}` || rowText(row, words).includes(finding.needle);
        seen.set(row, is);
      }
      return is;
    },
    /** The numbers of those whose conversation holds the text, as far as the kernel has told. */
    said: () => (isOurs() ? answer.numbers : NONE),
    /** True when the kernel has answered for this text. */
    isAnswered: isOurs,
    /** Asks again, seldom enough, when there may be more to be found. `mark` changes when something was said. */
    renew(mark) {
      if (!finding.needle || answer.needle !== finding.needle) return; // nothing, or not asked yet
      if (answer.life !== life() || (mark !== answer.mark && clock() > answer.next)) finding.ask(mark);
    },
    /** Asks the kernel; one question at a time. */
    async ask(mark = "") {
      if (isAsking) return;
      isAsking = true;
      const [needle, during, begun] = [finding.needle, life(), clock()];
      const ack = await wish({ do: "find", text: needle });
      isAsking = false;
      if (needle !== finding.needle) { if (finding.needle) finding.ask(); return; } // typed on meanwhile
      const next = clock() + Math.max(AGAIN, SHARE * (clock() - begun));
      answer = { needle, life: during, mark, next, numbers: ack.ok ? new Set(ack.found) : finding.said() };
      finding.isPartial = ack.code === "partial";
      changed();
    },
  };
  return finding;
}

/** The box to type in, with the number of hits. `onLeave()`: Enter or arrow down leads to what was found. */
export function makeFind(hub, { onLeave }) {
  const { finding } = hub.desk;
  const box = h("input", { class: "nbs-find", type: "search", autocomplete: "off", spellcheck: "false" });
  const count = h("span", { class: "nbs-found", role: "status" });
  box.addEventListener("input", () => finding.set(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const act = { Escape: () => (finding.typed ? finding.set("") : onLeave()), Enter: onLeave, ArrowDown: onLeave }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  return {
    elements: [box, count],
    focus() { box.focus(); box.select(); }, // not every browser focuses what it selects
    show(found, words) {
      if (box.value !== finding.typed) box.value = finding.typed;
      attributes(box, { "aria-label": words("find"), placeholder: words("find"), title: words("findTitle") });
      text(count, finding.needle ? words(finding.isPartial ? "foundPartly" : "found", { count: found }) : "");
    },
  };
}
