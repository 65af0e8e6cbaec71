// Clients, a console each: what their program printed, what it asks, and a box to answer it.
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { makeConsoleLines } from "./consolelines.js";
import { stateIcon } from "./icons.js";
import { refusalNote, replyBox } from "./replybox.js";
import { makeRoot } from "./root.js";
import { stateWord } from "./row.js";
import { isEnded, isWaiting } from "./store.js";
import { makeTranscript } from "./transcript.js";

const AT_FIRST = 24; // consoles shown before one asks for more: each is watched
const TABLE = "clients";
const PROGRAM = 0; // not a client: the program that made the server

function makeClient(hub, id) {
  const { desk, store } = hub;
  const icon = stateIcon();
  const [word, name, prompt] = [h("span", { class: "nbs-word" }), h("b"), peerText("", { class: "nbs-prompt" })];
  const peer = peerText("", { class: "nbs-peer" });
  const close = h("button", { class: "nbs-button is-quiet", type: "button", onClick: () => desk.act({ do: "close_client", client: id }) }, "×");
  const transcript = makeTranscript({ hub, table: TABLE, makeLines: makeConsoleLines });
  const box = replyBox({ hub, table: TABLE, id, onSend: send });
  const note = refusalNote({ hub, table: TABLE, id });
  const element = h("section", { class: "nbs-client", role: "region" },
    h("div", { class: "nbs-clienthead" }, name, h("span", { class: "nbs-state" }, icon.element, word), peer, close),
    transcript.element, note.element, h("label", { class: "nbs-clientinput" }, prompt, box.element));

  function send(typed) {
    const row = store.tables.clients.get(id);
    if (!row || isEnded(row) || desk.isAnswered(TABLE, row) || (typed === "" && !isWaiting(row))) return;
    desk.submit(TABLE, id, { do: "input", client: id, text: typed, ask: row.ask });
  }

  function show(row, words) {
    const ended = isEnded(row);
    const named = (name) => words(id === PROGRAM ? `program.${name}` : name, { id });
    attributes(element, { "aria-label": named("client"), "data-state": row.state });
    text(name, named("client"));
    icon.show(row.state);
    text(word, stateWord(row, words));
    text(peer, row.note && ended ? words.note(row.note) : row.peer);
    attribute(peer, "title", row.peer);
    attributes(close, { "aria-label": named("closeClient"), title: named("closeClient") });
    close.disabled = ended;
    transcript.show({ id, name: named("clientTranscript"), options: { words, encoding: "utf-8", isStream: true } });
    text(prompt, isWaiting(row) ? row.prompt ?? "" : "");
    const hint = ended ? words(`state.${row.state}`) : words(isWaiting(row) ? "typeAnswer" : "typeInput");
    box.show({ name: named("clientInput"), hint: hint, isDisabled: ended });
    const isStranded = ended && desk.draft(TABLE, id) !== "";
    note.show({ words, name: named("discardInput"), reasonNow: isStranded ? words("code.clientEnded") : "" });
  }
  return { element, show, close: transcript.close };
}

/** All consoles of a hub in one grid. */
export function makeClients(hub) {
  const made = new Map();
  let most = AT_FIRST;
  const place = h("div", { class: "nbs-clients" });
  const more = h("button", { class: "nbs-more", type: "button", onClick: () => { most += AT_FIRST; hub.desk.set({}); } });
  const element = h("div", { class: "nbs-clientsplace" }, place, more);

  function remove(id) {
    made.get(id).close();
    made.get(id).element.remove();
    made.delete(id);
  }

  function show(words) {
    const rows = hub.store.tables.clients.rows;
    const shown = rows.slice(0, most);
    const ids = new Set(shown.map((row) => row.id));
    for (const id of [...made.keys()]) if (!ids.has(id)) remove(id);
    for (const row of shown) {
      if (!made.has(row.id)) {
        const client = makeClient(hub, row.id);
        made.set(row.id, client);
        place.append(client.element);
      }
      made.get(row.id).show(row, words);
    }
    attribute(element, "hidden", !rows.length);
    attribute(more, "hidden", rows.length <= most);
    text(more, words("moreClients", { count: Math.min(AT_FIRST, rows.length - most) }));
  }
  return { element, show, close: () => { for (const id of [...made.keys()]) remove(id); } };
}

/** The view "clients": the consoles alone. */
export function clientsView(hub, { el, signal }) {
  const clients = makeClients(hub);
  const empty = h("p", { class: "nbs-empty" });
  makeRoot(hub, el, signal, [clients.element, empty], (words) => {
    clients.show(words);
    attribute(empty, "hidden", hub.store.tables.clients.rows.length > 0 || !hub.store.hasSnapshot);
    text(empty, words("noClients"));
    return words("clientsBoard");
  });
  return clients.close;
}
