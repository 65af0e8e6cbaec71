// A transcript that follows its end, unless one reads further up: what one reads stays in its place, whatever comes or goes
// above and below it. New entries are added, and never many in one frame; earlier ones are asked for when one gets there.
import { makeAnnouncer } from "./announcer.js";
import { makeCopyBar } from "./copybar.js";
import { attribute, attributes, h, text } from "./dom.js";
import { day, duration, grouped } from "./format.js";
import { KEPT } from "./store.js";

const AT_ONCE = 12; // new entries in one frame; bubbles are the dearest part of the board
const FIRST = 60; // entries drawn when a transcript is opened
const STEP = 100; // more of them each time that one scrolls to the top
const SETTLE = 60; // milliseconds before a newly selected one is asked for: an arrow key held down passes over many
const NEAR = 24; // pixels from an end that count as being there

/** What a screen reader is told of an entry: who said it, and the text. */
function spokenText(node) {
  const who = node.querySelector(".nbs-meta b")?.textContent;
  return (who ? `${who}: ${node.querySelector(".nbs-text, .nbs-hex").textContent}` : node.textContent).slice(0, 200);
}

/** Names each point in time that is pointed at: the day, and how long ago it was. */
function explainTimes(log, hub) {
  log.addEventListener("pointerover", ({ target }) => {
    const time = target.closest("time[datetime]");
    if (!time) return;
    const at = Date.parse(time.dateTime) / 1000;
    const words = hub.settings.words();
    attribute(time, "title", words("ago", { day: day(at, hub.settings.language()), time: duration(hub.store.now() - at) }));
  });
}

/** The line above the first entry: a button for earlier ones, or how many are gone. */
function makeBeginning(onEarlier) {
  const button = h("button", { class: "nbs-more", type: "button", onClick: onEarlier });
  const gone = h("div", { class: "nbs-remark" });
  const element = h("div", { class: "nbs-beginning" }, button, gone);
  return {
    element,
    /** `count` entries can be had, `lost` are gone. */
    show({ count, lost, words }) {
      attribute(element, "hidden", count + lost === 0);
      attribute(button, "hidden", count === 0);
      text(button, count > 0 ? words("earlier", { count: grouped(count) }) : "");
      attribute(gone, "hidden", count > 0);
      text(gone, count === 0 && lost > 0 ? words("gone", { count: grouped(lost) }) : "");
    },
  };
}

