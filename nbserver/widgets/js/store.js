// The page's copy of what the kernel knows. No DOM in here: node --test runs it as it is.
// The kernel owns the state: a snapshot sets everything, numbered deltas change it, a gap in the numbers asks for a snapshot.

import { Lanes } from "./lanes.js";

export const KEPT = 500; // entries of one transcript: what the kernel keeps, and some that it has forgotten since
const STALE = 3; // seconds without a word from the kernel
const LOOK_AGAIN = 5000; // milliseconds after which a look is asked for again: the kernel gives it twelve seconds
const RATES = 60; // seconds of the spark line
const COLUMNS = ["id", "state", "peer", "in", "out", "bytesIn", "bytesOut", "last", "preview", "prompt", "ask", "opened", "note", "since", "speaks", "link", "sign"];
const ENDED = new Set(["closed", "reset", "failed"]);
const NO_COUNTS = { open: 0, waiting: 0, closed: 0, in: 0, out: 0, bytes_in: 0, bytes_out: 0, errors: 0 };

export const isEnded = (row) => ENDED.has(row.state);
export const isWaiting = (row) => row.state === "waiting";

/** Which rows a filter chip shows. */
export const FILTERS = {
  all: () => true,
  waiting: isWaiting,
  open: (row) => !isEnded(row),
  closed: isEnded,
};

/** A row as an object. Ten thousand come at once: all are filled in one order, so that they share one shape. */
export function toRow(columns) {
  const row = {};
  for (let i = 0; i < COLUMNS.length; i++) row[COLUMNS[i]] = columns[i];
  return row;
}

/** A rule as an object. */
export const toRule = ([number, contains, answer, isOn, answered]) => ({ number, contains, answer, isOn, answered });

/** Rows in the order of their numbers, found by number at once. */
export class Table {
  constructor() {
    this.rows = [];
    this.index = new Map();
  }

  get(id) { return this.rows[this.index.get(id)]; }

  /** Rows that are new or have changed; put in order once, however many they are. */
  put(rows) {
    let isInOrder = true;
    for (const row of rows) {
      const at = this.index.get(row.id);
      if (at !== undefined) { this.rows[at] = row; continue; }
      isInOrder &&= !this.rows.length || this.rows.at(-1).id < row.id;
      this.index.set(row.id, this.rows.length);
      this.rows.push(row);
    }
    if (!isInOrder) this.reorder();
  }

  drop(ids) {
    const gone = new Set(ids);
    this.rows = this.rows.filter((row) => !gone.has(row.id));
    this.reorder();
  }

  reorder() {
    this.rows.sort((a, b) => a.id - b.id);
    this.index = new Map(this.rows.map((row, i) => [row.id, i]));
  }
}

/** The next to be answered after the input() numbered `ask`: the longest waiting one behind it, else the longest waiting of all. */
export function nextWaiting(rows, ask, isAnswered) {
  const queue = rows.filter((row) => isWaiting(row) && !isAnswered(row)).sort((a, b) => a.ask - b.ask);
  return queue.find((row) => row.ask > ask) ?? queue[0];
}

/** Entries as objects; each body is copied, so that a short line does not keep a whole message's buffer alive. */
export function toEntries(list, buffer) {
  return list.map(([n, kind, time, offset, length, size]) => ({
    n, kind, time, size, bytes: new Uint8Array(buffer?.buffer ?? [], buffer ? buffer.byteOffset + offset : 0, buffer ? length : 0).slice(),
  }));
}

/** Notes how many messages there have been in all, once per second of the kernel's clock. Changes `history`. */
export function noteTotal(history, now, total) {
  const second = Math.floor(now);
  if (history.length && (total < history.at(-1).total || second < history.at(-1).second)) history.length = 0;
  const last = history.at(-1);
  if (last?.second === second) last.total = total;
  else history.push({ second, total });
  while (history[0].second < second - RATES) history.shift();
}

/** Messages in each of the last 60 full seconds, oldest first. */
export function ratesOf(history, now) {
  const rates = new Array(RATES).fill(0);
  const from = Math.floor(now) - RATES;
  for (let i = 1; i < history.length; i++) {
    const [before, after] = [history[i - 1], history[i]];
    const each = (after.total - before.total) / (after.second - before.second);
    for (let second = before.second + 1; second <= after.second; second++) {
      if (second - from >= 0 && second - from < RATES) rates[second - from] = each;
    }
  }
  return rates;
}

const keyOf = (table, id) => `${table}/${id}`;
const emptyTranscript = () => ({ entries: [], first: 0, isReady: false, asked: 0 });

