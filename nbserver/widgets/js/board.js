// The board of one server: head, list of connections, the selected one, a word to all, and the clients started from here.
import { attribute, attributes, h, text } from "./dom.js";
import { makeClients } from "./clients.js";
import { makeDetail } from "./detail.js";
import { makeHeader } from "./header.js";
import { limitText } from "./limits.js";
import { makeList } from "./list.js";
import { refusalNote, replyBox } from "./replybox.js";
import { makeRoot } from "./root.js";
import { headerRow, heightOf, makeRow } from "./row.js";
import { makeSavedReplies } from "./savedreplies.js";
import { FILTERS, isEnded, isWaiting, nextWaiting } from "./store.js";

const TABLE = "connections";

/** The selection after a change: it stays; a connection that is gone gives it to the next one that is left. */
export function keepSelection(rows, selected) {
  if (selected === null) return rows[0]?.id ?? null;
  return (rows.find((row) => row.id >= selected) ?? rows.at(-1))?.id ?? null;
}

function makeFilters(desk) {
  const chips = Object.keys(FILTERS).map((name) => {
    const [long, short, number] = [h("span", { class: "nbs-long" }), h("span", { class: "nbs-short" }), h("b")];
    const element = h("button", { class: `nbs-filter is-${name}`, type: "button", onClick: () => desk.set({ filter: name }) }, long, short, " ", number);
    return { name, long, short, number, element };
  });
  const element = h("div", { class: "nbs-filters", role: "group" }, ...chips.map((chip) => chip.element));
  return {
    element,
    show(rows, words) {
      attribute(element, "aria-label", words("filters"));
      for (const { name, long, short, number, element: chip } of chips) {
        const count = rows.filter(FILTERS[name]).length;
        const word = words(`filter.${name}`);
        text(long, word);
        text(short, name === "waiting" ? words("short.filter") : word);
        text(number, String(count));
        attributes(chip, { "aria-label": `${word} ${count}`, "aria-pressed": String(desk.filter === name) });
        chip.classList.toggle("is-zero", count === 0);
      }
    },
  };
}

function makeFooter(hub) {
  const { desk, store } = hub;
  const onSend = (typed) => { if (typed !== "" && !desk.isSending("all", 0)) desk.submit("all", 0, { do: "broadcast", text: typed }); };
  const box = replyBox({ hub, table: "all", id: 0, onSend });
  const note = refusalNote({ hub, table: "all", id: 0 });
  const saved = makeSavedReplies(hub, box.element);
  const button = h("button", { class: "nbs-button", type: "button", onClick: box.send });
  return {
    element: h("div", { class: "nbs-footer" }, note.element, h("div", { class: "nbs-replyline" }, box.element, saved.element, button)),
    show(isServing, words) {
      box.show({ name: words("messageAll"), hint: words("typeAll", { count: store.counts.open }), isDisabled: !isServing });
      note.show({ words, name: words("discardShort") });
      text(button, words("sendAll"));
      saved.show(words, !isServing);
      button.disabled = !isServing;
    },
  };
}

export function boardView(hub, { el, signal }) {
  const { desk, store } = hub;
  const rows = () => store.tables.connections.rows;
  let [words, ask] = [hub.settings.words(), () => {}];
  let own = null; // the connection whose box is typed in, looked up once for a drawing of the list

  /** The connection whose row holds the focus, or null. */
  function focused() {
    const row = list.element.contains(document.activeElement) ? document.activeElement.closest(".nbs-row") : null;
    return row ? Number(row.dataset.id) : null;
  }
  const visibleRows = () => rows().filter((row) => FILTERS[desk.filter](row) || row.id === own);
  const updateList = () => {
    own = focused();
    list.update(visibleRows(), desk.selected);
  };

  function reply(id, typed) {
    const row = store.tables.connections.get(id);
    if (!row || isEnded(row) || desk.isAnswered(TABLE, row)) return null;
    if (typed !== "" || isWaiting(row)) desk.submit(TABLE, id, { do: "reply", connection: id, text: typed, ask: row.ask });
    return row;
  }

  function focusBox(id) {
    if (!visibleRows().some((row) => row.id === id)) desk.set({ filter: "all" });
    updateList();
    list.reveal(id)?.focusBox();
  }

  /** Enter in a row's box: send, and on to the one that has waited longest behind it. */
  function replyInRow(id, typed) {
    const row = reply(id, typed);
    const next = row && nextWaiting(rows(), row.ask, (other) => other.id === id || desk.isAnswered(TABLE, other));
    if (next) focusBox(next.id);
  }

  function open(id) {
    const row = store.tables.connections.get(id);
    if (row && isWaiting(row)) focusBox(id);
    else detail.focusReply();
  }

  const select = (id) => {
    if (id === desk.selected) return;
    desk.set({ selected: id });
    updateList();
  };
  const actions = { onReply: replyInRow, onEscape: () => list.focus(), focused: () => own, context: () => ({ words, now: store.now() }) };
  const gridHead = headerRow();
  const list = makeList({
    header: gridHead.element, signal, onSelect: select, onOpen: open,
    heightOf: (row) => heightOf(row, desk, own), makeRow: (id) => makeRow(hub, id, actions),
  });
  const [header, filters, footer, clients] = [makeHeader(hub), makeFilters(desk), makeFooter(hub), makeClients(hub)];
  const detail = makeDetail(hub, { onReply: reply, onEscape: () => list.focus() });
  const [limit, empty] = [h("div", { class: "nbs-limit", role: "status", hidden: true }), h("p", { class: "nbs-empty" })];
  const left = h("div", { class: "nbs-left" }, filters.element, list.element, empty);
  const main = h("div", { class: "nbs-main" }, ...header.elements, limit, h("div", { class: "nbs-body" }, left, detail.element), footer.element);
  list.element.addEventListener("focusout", () => ask());

  function show(newWords) {
    words = newWords;
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
    desk.selected = keepSelection(rows(), desk.selected);
    filters.show(rows(), words);
    gridHead.show(words);
    attributes(list.element, { "aria-label": words("connections") });
    updateList();
    const isEmpty = list.isEmpty();
    attribute(empty, "hidden", !isEmpty);
    text(empty, words(rows().length ? "noneHere" : "noConnections"));
    detail.show(store.tables.connections.get(desk.selected), words);
    footer.show(isServing, words);
    return words("board", { address: server.address });
  }

  ask = makeRoot(hub, el, signal, [main, clients.element], show);
  return () => { detail.close(); clients.close(); };
}
