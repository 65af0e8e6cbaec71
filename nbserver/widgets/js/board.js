// The board of one server: head, list of connections, the selected one, a word to all, and the clients started from here.
import { attribute, attributes, h, text } from "./dom.js";
import { makeClients } from "./clients.js";
import { isFaulty } from "./faults.js";
import { makeDetail } from "./detail.js";
import { makeFilters } from "./filters.js";
import { makeFooter } from "./footer.js";
import { makeHeader } from "./header.js";
import { makeInsidePart } from "./inside.js";
import { limitText } from "./limits.js";
import { makeList } from "./list.js";
import { Listing } from "./order.js";
import { flash, onShow, scrollTo } from "./otherend.js";
import { makeRoot } from "./root.js";
import { heightOf, makeRow } from "./row.js";
import { makeSortHead } from "./sorthead.js";
import { FILTERS, isEnded, isWaiting, nextWaiting } from "./store.js";
import { makeTimelinePart } from "./timeline.js";

const TABLE = "connections";

/** The selection after a change: it stays; a connection that is gone gives it to the next one that is left. */
export function keepSelection(rows, selected) {
  if (selected === null) return rows[0]?.id ?? null;
  return (rows.find((row) => row.id >= selected) ?? rows.at(-1))?.id ?? null;
}

