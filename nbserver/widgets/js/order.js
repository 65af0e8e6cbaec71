// Which rows the list shows, and in which order. No DOM in here: node --test runs it as it is.
// Nothing jumps under a person's hand: while the order is held, rows keep their places and new ones come at the end.
import { isEnded, isWaiting } from "./store.js";

const CALM = 1; // seconds between two sortings that nobody has asked for
const RANKS = Object.fromEntries(["waiting", "held", "running", "sending", "receiving", "accepted", "half-closed", "failed", "reset", "closed"].map((state, i) => [state, i]));
export const BY_NUMBER = Object.freeze({ column: "id", isDown: false });

const addresses = new Map(); // peer → the same with its numbers padded; a peer is compared many times

/** An address as a text whose order is that of its numbers: :9000 before :10000. */
export function addressKey(peer) {
  let key = addresses.get(peer);
  if (key === undefined) {
    if (addresses.size > 20000) addresses.clear();
    key = peer.replace(/\d+/g, (digits) => digits.padStart(6, "0"));
    addresses.set(peer, key);
  }
  return key;
}

const compareTexts = (a, b) => (a < b ? -1 : a > b ? 1 : 0); // not localeCompare, which costs a hundred times as much

/** Rows in ascending order of a column. Those who wait for a person: who waits longest comes first. */
const ORDERS = {
  id: (a, b) => a.id - b.id,
  state: (a, b) => RANKS[a.state] - RANKS[b.state] || a.ask - b.ask,
  peer: (a, b) => compareTexts(addressKey(a.peer), addressKey(b.peer)),
  messages: (a, b) => a.in + a.out - b.in - b.out,
  bytes: (a, b) => a.bytesIn + a.bytesOut - b.bytesIn - b.bytesOut,
  last: (a, b) => compareTexts(a.preview || a.note, b.preview || b.note),
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

function isSorted(rows, compare) {
  for (let i = 1; i < rows.length; i++) if (compare(rows[i - 1], rows[i]) > 0) return false;
  return true;
}

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
