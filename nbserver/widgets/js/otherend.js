// The two ends of one connection: its row on a board, and its client's console, maybe under another cell and in another hub.
// Hubs of one page find each other here. Each may have a copy of this module of its own, so what they share is the page's.
import { attribute, attributes, h, text } from "./dom.js";

const PAGE = Symbol.for("nbserver.hubs");
const FLASH = 1600; // milliseconds
const OTHER = { connections: "clients", clients: "connections" };
const WORDS = { connections: ["showClient", "client", "consoleElsewhere"], clients: ["showConnection", "", "boardElsewhere"] };

const hubsHere = () => (globalThis[PAGE] ??= new Set());

export function joinPage(hub, signal) {
  hubsHere().add(hub);
  signal.addEventListener("abort", () => hubsHere().delete(hub));
}

/** `show(id)` brings a row of `table` into sight, and returns whether it is on the page. */
export function onShow(hub, table, signal, show) {
  hub.shows[table].add(show);
  signal.addEventListener("abort", () => hub.shows[table].delete(show));
}

/** Shows the other end of row `id` of `table`. Numbers alone do not tell: both ends must name each other, in one kernel. */
function showOther(hub, table, { id, link }) {
  const other = OTHER[table];
  for (const candidate of hubsHere()) {
    const row = candidate.store.tables[other].get(link);
    if (candidate.store.home !== hub.store.home || row?.link !== id) continue;
    for (const show of candidate.shows[other]) if (show(link)) return true;
  }
  return false;
}

/** The button that leads to the other end, where that is in this kernel. */
export function otherEnd(hub, table) {
  const [name, label, elsewhere] = WORDS[table];
  let row = null;
  const onClick = () => {
    const notice = showOther(hub, table, row) ? null : { ok: false, code: elsewhere };
    hub.desk.set({ notice });
  };
  const element = h("button", { class: "nbs-otherend", type: "button", hidden: true, onClick });
  return {
    element,
    show(nextRow, words) {
      row = nextRow;
      attribute(element, "hidden", !row.link);
      if (!row.link) return;
      text(element, `${label ? words(label, { id: row.link }) : `#${row.link}`} ↔`);
      attributes(element, { "aria-label": words(name, { id: row.link }), title: words(name, { id: row.link }) });
    },
  };
}

export function scrollTo(element) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
}

/** Marks an element for a moment. */
export function flash(element) {
  element.classList.add("is-found");
  setTimeout(() => element.classList.remove("is-found"), FLASH);
}