export function boardView(hub, { el, signal }) {
  const { desk, store } = hub;
  const { finding } = desk;
  const listing = new Listing();
  let [words, language, ask] = [hub.settings.words(), "", () => {}];
  let own = null; // the connection whose box is typed in, looked up once for a drawing of the list

  /** The connection whose row holds the focus, or null. */
  function focused() {
    const row = list.element.contains(document.activeElement) ? document.activeElement.closest(".nbs-row") : null;
    return row ? Number(row.dataset.id) : null;
  }

  const isShown = (row) => finding.isShownIn(row, words, language);

  /** The function that says whether a row is among what the person wants to see; null for all. */
  function choice() {
    if (desk.filter === "all" && !finding.needle) return null;
    const [isInFilter, said] = [FILTERS[desk.filter], finding.said()];
    const isFound = finding.needle ? (row) => said.has(row.id) || isShown(row) : () => true; // by what its row shows, or by all that was said
    return (row) => row.id === own || (isInFilter(row) && isFound(row));
  }

  function updateList() {
    own = focused();
    const mark = `${store.epoch}/${store.q}`;
    finding.renew(`${store.epoch}/${store.counts.in}/${store.counts.out}/${store.counts.waiting}`);
    const asked = [desk.filter, finding.needle, finding.isAnswered(), desk.sort.column, desk.sort.isDown, language].join("/");
    listing.update({ table: store.tables.connections, mark, asked, passes: choice(), sort: desk.sort, isHeld: list.isHeld(), now: store.now() });
    list.update(listing.rows, desk.selected);
  }

  function reply(id, typed) {
    const row = store.tables.connections.get(id);
    if (!row || isEnded(row) || desk.isAnswered(TABLE, row)) return null;
    if (typed !== "" || isWaiting(row)) desk.submit(TABLE, id, { do: "reply", connection: id, text: typed, ask: row.ask });
    return row;
  }

  function focusBox(id) {
    updateList();
    if (!list.reveal(id)) {
      finding.set("");
      desk.set({ filter: "all" });
      updateList();
    }
    list.reveal(id)?.focusBox();
  }

  /** Enter in a row's box: send, and on to the one that has waited longest behind it, of those that are shown. */
  function replyInRow(id, typed) {
    const row = reply(id, typed);
    const next = row && nextWaiting(listing.rows, row.ask, (other) => other.id === id || desk.isAnswered(TABLE, other));
    if (next) focusBox(next.id);
  }

  function open(id) {
    const row = store.tables.connections.get(id);
    if (row && isWaiting(row)) focusBox(id);
    else detail.focusReply(id);
  }

  function select(id, how) {
    desk.select(id, how, how === "range" || how === "all" ? listing.rows.map((row) => row.id) : []);
    updateList();
  }

  function sortAgain() {
    listing.sortAgain();
    updateList();
    list.focus();
  }

  /** From the box that finds to what was found. */
  function onFound() {
    if (listing.rows.length && !listing.rows.some((row) => row.id === desk.selected)) select(listing.rows[0].id, "one");
    list.focus();
  }

  const context = (row) => {
    const { needle } = finding;
    return { words, needle, now: store.now(), isFaulty: isFaulty(store.server, row), isEarlier: needle !== "" && !isShown(row) && finding.said().has(row.id) };
  };
  /** Asked by the console of its client, maybe in another cell. Returns whether somebody can see it. */
  function showConnection(id) {
    desk.set({ filter: "all" });
    finding.set("");
    select(id, "one");
    const row = list.reveal(id);
    if (!row || !main.isConnected) return false;
    scrollTo(list.element);
    flash(row.element);
    list.focus();
    return true;
  }
  onShow(hub, "connections", signal, showConnection);
  const actions = { onReply: replyInRow, onEscape: () => list.focus(), focused: () => own, context };
  const sortHead = makeSortHead(desk);
  const list = makeList({
    header: sortHead.element, signal, isChosen: desk.isChosen, onSelect: select, onOpen: open, onLeave: () => ask(),
    heightOf: (row) => heightOf(row, desk, own), makeRow: (id) => makeRow(hub, id, actions),
  });
  const filters = makeFilters(hub, { onFound, onSort: sortAgain });
  const footer = makeFooter(hub, { onClear: () => { select(desk.selected, "one"); list.focus(); } });
  const [header, clients] = [makeHeader(hub), makeClients(hub, signal)];
  const detail = makeDetail(hub, { onReply: reply, onEscape: () => list.focus() });
  const toRow = { onSelect: (id) => { select(id, "one"); list.reveal(id); } };
  const [timeline, inside] = [makeTimelinePart(hub, signal, toRow), makeInsidePart(hub, signal, toRow)];
  const [limit, empty] = [h("div", { class: "nbs-limit", role: "status", hidden: true }), h("p", { class: "nbs-empty" })];
  const left = h("div", { class: "nbs-left" }, filters.element, list.element, empty);
  const main = h("div", { class: "nbs-main" }, ...header.elements, limit, h("div", { class: "nbs-body" }, left, detail.element), footer.element, timeline.element, inside.element);
  list.element.addEventListener("focusout", () => ask());
  main.addEventListener("keydown", (event) => {
    const act = keyOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  });

  /** What a key does wherever the focus is. Escape in the list ends a selection of several; without one it is others' to take. */
  function keyOf(event) {
    const isWithControl = event.ctrlKey || event.metaKey;
    if (event.altKey) return undefined;
    if (isWithControl && event.key.toLowerCase() === "f") return filters.focusFind;
    if (!isWithControl && event.key === "/" && !event.target.closest("input, textarea, select")) return filters.focusFind;
    return event.key === "Escape" && event.target === list.element && desk.chosen.size ? () => select(desk.selected, "one") : undefined;
  }

  function show(newWords) {
    [words, language] = [newWords, hub.settings.language()];
    const server = store.server;
    attribute(main, "hidden", !server);
    clients.show(words);
    if (!server) return words("clientsBoard");
    const isServing = server.state === "serving";
    header.show(server, words);
    const bites = limitText(server.limit, words);
    attribute(limit, "hidden", !bites);
    attribute(limit, "data-code", bites ? server.limit.split(" ")[0] : null);
    text(limit, bites);
    const { connections } = store.tables;
    if (!connections.get(desk.selected)) desk.selected = keepSelection(connections.rows, desk.selected);
    desk.forgetOldLife();
    sortHead.show(words);
    attributes(list.element, { "aria-label": words("connections") });
    updateList();
    filters.show(listing, words);
    attribute(empty, "hidden", listing.rows.length > 0);
    text(empty, words(finding.needle ? "noneFound" : connections.rows.length ? "noneHere" : "noConnections"));
    detail.show(store.tables.connections.get(desk.selected), words);
    footer.show({ isServing, chosen: desk.chosen, rows: listing.rows }, words);
    timeline.show(words);
    inside.show(words);
    return words("board", { address: server.address });
  }

  ask = makeRoot(hub, el, signal, [main, clients.element], show);
  return () => { detail.close(); clients.close(); };
}
