// A transcript that follows its end: new entries are added, never all of them drawn again, and never many in one frame.
import { attribute, attributes, h, text } from "./dom.js";
import { KEPT } from "./store.js";

const AT_ONCE = 12; // new entries in one frame; bubbles are the dearest part of the board
const FIRST = 60; // entries drawn when a transcript is opened
const SETTLE = 60; // milliseconds before a newly selected one is asked for: an arrow key held down passes over many

/** `makeLines(options)` → {add(entry), skip(entries)}: bubbles, or the lines of a console. */
export function makeTranscript({ hub, table, makeLines }) {
  const log = h("div", { class: "nbs-log", role: "log", "aria-live": "polite", tabindex: "0" });
  const newer = h("button", { class: "nbs-newer", type: "button", hidden: true, onClick: () => follow() });
  const element = h("div", { class: "nbs-transcript" }, log, newer);
  let [shown, key, lines, last, limit, isFollowing, gap] = [null, "", null, 0, FIRST, true, null];
  let [timer, unwatch] = [0, () => {}];

  function follow() {
    isFollowing = true;
    log.scrollTop = log.scrollHeight;
    attribute(newer, "hidden", true);
  }

  function watch(id) {
    clearTimeout(timer);
    unwatch();
    unwatch = () => {};
    shown = id;
    if (id !== null) timer = setTimeout(() => { unwatch = hub.store.watch(table, id); }, SETTLE);
  }

  function restart(options) {
    log.replaceChildren();
    lines = makeLines(options);
    [last, gap, isFollowing] = [0, null, true];
    attribute(newer, "hidden", true);
  }

  /** The line that stands for entries which were not drawn; the button draws them all. */
  function addGap(count, words) {
    if (!gap) {
      gap = { count: 0, element: h("button", { class: "nbs-more", type: "button", onClick: () => { limit = KEPT; key = ""; hub.desk.set({}); } }) };
      log.append(gap.element);
    }
    gap.count += count;
    text(gap.element, words("more", { count: gap.count }));
  }

  /** A hole in the numbers: the kernel kept no more, so there is nothing to click. */
  function addHole(count, words) {
    if (count > 0) log.append(h("div", { class: "nbs-remark" }, words("notKept", { count })));
  }

  function addNew(entries, words) {
    const most = last ? AT_ONCE : limit;
    const skipped = entries.slice(0, -most);
    if (skipped.length) {
      addHole(skipped[0].n - last - 1, words);
      lines.skip(skipped);
      addGap(skipped.length, words);
      last = skipped.at(-1).n;
    }
    for (const entry of entries.slice(-most)) {
      addHole(entry.n - last - 1, words);
      const node = lines.add(entry);
      if (node) { log.append(node); gap = null; }
      last = entry.n;
    }
    while (log.childElementCount > KEPT) log.firstElementChild.remove();
  }

  /** `options` are those of makeLines; `name` is the accessible name. */
  function show({ id, name, options }) {
    attributes(log, { "aria-label": name });
    if (id !== shown) { watch(id); limit = FIRST; }
    const { words, ...rest } = options;
    const wanted = JSON.stringify([hub.store.epoch, id, hub.settings.language(), rest]);
    if (wanted !== key) { restart(options); key = wanted; }
    const entries = id === null ? [] : hub.store.transcript(table, id).entries.filter((entry) => entry.n > last);
    if (!entries.length) return;
    addNew(entries, words);
    if (isFollowing) follow();
    else { text(newer, `↓ ${words("newer")}`); attribute(newer, "hidden", false); }
  }

  log.addEventListener("scroll", () => {
    isFollowing = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    if (isFollowing) attribute(newer, "hidden", true);
  }, { passive: true });
  // A log that becomes larger or smaller keeps its end in sight.
  const observer = new ResizeObserver(() => { if (isFollowing) log.scrollTop = log.scrollHeight; });
  observer.observe(log);
  return { element, show, close: () => { watch(null); observer.disconnect(); } };
}