/** `makeLines(options)` → {add(entry), skip(entries)}: bubbles, or the lines of a console. */
export function makeTranscript({ hub, table, makeLines }) {
  const { store, settings } = hub;
  const beginning = makeBeginning(() => { isFollowing = false; showEarlier(); });
  const log = h("div", { class: "nbs-log", role: "log", "aria-live": "off", tabindex: "0", onKeydown: press });
  const newer = h("button", { class: "nbs-newer", type: "button", hidden: true, onClick: () => { follow(); log.focus({ preventScroll: true }); } });
  const announcer = makeAnnouncer(settings.words);
  const entryOf = (node) => kept().entries.find((entry) => entry.n === Number(node.dataset.n));
  const copyBar = makeCopyBar({ hub, log, entryOf, announcer });
  const element = h("div", { class: "nbs-transcript" }, log, copyBar.element, newer, announcer.element);
  let [shown, key, lines, gap, today, epoch] = [null, "", null, null, "", ""];
  let [from, last] = [0, 0]; // numbers of the oldest entry that is drawn, and of the newest; 0 before there is one
  let [isFollowing, unseen, isAsking, isNews] = [true, 0, false, false];
  let [timer, unwatch, unfolded] = [0, () => {}, new Set()];

  const kept = () => store.transcript(table, shown);
  const items = () => [...log.querySelectorAll(":scope > [data-n]")];

  const isAtEnd = () => log.scrollTop + log.clientHeight >= log.scrollHeight - NEAR / 3;

  function follow() {
    [isFollowing, unseen] = [true, 0];
    log.scrollTop = log.scrollHeight;
    attribute(newer, "hidden", true);
  }

  function watch(id) {
    clearTimeout(timer);
    unwatch();
    unwatch = () => {};
    [shown, from, isAsking, isFollowing, unfolded] = [id, 0, false, true, new Set()];
    announcer.clear();
    if (id !== null) timer = setTimeout(() => { unwatch = store.watch(table, id); }, SETTLE);
  }

  // ── what one reads stays where it is ──

  /** Does something to the log; the entry at its upper edge is where it was, and what had the focus has it. */
  function keepPlace(change) {
    const edge = log.getBoundingClientRect().top;
    const seen = isFollowing ? null : items().find((node) => node.getBoundingClientRect().bottom > edge);
    const [n, y] = [Number(seen?.dataset.n), seen?.getBoundingClientRect().top];
    const focused = log.contains(document.activeElement) ? document.activeElement : null;
    const number = focused?.closest("[data-n]")?.dataset.n;
    change();
    const again = seen && items().find((node) => Number(node.dataset.n) >= n);
    if (again) log.scrollTop += again.getBoundingClientRect().top - y;
    if (!focused || log.contains(document.activeElement)) return;
    const heir = log.contains(focused) ? focused : items().find((node) => node.dataset.n === number) ?? log;
    heir.focus({ preventScroll: true });
  }

  // ── drawing ──

  /** The line that stands for entries which were not drawn; the button draws them all. */
  function addGap(count, words) {
    if (!gap) {
      gap = { count: 0, element: h("button", { class: "nbs-more", type: "button", onClick: () => { key = ""; hub.desk.set({}); } }) };
      log.append(gap.element);
    }
    gap.count += count;
    text(gap.element, words("more", { count: gap.count }));
  }

  /** A hole in the numbers: the kernel kept no more, so there is nothing to click. */
  function addHole(n, words) {
    if (last && n > last + 1) log.append(h("div", { class: "nbs-remark" }, words("notKept", { count: grouped(n - last - 1) })));
  }

  function addDay(time) {
    const name = day(time, settings.language());
    if (name !== today) log.append(h("div", { class: "nbs-day", role: "separator", "aria-label": name }, name));
    today = name;
  }

  function addEntry(entry, words) {
    addHole(entry.n, words);
    last = entry.n;
    const node = lines.add(entry);
    if (!node) return;
    addDay(entry.time);
    node.dataset.n = entry.n;
    node.tabIndex = -1;
    log.append(node);
    gap = null;
    if (isNews) announcer.add(spokenText(node));
  }

  /** Adds entries; of more than `most` the last ones. */
  function addEntries(entries, most, words) {
    const skipped = entries.slice(0, -most);
    if (skipped.length) {
      addHole(skipped[0].n, words);
      lines.skip(skipped);
      addGap(skipped.length, words);
      announcer.add("", skipped.length);
      last = skipped.at(-1).n;
    }
    for (const entry of entries.slice(-most)) addEntry(entry, words);
    if (isFollowing && log.childElementCount > KEPT) trim();
  }

  function trim() {
    while (log.childElementCount > KEPT) log.children[1].remove();
    from = Number(items()[0]?.dataset.n ?? last);
  }

  /** Draws it anew, from entry `from` on, or the last ones. */
  function redraw(options, words) {
    const { entries } = kept();
    log.replaceChildren(beginning.element);
    lines = makeLines({ ...options, words, unfolded });
    [last, gap] = [0, null];
    today = day(store.now(), settings.language());
    const first = entries[0]?.n ?? 0;
    from = from ? Math.max(from, first) : entries.at(-FIRST)?.n ?? first;
    isNews = false;
    addEntries(entries.filter((entry) => entry.n >= from), KEPT, words);
    isNews = true;
  }

  function showNew(words) {
    const entries = kept().entries.filter((entry) => entry.n > last);
    if (!entries.length) return;
    addEntries(entries, AT_ONCE, words);
    if (!isFollowing) unseen += entries.length;
  }

  /** `options` are those of makeLines; `name` is the accessible name. */
  function show({ id, name, options: { words, ...options } }) {
    attributes(log, { "aria-label": name });
    if (id !== shown) watch(id);
    if (epoch !== store.epoch) [epoch, from] = [store.epoch, 0];
    const wanted = JSON.stringify([store.epoch, id, settings.language(), options]);
    const isEmpty = last === 0 && kept().entries.length > 0;
    if (isAsking && kept().entries[0]?.n < from) showEarlier();
    const newest = last;
    if (wanted !== key || isEmpty) keepPlace(() => { redraw(options, words); showBeginning(words); });
    else showNew(words);
    showBeginning(words);
    showNewer(words);
    if (isFollowing && (wanted !== key || last !== newest)) follow();
    key = wanted;
  }

  function showBeginning(words) {
    const { entries, first } = kept();
    const oldest = store.hasEarlier(table, shown) ? first : entries[0]?.n ?? 0;
    beginning.show({ count: Math.max(0, from - oldest), lost: Math.max(0, from - 1), words });
  }

  function showNewer(words) {
    isFollowing ||= isAtEnd(); // where nothing can be scrolled nobody has scrolled back
    if (isFollowing) unseen = 0;
    text(newer, `↓ ${words("newCount", { count: grouped(unseen) })}`);
    attribute(newer, "hidden", unseen === 0);
  }

  // ── moving about ──

  /** Draws a step more of what is here, or asks the kernel for it. */
  function showEarlier() {
    if (key === "") return; // a step is on its way
    const { entries } = kept();
    const at = entries.findIndex((entry) => entry.n >= from);
    isAsking = at === 0 && store.hasEarlier(table, shown);
    if (isAsking) store.askEarlier(table, shown);
    if (at <= 0) return;
    from = entries[Math.max(0, at - STEP)].n;
    key = "";
    hub.desk.set({});
  }

  /** The focus goes from entry to entry; from the log itself to the last one in sight. */
  function step(direction) {
    const all = items();
    const at = all.indexOf(document.activeElement.closest("[data-n]"));
    const bottom = log.getBoundingClientRect().bottom;
    const next = at < 0 ? all.findLast((node) => node.getBoundingClientRect().top < bottom - NEAR) : all[at + direction];
    if (!next) { if (direction < 0) showEarlier(); return; }
    attributes(next, { role: "article", "aria-label": spokenText(next) });
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowUp: () => step(-1),
      ArrowDown: () => step(1),
      Home: () => { isFollowing = false; log.scrollTop = 0; showEarlier(); },
      End: follow,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  explainTimes(log, hub);
  log.addEventListener("scroll", () => {
    isFollowing = isAtEnd();
    if (isFollowing) { unseen = 0; attribute(newer, "hidden", true); }
    else if (log.scrollTop < NEAR) showEarlier();
  }, { passive: true });
  log.addEventListener("click", () => { isFollowing = isAtEnd(); }); // a long entry was unfolded
  // A log that becomes larger or smaller keeps its end in sight.
  const observer = new ResizeObserver(() => { if (isFollowing) log.scrollTop = log.scrollHeight; });
  observer.observe(log);
  return { element, show, close: () => { watch(null); announcer.clear(); observer.disconnect(); } };
}
