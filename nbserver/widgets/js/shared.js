// What handlers' threads do with something that they share, and where two of them do so at once.
import { attribute, attributes, h, text } from "./dom.js";
import { exact } from "./laneparts.js";
import { makeLook } from "./look.js";
import { keep, makeBarLegend, makeFacts, makeStage, roundSpan } from "./stage.js";

const LEGEND = [["reading", "shared.reading"], ["changing", "shared.changing"], ["race", "shared.race"], ["locked", "shared.locked"]];
const MOST_SENTENCES = 5;
const LEAST = 1e-4; // seconds that the axis shows at least

/** The data as objects. `spans`: {number, from, to, first, last, writes, lost}; times in seconds since the first of them. */
export function readShared({ spans = [], races = [], waits = [] }) {
  const read = spans.map(([number, from, to, first, last, writes, lost]) => ({ number, from, to, first, last, writes, lost }));
  return {
    spans: read,
    races: races.map(([one, other, from, to]) => ({ one: read[one], other: read[other], from, to })),
    waits: waits.map(([number, from, to, line, code]) => ({ number, from, to, line, code })),
  };
}

/** How a race is told: the word's key and its blanks. */
export function raceWords({ one, other }, name) {
  const [first, last] = [Math.min(one.first, other.first), Math.max(one.last, other.last)];
  const lines = first === last ? String(first) : `${first}–${last}`;
  if (one.writes && other.writes) return [one.lost || other.lost ? "shared.lost" : "shared.canBeLost", { one: one.number, other: other.number, name, lines }];
  const [writer, reader] = one.writes ? [one, other] : [other, one];
  return ["shared.changedWhile", { one: writer.number, other: reader.number, name, lines }];
}

/** Times as few as possible that cover all of `parts`, {from, to}. */
export function merged(parts) {
  const all = [];
  for (const { from, to } of [...parts].sort((a, b) => a.from - b.from)) {
    if (all.length && from <= all.at(-1).to) all.at(-1).to = Math.max(all.at(-1).to, to);
    else all.push({ from, to });
  }
  return all;
}

/** The lanes: one for each connection, {number, bars: [{from, to, kind, of}]}; what lies above is drawn last. */
export function lanesOf({ spans, races, waits }) {
  const numbers = [...new Set([...spans, ...waits].map(({ number }) => number))].sort((a, b) => a - b);
  return numbers.map((number) => ({
    number,
    bars: [
      ...waits.filter((wait) => wait.number === number).map((wait) => ({ ...wait, kind: "locked" })),
      ...spans.filter((span) => span.number === number).map((span) => ({ ...span, kind: span.writes ? "changing" : "reading" })),
      ...merged(races.filter(({ one, other }) => one.number === number || other.number === number)).map((both) => ({ ...both, kind: "race" })),
    ],
  }));
}

function laneOf({ number, bars }, words) {
  const wordOf = ({ kind, code }) => (kind === "locked" ? words("shared.lockedAt", { code }) : words(`shared.${kind}`));
  const said = bars.map((bar) => words("shared.barIs", { what: wordOf(bar), from: exact(bar.from), time: exact(bar.to - bar.from) })).join(words("comma"));
  return {
    name: words("shared.lane", { number }), said: words("shared.laneIs", { number, said }),
    // A word that something lies upon is not written.
    bars: bars.map((bar, i) => ({ from: bar.from, to: bar.to, kind: bar.kind, ...(bar.kind === "race" ? { word: `⚠ ${wordOf(bar)}`, short: "⚠" } : { word: wordOf(bar) }), isBare: bars.slice(i + 1).some(({ from, to }) => from < bar.to && to > bar.from) })),
    signs: [],
  };
}

/** What was seen, in sentences: [class, text], the newest races first. */
function sentencesOf({ spans, races, waits }, { name, on }, words) {
  const told = races.slice(-MOST_SENTENCES).reverse().map((race) => { const [key, blanks] = raceWords(race, name); return ["is-race", words(key, blanks)]; });
  const delays = waits.slice(-MOST_SENTENCES).map(({ number, from, to, line, code }) => ["is-locked", words("shared.waitedAt", { number, time: exact(to - from), line, code })]);
  if (races.length > MOST_SENTENCES) told.push(["is-race", words("shared.more", { count: races.length - MOST_SENTENCES })]);
  if (spans.length && !races.length) told.unshift(["is-good", words("shared.noRace", { name })]);
  if (!spans.length && on) told.push(["is-quiet", words("shared.nothingYet", { name })]);
  return [...told, ...delays];
}