export class Store {
  constructor({ say, changed, clock, later, host }) {
    Object.assign(this, { say, changed, clock, later, host });
    this.epoch = "";
    this.home = ""; // the kernel's name: other hubs of it have the other ends of what is here
    this.q = -1;
    this.server = null;
    this.counts = NO_COUNTS;
    this.rules = []; // the kernel's rows as objects, see PROTOCOL.md
    this.saved = [];
    this.tables = { connections: new Table(), clients: new Table() };
    this.transcripts = new Map();
    this.watching = new Map(); // key → how many views show that transcript
    this.lanes = null; // while a time line is shown
    this.timelines = 0;
    this.looks = new Map(); // key → {at, id, views, isHere, data}
    this.totals = [];
    this.hellos = 0;
    this.isSynced = false;
    this.hasSnapshot = false;
    this.isClosed = false;
    this.fate = ""; // of the kernel: "", "cut", "lost", "restarted" or "over"
    this.heard = clock();
    this.offset = -Infinity; // kernel's clock minus the page's
  }

  handle(message, buffers = []) {
    this.heard = this.clock();
    if (message.t === "snap") this.takeSnapshot(message);
    else if (message.t === "delta") this.takeDelta(message, buffers[0]);
    else if (message.t === "transcript") this.takeTranscript(message, buffers[0]);
    else if (message.t === "lanes" && this.lanes && !this.lanes.isReady) this.lanes.takePast(message, this.tables.connections.rows, this.now());
    else if (message.t === "earlier") this.takeEarlier(message, buffers[0]);
    this.changed();
  }

  takeSnapshot(message) {
    const isSameLife = message.ep === this.epoch;
    const isContinuous = this.isSynced && isSameLife; // another tab asked for it, we have missed nothing
    if (isContinuous && message.q <= this.q) return;
    this.tables = { connections: new Table(), clients: new Table() };
    this.epoch = message.ep;
    this.home = message.home ?? "";
    this.isSynced = this.hasSnapshot = true;
    for (const table of ["connections", "clients"]) {
      this.tables[table].put(message[table].map(toRow));
    }
    this.takeFacts(message);
    if (isContinuous) return;
    if (this.lanes) this.askLanes();
    for (const [key, { table, id }] of this.watching) this.askTranscript(key, table, id);
    for (const look of this.looks.values()) { look.isHere = false; this.askLook(look); }
  }

  takeDelta(message, buffer) {
    if (message.ep === this.epoch && message.q <= this.q) return;
    if (message.ep !== this.epoch || message.q !== this.q + 1) {
      if (this.isSynced) this.hello();
      return;
    }
    for (const table of ["connections", "clients"]) {
      this.tables[table].put((message[table] ?? []).map(toRow));
      if (message.gone?.[table]) this.tables[table].drop(message.gone[table]);
    }
    this.takeFacts(message);
    this.takeEntries(message.entries ?? [], buffer);
    for (const [at, id, data] of message.looks ?? []) {
      const look = this.looks.get(keyOf(at, id));
      if (look) Object.assign(look, { isHere: true, data });
    }
  }

  takeFacts(message) {
    this.q = message.q;
    this.lanes?.take(message, this.tables.connections);
    if (message.server !== undefined) this.server = message.server;
    if (message.counts) this.counts = { ...NO_COUNTS, ...message.counts };
    if (message.rules) this.rules = message.rules.map(toRule);
    this.saved = message.saved ?? this.saved;
    noteTotal(this.totals, message.now, this.counts.in + this.counts.out);
    // The message that was the quickest on its way tells the clock best; the small step back follows a drift.
    const offset = message.now - this.heard;
    this.offset = Math.abs(offset - this.offset) > 1 ? offset : Math.max(offset, this.offset - 0.002);
  }

  takeEntries(list, buffer) {
    for (const [table, id, ...entry] of list) {
      const transcript = this.transcripts.get(keyOf(table, id));
      if (!transcript?.isReady || entry[0] <= (transcript.entries.at(-1)?.n ?? 0)) continue;
      transcript.entries.push(...toEntries([entry], buffer));
      if (transcript.entries.length > KEPT) transcript.entries.splice(0, transcript.entries.length - KEPT);
    }
  }

  takeTranscript(message, buffer) {
    const transcript = this.transcripts.get(keyOf(message.table, message.id));
    if (!transcript) return;
    transcript.entries = toEntries(message.entries.slice(-KEPT), buffer);
    transcript.first = message.first ?? 0;
    transcript.isReady = true;
    transcript.asked = 0;
  }

  /** Entries before those that we have. An answer that comes twice, or after a gap, adds nothing that is there already. */
  takeEarlier(message, buffer) {
    const transcript = this.transcripts.get(keyOf(message.table, message.id));
    const oldest = transcript?.entries[0]?.n;
    if (!oldest || transcript.asked !== oldest) return;
    const earlier = message.entries.filter(([n]) => n < oldest);
    transcript.entries = [...toEntries(earlier, buffer), ...transcript.entries].slice(-KEPT);
    // The kernel may have forgotten meanwhile what it offered.
    transcript.first = earlier.length ? message.first : oldest;
    transcript.asked = 0;
  }

  /** Whether the kernel has entries before those that are here. */
  hasEarlier(table, id) {
    const { entries, first } = this.transcript(table, id);
    return entries.length > 0 && entries.length < KEPT && first > 0 && first < entries[0].n;
  }

