// The same handler and the same clients on several servers at once, under one axis of time.
import { h, text } from "./dom.js";
import { exact } from "./laneparts.js";
import { makeLook } from "./look.js";
import { makeRoot } from "./root.js";
import { makeBarLegend, makeFacts, makeStage, roundSpan } from "./stage.js";

const LEGEND = [["backlog", "compare.inBacklog"], ["accepted", "compare.isAccepted"], ["serving", "compare.isServed"], ["answered", "compare.answered"], ["done", "compare.done"], ["failed", "compare.failed"]];
const WORDS = { backlog: "compare.backlog", accepted: "compare.accepted", serving: "compare.serving", done: "compare.done", failed: "compare.failed" };
const STATES = { running: "compare.running", done: "compare.isDone", stopped: "compare.stopped", late: "compare.late" };
const SEEN = 0.1; // seconds: a shorter wait is none that a person would call so
const FRAME = 100; // milliseconds between two drawings while it runs
const ENDS = new Set(["done", "failed"]);

/** How long a client has waited for a handler, and where: {seconds, where}. `now` in seconds since the begin. */
export function waitOf(lane, now) {
  const waits = lane.waited === null && lane.states.length && !ENDS.has(lane.states.at(-1)[1]);
  return { seconds: waits ? now - lane.states[0][0] : lane.waited ?? 0, where: waits ? lane.states.at(-1)[1] : lane.where };
}

/** The one who waited longest, if somebody did: {client, seconds, where}. */
export function longestWait(lanes, now) {
  const waits = lanes.map((lane) => ({ client: lane.client, ...waitOf(lane, now) })).filter(({ seconds }) => seconds >= SEEN);
  return waits.reduce((longest, wait) => (longest && longest.seconds >= wait.seconds ? longest : wait), null);
}

/** The bars of a lane: {from, to, state}, and the sign at its end, {at, state}. */
export function barsOf(lane, now) {
  const bars = lane.states.map(([from, state], i) => ({ from, to: lane.states[i + 1]?.[0] ?? now, state }));
  const last = bars.at(-1);
  return last && ENDS.has(last.state) ? { bars: bars.slice(0, -1), end: { at: last.from, state: last.state } } : { bars, end: null };
}

/** How far the axis goes. */
export const spanOf = (columns, now, isRunning) => roundSpan(Math.max(0.1, ...(isRunning ? [now] : columns.flatMap(({ lanes, total }) => [total ?? 0, ...lanes.map((lane) => lane.states.at(-1)?.[0] ?? 0)]))));

const summaryOf = (column, now, words) => {
  const longest = longestWait(column.lanes, now);
  const end = column.total === null ? words("compare.notYet", { time: exact(now) }) : words("compare.total", { time: exact(column.total) });
  const wait = longest ? words(longest.where === "accepted" ? "compare.waitedAccepted" : "compare.waitedBacklog", { client: longest.client, time: exact(longest.seconds) }) : words("compare.nobody");
  return words("compare.summary", { end, wait });
};

function laneOf(lane, now, words) {
  const { bars, end } = barsOf(lane, now);
  const said = bars.map(({ from, to, state }) => words("compare.barIs", { state: words(WORDS[state]), time: exact(to - from) }));
  if (end) said.push(words(WORDS[end.state]));
  const signs = lane.answered === null ? [] : [{ at: lane.answered, kind: "answered", word: words("compare.answered") }];
  if (end) signs.push({ at: end.at, kind: end.state, word: words(WORDS[end.state]) });
  return {
    name: words("compare.client", { client: lane.client }), said: words("compare.laneIs", { client: lane.client, states: said.join(words("comma")) }), signs,
    bars: bars.map(({ from, to, state }) => ({ from, to, kind: state, word: words(WORDS[state]) })), note: words.note(lane.note),
  };
}

const rowOf = (name, lane, now, words) => {
  const { seconds, where } = waitOf(lane, now);
  const place = seconds < SEEN ? "" : words(where === "accepted" ? "compare.accepted" : "compare.backlog");
  const last = lane.states.at(-1)?.[1];
  return [name, words("compare.client", { client: lane.client }), exact(seconds), place, lane.answered === null ? "" : exact(lane.answered), last ? words(WORDS[last]) : ""];
};

export function compareView(hub, { el, signal }) {
  const look = makeLook(hub.store, "compare");
  const [state, empty] = [h("span", { class: "nbs-comparestate", role: "status" }), h("p", { class: "nbs-empty" })];
  const [legend, stage, facts] = [makeBarLegend(LEGEND), makeStage(), makeFacts()];
  const element = h("div", { class: "nbs-compare" }, h("div", { class: "nbs-lanehead" }, legend.element, state), stage.element, empty, facts.element);
  let isRunning = false;

  function show(words) {
    const seen = look.of(0);
    element.classList.toggle("is-waiting", !seen);
    text(empty, seen ? "" : words("compare.none"));
    empty.hidden = Boolean(seen);
    legend.show(words);
    isRunning = seen?.state === "running";
    if (!seen) return words("compare.title");
    const now = isRunning ? Math.max(0, hub.store.now() - seen.began) : Math.max(0, ...seen.columns.map(({ total }) => total ?? seen.seconds));
    text(state, words(STATES[seen.state], { seconds: seen.seconds }));
    const groups = seen.columns.map((column) => ({ title: column.name, line: summaryOf(column, now, words), lanes: column.lanes.map((lane) => laneOf(lane, now, words)) }));
    stage.show(groups, { from: 0, to: spanOf(seen.columns, now, isRunning) });
    const heads = ["compare.server", "compare.who", "compare.waited", "compare.where", "compare.answered", "compare.now"].map((key) => words(key));
    facts.show(words("compare.title"), words("asTable"), heads, seen.columns.flatMap(({ name, lanes }) => lanes.map((lane) => rowOf(name, lane, now, words))));
    return words("compare.title");
  }

  const ask = makeRoot(hub, el, signal, [h("div", { class: "nbs-main" }, element)], show);
  const beat = setInterval(() => { if (isRunning) ask(); }, FRAME);
  const observer = new ResizeObserver(() => ask());
  observer.observe(element);
  signal.addEventListener("abort", () => { clearInterval(beat); observer.disconnect(); look.close(); });
  return look.close;
}
