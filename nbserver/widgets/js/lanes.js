// What each thread did when, as plain data: no DOM in here, node --test runs it as it is. The kernel keeps the past
// (lanes.py) and tells it once; from then on the rows of the deltas go on with it, by the same rules as there.
import { shortPeer } from "./format.js";

export const SPANS = [2, 5, 10, 20, 30, 60, 120, 300, 600]; // seconds across the view
const LONGEST = SPANS.at(-1);
const KEPT = 1200; // states of one lane, and as many marks
const FRESH = 1; // seconds; what is older when it is seen first was not looked at from its begin
const ENDED = new Set(["closed", "reset", "failed", "ended"]);

/**
 * How a state is drawn, `token` being a colour of the style sheet, and how it is called. A thin bar is blocked, a full one
 * runs, hatching waits for a person, a dotted outline has not been accepted; `sign` is a sign at its begin.
 */
export const STATES = {
  selecting: { shape: "thin", token: "calm", word: "lane.selecting" },
  unseen: { shape: "thin", token: "calm", word: "lane.unseen" },
  receiving: { shape: "thin", token: "receive", word: "lane.receiving" },
  sending: { shape: "double", token: "send", word: "lane.sending" },
  waiting: { shape: "hatch", token: "wait", word: "lane.waiting" },
  held: { shape: "half", token: "wait", word: "lane.held" },
  running: { shape: "full", token: "run", word: "lane.running" },
  serving: { shape: "full", token: "run", word: "lane.serving" },
  accepted: { shape: "outline", token: "run", word: "lane.accepted" },
  backlog: { shape: "outline", token: "quiet", word: "lane.backlog" },
  "half-closed": { shape: "half", token: "receive", word: "lane.halfClosed" },
  full: { shape: "stripes", token: "bad", word: "lane.full" },
  paused: { shape: "stripes", token: "bad", word: "lane.paused" },
  closed: { shape: "none", token: "quiet", word: "lane.closed", sign: "bar" },
  reset: { shape: "none", token: "bad", word: "lane.reset", sign: "cross" },
  failed: { shape: "none", token: "bad", word: "lane.failed", sign: "cross" },
  ended: { shape: "none", token: "quiet", word: "lane.ended" },
};

/** A lane's state as it came: the accept loop says whom it serves, "serving 3". */
export const kindOf = (state) => STATES[state.split(" ")[0]] ?? STATES.running;
export const servedBy = (state) => (state.startsWith("serving ") ? Number(state.slice(8)) : null);
export const isOver = (lane) => ENDED.has(lane.states.at(-1)?.[1]);

/** The state in words. */
export const stateWords = (state, words) => words(kindOf(state).word, { id: servedBy(state) });

/** `kind`: "loop", "connection" or "backlog". `states`: [since, state]; `marks`: [time, came, went]. */
const newLane = (kind, id = null, peer = "") => ({ kind, id, peer, states: [], marks: [], carried: [0, 0] });

function trim(list, now) {
  if (list.length > KEPT) list.splice(0, list.length - KEPT);
  let old = 0;
  while (old < list.length - 1 && list[old + 1][0] < now - LONGEST) old++;
  if (old) list.splice(0, old);
}

function became(lane, state, when) {
  if (lane.states.at(-1)?.[1] === state) return;
  lane.states.push([Math.max(when, lane.states.at(-1)?.[0] ?? when), state]);
  trim(lane.states, when);
}

function carry(lane, row) {
  const [came, went] = [row.in - lane.carried[0], row.out - lane.carried[1]];
  if (came || went) lane.marks.push([row.last, came, went]);
  lane.carried = [row.in, row.out];
  trim(lane.marks, row.last);
}

/** Notes that a connection waited in the backlog before it was accepted. */
function waited(lane, since) {
  if (lane && lane.states[0]?.[1] !== "backlog" && since < (lane.states[0]?.[0] ?? -Infinity)) lane.states.unshift([since, "backlog"]);
}

export class Lanes {
  constructor() {
    this.isReady = false; // whether the kernel has told the past
    this.connections = new Map();
    this.loop = { ...newLane("loop"), served: (id) => this.connections.get(id) };
    this.queue = [];
  }

  /** What was before this view looked. `rows`: all connections, also those whose past is not kept. */
  takePast(message, rows, now) {
    const told = new Map(message.lanes.map(([id, ...lists]) => [id, lists]));
    this.isReady = true;
    this.loop.states = message.loop;
    this.takeQueue(message.queue);
    this.connections.clear();
    for (const row of rows) {
      const [states, marks] = told.get(row.id) ?? [];
      if (states) this.connections.set(row.id, { ...newLane("connection", row.id, row.peer), states, marks, carried: [row.in, row.out] });
      this.takeRow(row, now);
    }
  }

  /** A snapshot or a delta, whose rows are in `table` already. */
  take(message, table) {
    for (const [id] of message.connections ?? []) this.takeRow(table.get(id), message.now);
    for (const id of message.gone?.connections ?? []) this.connections.delete(id);
    const { loop, queue, waited: before } = message.lanes ?? {};
    if (loop) became(this.loop, loop[1], loop[0]);
    if (queue) this.takeQueue(queue);
    for (const [id, since] of before ?? []) waited(this.connections.get(id), since);
  }