const rowsOf = ({ spans }, words) => spans.map(({ number, from, to, first, last, writes, lost }) => [
  words("shared.lane", { number }), words(writes ? "shared.changing" : "shared.reading"), first === last ? String(first) : `${first}–${last}`, exact(from), exact(to - from), lost ? words("shared.overwrote") : "",
]);

let made = 0;

/** `onSelect(id)` has no use here: all connections are shown. Nothing is asked for before `show`. */
export function makeShared(hub, signal) {
  const look = makeLook(hub.store, "shared");
  const id = `nbs-shared-${++made}`;
  const [label, select, toggle] = [h("label", { for: id }), h("select", { class: "nbs-select", id }), h("button", { class: "nbs-button", type: "button", onClick: () => watch() })];
  const [hint, note] = [h("p", { class: "nbs-sharedhint" }), h("p", { class: "nbs-sharednote", role: "status", hidden: true })];
  const [legend, stage, facts] = [makeBarLegend(LEGEND), makeStage(), makeFacts()];
  const list = h("ul", { class: "nbs-sentences" });
  const lanes = h("div", {}, h("div", { class: "nbs-lanehead" }, legend.element), stage.element);
  const head = h("div", { class: "nbs-sharedhead" }, label, select, toggle, hint);
  const element = h("div", { class: "nbs-shared" }, head, note, list, lanes, facts.element);
  let [seen, words] = [null, null];

  /** Begins to watch the chosen name, or ends the watch of it. */
  function watch() {
    const isOn = seen?.on && select.value === seen.name;
    if (isOn || select.value) hub.desk.act({ do: "watch_shared", name: isOn ? "" : select.value });
  }

  function showHead() {
    const names = seen.name && !seen.names.includes(seen.name) ? [seen.name, ...seen.names] : seen.names;
    const chosen = names.includes(select.value) ? select.value : seen.name || names[0] || "";
    keep(select, names.length, () => h("option")).forEach((option, i) => { attribute(option, "value", names[i]); text(option, names[i]); });
    if (select.value !== chosen) select.value = chosen;
    const isOn = seen.on && chosen === seen.name;
    text(label, words("shared.what"));
    text(toggle, words(isOn ? "shared.stop" : "shared.watch"));
    attributes(toggle, { "aria-pressed": String(isOn) });
    toggle.disabled = !names.length || hub.store.server?.state !== "serving";
    text(hint, words(seen.on ? "shared.isOn" : names.length ? "shared.isOff" : "shared.noNames", { name: seen.name }));
    attribute(note, "hidden", !seen.note);
    text(note, words.note(seen.note));
  }

  function draw() {
    showHead();
    const told = readShared(seen);
    const isEmpty = !told.spans.length && !told.waits.length;
    const sentences = sentencesOf(told, seen, words);
    keep(list, sentences.length, () => h("li")).forEach((item, i) => {
      attribute(item, "class", sentences[i][0]);
      text(item, sentences[i][1]);
    });
    attribute(lanes, "hidden", isEmpty);
    attribute(facts.element, "hidden", isEmpty);
    if (isEmpty) return;
    legend.show(words);
    const end = Math.max(LEAST, ...told.spans.map(({ to }) => to), ...told.waits.map(({ to }) => to));
    const line = words("shared.summary", { uses: told.spans.length, races: told.races.length });
    stage.show([{ title: seen.name, line, lanes: lanesOf(told).map((lane) => laneOf(lane, words)) }], { from: 0, to: roundSpan(end) });
    const heads = ["shared.who", "shared.whatDone", "shared.lines", "shared.from", "shared.time", "shared.lostHead"].map((key) => words(key));
    facts.show(words("inside.shared"), words("asTable"), heads, rowsOf(told, words));
  }

  select.addEventListener("change", () => { if (seen) showHead(); });
  const observer = new ResizeObserver(() => { if (seen && words) draw(); });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
  return {
    element, close: look.close,
    show(newWords) {
      words = newWords;
      const told = look.of(0);
      attribute(element, "hidden", !told);
      if (!told) return;
      seen = told;
      draw();
    },
  };
}