  /** Asks for entries before those that are here, once until they come. */
  askEarlier(table, id) {
    const transcript = this.transcripts.get(keyOf(table, id));
    if (!transcript?.isReady || transcript.asked || !this.hasEarlier(table, id)) return;
    const before = transcript.entries[0].n;
    transcript.asked = before;
    this.insist({ do: "earlier", table, id, before }, () => transcript.asked !== before || this.transcripts.get(keyOf(table, id)) !== transcript);
  }

  /** Asks for a snapshot until one comes. */
  hello() {
    this.isSynced = false;
    const hello = ++this.hellos;
    this.insist({ do: "hello", host: this.host }, () => this.isSynced || hello !== this.hellos);
  }

  /** Keeps a transcript up to date while somebody looks at it. Returns the function that ends this. */
  watch(table, id) {
    const key = keyOf(table, id);
    const watched = this.watching.get(key) ?? { table, id, views: 0 };
    watched.views += 1;
    if (watched.views === 1) {
      this.watching.set(key, watched);
      this.transcripts.set(key, emptyTranscript());
      if (this.isSynced) this.askTranscript(key, table, id);
    }
    return () => {
      watched.views -= 1;
      if (watched.views) return;
      this.watching.delete(key);
      this.transcripts.delete(key);
    };
  }

  /** Keeps the lanes of the time line up to date while somebody looks at them. Returns the function that ends this. */
  watchLanes() {
    this.timelines += 1;
    if (this.timelines === 1) {
      this.lanes = new Lanes();
      if (this.isSynced) this.askLanes();
    }
    return () => {
      this.timelines -= 1;
      if (!this.timelines) this.lanes = null;
    };
  }

  /** Keeps a look up to date while somebody sees it. Returns the function that ends this. */
  watchLook(at, id) {
    const key = keyOf(at, id);
    const look = this.looks.get(key) ?? { key, at, id, views: 0, isHere: false, data: undefined, asked: 0 };
    look.views += 1;
    if (look.views === 1) {
      this.looks.set(key, look);
      if (this.isSynced) this.askLook(look);
    }
    return () => {
      look.views -= 1;
      if (!look.views && this.looks.get(key) === look) this.looks.delete(key);
    };
  }

  look(at, id) { return this.looks.get(keyOf(at, id))?.data; }

  /** Asks until it is there, and every few seconds after that: the kernel forgets what nobody asks for. */
  askLook(look) {
    const asked = ++look.asked;
    const again = (attempt) => {
      if (this.isClosed || this.looks.get(look.key) !== look || look.asked !== asked) return;
      this.say({ do: "look", at: look.at, connection: look.id, ...(look.isHere ? { again: true } : {}) }, attempt);
      this.later(() => again(look.isHere ? 0 : attempt + 1), look.isHere ? LOOK_AGAIN : 1500);
    };
    again(0);
  }

  askLanes() {
    const lanes = this.lanes;
    lanes.isReady = false;
    this.insist({ do: "lanes" }, () => lanes.isReady || this.lanes !== lanes);
  }

  transcript(table, id) { return this.transcripts.get(keyOf(table, id)) ?? emptyTranscript(); }

  askTranscript(key, table, id) {
    const transcript = this.transcripts.get(key);
    transcript.isReady = false;
    this.insist({ do: "watch", table, id }, () => transcript.isReady || this.transcripts.get(key) !== transcript);
  }

  /** Says it again after 1.5, 3, 6 … seconds, until it is done: the kernel does not acknowledge these two. */
  insist(request, isDone, attempt = 0) {
    if (this.isClosed || (attempt && isDone())) return;
    this.say(request, attempt);
    this.later(() => this.insist(request, isDone, attempt + 1), 1500 * 2 ** Math.min(attempt, 4));
  }

  /** The kernel's clock. It stands still while the kernel is silent: what we cannot see does not grow older. */
  now() { return Math.min(this.clock(), this.heard + STALE) + this.offset; }

  silence() { return this.clock() - this.heard; }

  /** Silence is a fault only while something can still happen: a hub whose server and clients have ended has nothing to say. */
  isStale() { return this.fate !== "" || (this.silence() > STALE && !this.isOver()); }

  /** The page was told what became of the kernel. Returns whether it is over with all that is shown here. */
  meet(fate) {
    const wasCut = this.fate === "cut" || this.fate === "lost";
    this.fate = fate;
    if (fate === "" && wasCut && !this.isClosed) this.hello(); // whatever was said meanwhile
    if (fate === "restarted" || fate === "over") {
      if (this.server) this.server = { ...this.server, state: "stopped" }; // it ended with its kernel, which could not tell
      this.close();
    }
    return this.isClosed;
  }

  isOver() {
    const isStopped = this.server === null || this.server.state === "stopped";
    return this.hasSnapshot && isStopped && this.tables.clients.rows.every(isEnded);
  }

  close() { this.isClosed = true; }
}

export function makeStore({ say, changed, host, clock = () => performance.now() / 1000, later = (act, wait) => setTimeout(act, wait) }) {
  return new Store({ say, changed, clock, later, host });
}
