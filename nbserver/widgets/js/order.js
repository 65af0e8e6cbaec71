// Which rows the list shows, and in which order. No DOM in here: node --test runs it as it is.
// Nothing jumps under a person's hand: while the order is held, rows keep their places and new ones come at the end.
import { isEnded, isWaiting } from "./store.js";

const CALM = 1; // seconds between two sortings that nobody has asked for
const RANKS = ["waiting", "running", "sending", "receiving", "accepted", "half-closed", "failed", "reset", "closed"];
export const BY_NUMBER = Object.freeze({ column: "id", isDown: false });

const addresses = new Map(); // peer → the same with its numbers padded; a peer is compared many times

/** An address as a text whose order is that of its numbers: :9000 before :10000. */
export function addressKey(peer) {
  if (!addresses.has(peer)) {
    if (addresses.size > 20000) addresses.clear();
    addresses.set(peer, peer.replace(/\d+/g, (digits) => digits.padStart(6, "0")));
  }
  return addresses.get(peer);
}

const by = (key) => (a, b) => { const [x, y] = [key(a), key(b)]; return x < y ? -1 : x > y ? 1 : 0; };

/** Rows in ascending order of a column. Those who wait for a person: who waits longest comes first. */
const ORDERS = {
  id: (a, b) => a.id - b.id,
  state: (a, b) => RANKS.indexOf(a.state) - RANKS.indexOf(b.state) || a.ask - b.ask,
  peer: by((row) => addressKey(row.peer)),
  messages: (a, b) => a.in + a.out - b.in - b.out,
  bytes: (a, b) => a.bytesIn + a.bytesOut - b.bytesIn - b.bytesOut,
  last: by((row) => row.preview || row.note),
  age: (a, b) => b.last - a.last,
};

/** The function that compares two rows; equal ones keep the order of their numbers. */
export function comparison({ column, isDown }) {
  const compare = ORDERS[column];
  return isDown ? (a, b) => compare(b, a) || a.id - b.id : (a, b) => compare(a, b) || a.id - b.id;
}

/** What a click on a column's head makes of the order: up, down, and back to the order of numbers. */
export function nextSort(sort, column) {
  if (sort.column !== column) return { column, isDown: false };
  return sort.isDown ? BY_NUMBER : { column, isDown: true };
}

/** How many rows each filter chip would show, in one pass. */
export function countRows(rows) {
  let [waiting, closed] = [0, 0];
  for (const row of rows) {
    if (isWaiting(row)) waiting += 1;
    else if (isEnded(row)) closed += 1;
  }
  return { all: rows.length, waiting, open: rows.length - closed, closed };
}

const isSorted = (rows, compare) => rows.every((row, i) => i === 0 || compare(rows[i - 1], row) < 0);

/**
 * The rows of one view, kept from one drawing to the next.
 * `rows`: what is shown, in order. `counts`: of the filter chips. `isOld`: whether a sorting now would change something.
 */
export class Listing {
  constructor() {
    [this.rows, this.counts, this.isOld] = [[], countRows([]), false];
    [this.ids, this.asked, this.mark, this.sortedAt] = [new Set(), null, "", 0];
  }

  /** The next update sorts, held or not. */
  sortAgain() { this.asked = null; }

  /**
   * `table`: the store's. `mark`: changes when the table does. `asked`: what the person wants to see, as a text: when it changes the
   * list follows at once. `passes(row)`, or null if all do. `sort`. `isHeld`: whether rows must keep their places. `now` in seconds.
   */
  update({ table, mark, asked, passes, sort, isHeld, now }) {
    const [isAsked, isChanged] = [asked !== this.asked, mark !== this.mark];
    if (isChanged) this.counts = countRows(table.rows);
    if (!isAsked && !isChanged && !(this.isOld && !isHeld)) return;
    [this.asked, this.mark] = [asked, mark];
    if (!passes && sort.column === "id" && !sort.isDown) {
      [this.rows, this.isOld] = [table.rows, false]; // as they come: new ones are last, nothing can jump
      this.ids.clear();
      return;
    }
    const compare = comparison(sort);
    if (!isAsked) this.keepPlaces(table, passes, compare, isHeld);
    if (isAsked || (this.isOld && !isHeld && now - this.sortedAt >= CALM)) this.arrange(table, passes, compare, now);
  }

  arrange(table, passes, compare, now) {
    this.rows = (passes ? table.rows.filter(passes) : [...table.rows]).sort(compare);
    this.ids = new Set(this.rows.map((row) => row.id));
    [this.isOld, this.sortedAt] = [false, now];
  }

  /** Rows in the places that they have; what does not belong here any more goes, unless the order is held. */
  keepPlaces(table, passes, compare, isHeld) {
    if (!this.ids.size) this.ids = new Set(this.rows.map((row) => row.id));
    const rows = [];
    let [strangers, known] = [0, this.ids];
    for (const { id } of this.rows) {
      const row = table.get(id);
      const belongs = row && (!passes || passes(row));
      if (belongs || (row && isHeld)) rows.push(row); else known.delete(id);
      if (row && isHeld && !belongs) strangers += 1;
    }
    for (const row of table.rows) {
      if (known.has(row.id) || (passes && !passes(row))) continue;
      rows.push(row);
      known.add(row.id);
    }
    this.rows = rows;
    this.isOld = strangers > 0 || !isSorted(rows, compare);
  }
}