  takeRow(row, now) {
    const known = this.connections.get(row.id);
    const lane = known ?? newLane("connection", row.id, row.peer);
    if (!known) {
      this.connections.set(row.id, lane);
      const isFresh = now - row.opened < FRESH;
      if (isFresh && (row.since || ENDED.has(row.state))) became(lane, "running", row.opened);
    }
    became(lane, row.state, row.since || (known ? now : row.last));
    carry(lane, row);
  }

  takeQueue(queue) {
    this.queue = queue.map(([peer, since]) => ({ ...newLane("backlog", null, peer), states: [[since, "backlog"]] }));
  }

  /** The lanes to be drawn, from top to bottom: those that have ended before `from` have left. */
  list({ from, onlyOpen, isServing }) {
    const isShown = (lane) => !isOver(lane) || (!onlyOpen && lane.states.at(-1)[0] > from);
    const connections = [...this.connections.values()].filter(isShown);
    if (connections.some((lane, i) => i && lane.id < connections[i - 1].id)) connections.sort((a, b) => a.id - b.id);
    return [...(isServing || this.loop.states.length ? [this.loop] : []), ...connections, ...this.queue];
  }
}

/** Index of the state that a lane is in at a time, -1 before its first. */
export function indexAt(list, time) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][0] <= time) low = middle + 1; else high = middle;
  }
  return low - 1;
}

/** What a lane was doing at a time: {state, since, until}, `until` null while it goes on; null before its begin. */
export function stateAt(lane, time) {
  const at = indexAt(lane.states, time);
  if (at < 0) return null;
  const [since, state] = lane.states[at];
  return { state, since, until: lane.states[at + 1]?.[0] ?? null };
}

/** Calls `visit(state, begin, end)` for each state of a lane between two times. */
export function eachState({ states }, from, to, visit) {
  for (let i = Math.max(0, indexAt(states, from)); i < states.length && states[i][0] < to; i++) {
    visit(states[i][1], Math.max(from, states[i][0]), i + 1 < states.length ? Math.min(to, states[i + 1][0]) : to);
  }
}

/** The same for each bar that is drawn: an accept loop that serves a connection itself does what that one's handler does. */
export function eachBar(lane, from, to, visit) {
  eachState(lane, from, to, (state, begin, end) => {
    const served = lane.served?.(servedBy(state));
    if (!served) { visit(state, begin, end); return; }
    const isHandled = (inner) => inner !== "backlog" && kindOf(inner).shape !== "none";
    eachState(served, begin, end, (inner, from, to) => visit(isHandled(inner) ? inner : state, from, to));
  });
}

/** Seconds between two lines of the grid, at least `room` pixels apart. */
export function gridStep(span, width, room) {
  const steps = [0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];
  return steps.find((step) => (step / span) * width >= room) ?? steps.at(-1);
}

/** How far back a line of the grid lies: "−2 s", "−3 min". */
export function backText(seconds, step, words) {
  return step >= 60 ? words("minutesBack", { count: Math.round(seconds / 60) }) : words("secondsBack", { count: seconds.toFixed(step < 1 ? 1 : 0) });
}

/** The next wider (1) or narrower (-1) span. */
export const zoomed = (span, direction) => SPANS[Math.max(0, Math.min(SPANS.length - 1, SPANS.indexOf(span) + direction))];

/** Where a view that looks back ends; null is now, and goes on. Nothing is kept for longer than ten minutes. */
export const clampEnd = (end, now, span) => (end >= now ? null : Math.max(now - LONGEST + span, end));

/** Which lanes are in sight: [first, end). */
export function inSight(count, top, height, lineHeight) {
  return [Math.max(0, Math.floor(top / lineHeight)), Math.min(count, Math.ceil((top + height) / lineHeight))];
}

/** How a lane is called, in short. `thread`: of the accept loop. */
export function labelOf(lane, thread, words) {
  if (lane.kind === "loop") return thread || words("acceptLoop");
  return lane.kind === "backlog" ? words("laneInBacklog", { peer: shortPeer(lane.peer) }) : `#${lane.id} ${shortPeer(lane.peer)}`;
}

/** All lanes in one sentence: what the accept loop does, and how many others do what. */
export function summary(lanes, words) {
  const loop = lanes.find((lane) => lane.kind === "loop")?.states.at(-1);
  const counts = new Map();
  for (const lane of lanes) {
    const state = lane.states.at(-1)?.[1];
    if (lane.kind !== "loop" && state) counts.set(kindOf(state).word, (counts.get(kindOf(state).word) ?? 0) + 1);
  }
  const parts = [...counts].map(([word, count]) => `${count} ${words(word)}`);
  return [...(loop ? [words("loopIs", { state: stateWords(loop[1], words) })] : []), ...parts].join(words("comma"));
}

/** A text that fits into `width`, cut with an ellipsis; `measure` gives the width of a text. */
export function fitted(text, width, measure) {
  if (measure(text) <= width) return text;
  let [low, high] = [0, text.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${text.slice(0, middle).trimEnd()}…`) <= width) low = middle; else high = middle - 1;
  }
  return `${text.slice(0, low).trimEnd()}…`;
}
