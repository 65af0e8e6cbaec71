// Clients, a console each that reads like a terminal: what the program printed, what it asks, and there the box to answer it.
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { makeConsoleLines } from "./consolelines.js";
import { glyph, stateIcon } from "./icons.js";
import { flash, onShow, otherEnd, scrollTo } from "./otherend.js";
import { refusalNote, replyBox } from "./replybox.js";
import { makeRoot } from "./root.js";
import { stateWord } from "./row.js";
import { isEnded, isWaiting } from "./store.js";
import { makeTranscript } from "./transcript.js";

const AT_FIRST = 24; // consoles shown before one asks for more: each is watched
const ROOMY = 6; // with more than these they are small, and one at a time can be enlarged
const TABLE = "clients";
const PROGRAM = 0; // not a client: the program that made the server
const GLYPHS = {
  again: "M12.9 8a4.9 4.9 0 1 1-1.5-3.5M12.6 1.8v3.1H9.5", stop: "M4.5 4.5h7v7h-7z", enlarge: "M9.5 3H13v3.5M13 3 9.2 6.8M6.5 13H3V9.5M3 13l3.8-3.8",
  add: "M8 3v10M3 8h10",
};

const drawn = (name) => glyph(GLYPHS[name], `is-${name}`);
const button = (name, onClick, ...content) => h("button", { class: `nbs-button is-${name}`, type: "button", onClick }, drawn(name), ...content);

/** A prompt's last line, which is where the answer is typed; the kernel writes a line's end as \n. */
export const lastLine = (prompt) => prompt.slice(prompt.lastIndexOf("\\n") < 0 ? 0 : prompt.lastIndexOf("\\n") + 2);

/** Which key of a terminal was pressed: "c", "d", "l", or "". */
export function terminalKey({ key, ctrlKey, altKey, metaKey, shiftKey, isComposing, repeat }) {
  const isPlain = ctrlKey && !altKey && !metaKey && !shiftKey && !isComposing && !repeat;
  return isPlain && ["c", "d", "l"].includes(key) ? key : "";
}

function makeClient(hub, id) {
  const { desk, store } = hub;
  const icon = stateIcon();
  const [word, name, prompt] = [h("span", { class: "nbs-word" }), h("b"), peerText("", { class: "nbs-prompt" })];
  const peer = peerText("", { class: "nbs-peer" });
  const link = otherEnd(hub, TABLE);
  const row = () => store.tables.clients.get(id);
  const buttons = {
    again: button("again", () => desk.act({ do: "run_client", client: id })),
    stop: button("stop", stop),
    enlarge: button("enlarge", enlarge),
  };
  const transcript = makeTranscript({ hub, table: TABLE, makeLines: makeConsoleLines });
  const log = transcript.element.querySelector(".nbs-log");
  const box = replyBox({ hub, table: TABLE, id, onSend: send, onEscape: () => element.classList.contains("is-large") && enlarge() });
  const note = refusalNote({ hub, table: TABLE, id });
  const line = h("label", { class: "nbs-clientinput" }, prompt, h("span", { class: "nbs-caret", "aria-hidden": "true" }), box.element);
  const keys = h("div", { class: "nbs-keys" });
  const element = h("section", { class: "nbs-client", role: "region" },
    h("div", { class: "nbs-clienthead" }, name, h("span", { class: "nbs-state" }, icon.element, word), link.element, peer, ...Object.values(buttons)),
    h("div", { class: "nbs-terminal", onClick: focusFromClick }, transcript.element, note.element, line), keys);
  element.addEventListener("keydown", onKey);

  function send(typed) {
    const now = row();
    if (!now || isEnded(now) || desk.isAnswered(TABLE, now) || (typed === "" && !isWaiting(now))) return;
    desk.submit(TABLE, id, { do: "input", client: id, text: typed, ask: now.ask });
  }

  function stop() {
    if (!isEnded(row())) desk.act({ do: "close_client", client: id });
  }

  function enlarge() {
    const isLarge = element.classList.toggle("is-large");
    attribute(buttons.enlarge, "aria-pressed", String(isLarge));
    scrollTo(element);
  }

  /** What was shown goes from sight; a prompt that waits stays, as it does in a terminal. */
  function clear() {
    for (const child of [...log.children]) if (!child.matches(".is-open:last-child")) child.remove();
  }

  function onKey(event) {
    const { selectionStart, selectionEnd, value } = box.element;
    const isSelected = !getSelection().isCollapsed || selectionStart !== selectionEnd;
    const act = { c: isSelected ? null : stop, d: value === "" && !isEnded(row()) ? () => desk.act({ do: "end_input", client: id }) : null, l: clear }[terminalKey(event)];
    if (!act) return;
    event.preventDefault();
    act();
  }

  function focusFromClick(event) {
    if (getSelection().isCollapsed && !event.target.closest("button, summary, details, input")) box.element.focus({ preventScroll: true });
  }

  function showHead(now, words, named) {
    text(name, named("client"));
    icon.show(now.state);
    text(word, stateWord(now, words));
    link.show(now, words);
    text(peer, now.note && isEnded(now) ? words.note(now.note) : now.peer);
    attribute(peer, "title", now.peer);
    attribute(buttons.again, "hidden", id === PROGRAM);
    const names = { again: "runAgain", stop: "stopClient", enlarge: "enlargeClient" };
    for (const [key, said] of Object.entries(names)) if (key !== "again" || id !== PROGRAM) attributes(buttons[key], { "aria-label": named(said), title: named(said) });
    buttons.stop.disabled = isEnded(now);
  }

  function show(now, words) {
    const ended = isEnded(now);
    const named = (key) => words(id === PROGRAM ? `program.${key}` : key, { id });
    attributes(element, { "aria-label": named("client"), "data-state": now.state });
    showHead(now, words, named);
    transcript.show({ id, name: named("clientTranscript"), options: { words, encoding: "utf-8", isStream: true } });
    text(prompt, isWaiting(now) ? lastLine(now.prompt ?? "") : "");
    attribute(box.element, "aria-description", isWaiting(now) ? now.prompt : null);
    const hint = ended ? words(`state.${now.state}`) : words(isWaiting(now) ? "typeAnswer" : "typeInput");
    box.show({ name: named("clientInput"), hint, isDisabled: ended });
    text(keys, words("consoleKeys"));
    const isStranded = ended && desk.draft(TABLE, id) !== "";
    line.classList.toggle("is-over", ended && !isStranded); // out of sight; who asks for it by its name still finds it disabled
    attribute(keys, "hidden", ended);
    note.show({ words, name: named("discardInput"), reasonNow: isStranded ? words("code.clientEnded") : "" });
  }
  const focus = () => (isEnded(row()) ? log : box.element).focus({ preventScroll: true });
  return { element, show, focus, close: transcript.close };
}

/** What can be done with all of them, and how many there are of each kind. */
function makeHead(hub) {
  const { desk, store } = hub;
  const words = { add: "oneMoreClient", again: "runAllAgain", stop: "stopAllClients" };
  const labels = Object.fromEntries(Object.keys(words).map((name) => [name, h("span")]));
  const act = (name, wish) => button(name, () => desk.act({ do: wish }), " ", labels[name]);
  const buttons = { add: act("add", "add_client"), again: act("again", "run_clients"), stop: act("stop", "close_clients") };
  const [title, counts] = [h("b"), h("span", { class: "nbs-clientcounts" })];
  const element = h("div", { class: "nbs-clientshead", role: "group" }, title, counts, h("div", { class: "nbs-buttons" }, ...Object.values(buttons)));
  return {
    element,
    show(rows, say) {
      const clients = rows.filter((row) => row.id !== PROGRAM);
      const [ended, waiting] = [clients.filter(isEnded).length, clients.filter(isWaiting).length];
      attribute(element, "hidden", !clients.length);
      attribute(element, "aria-label", say("allClients"));
      text(title, `${say("clients")} ${clients.length}`);
      const known = [[clients.length - ended - waiting, "clientsAre"], [waiting, "clientsWait"], [ended, "clientsEnded"]];
      text(counts, known.filter(([count]) => count).map(([count, key]) => say(key, { count })).join(" · "));
      for (const [name, key] of Object.entries(words)) text(labels[name], say(key));
      attribute(buttons.add, "hidden", store.server !== null); // the head of its board has that button
      buttons.stop.disabled = ended === clients.length;
    },
  };
}

/** All consoles of a hub in one grid. */
export function makeClients(hub, signal) {
  const made = new Map();
  let [most, words] = [AT_FIRST, hub.settings.words()];
  const head = makeHead(hub);
  const place = h("div", { class: "nbs-clients" });
  const more = h("button", { class: "nbs-more", type: "button", onClick: () => { most += AT_FIRST; hub.desk.set({}); } });
  const element = h("div", { class: "nbs-clientsplace" }, head.element, place, more);
  const rows = () => hub.store.tables.clients.rows;

  function remove(id) {
    made.get(id).close();
    made.get(id).element.remove();
    made.delete(id);
  }

  function draw() {
    const shown = rows().slice(0, most);
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
  }

  /** Asked by a board, maybe under another cell. Returns whether somebody can see it. */
  function showClient(id) {
    const at = rows().findIndex((row) => row.id === id);
    if (at < 0 || !element.isConnected) return false;
    most = Math.max(most, at + 1);
    draw();
    scrollTo(made.get(id).element);
    flash(made.get(id).element);
    made.get(id).focus();
    return true;
  }
  onShow(hub, TABLE, signal, showClient);

  function show(newWords) {
    words = newWords;
    head.show(rows(), words);
    draw();
    const count = rows().length;
    place.classList.toggle("is-compact", count > ROOMY);
    attribute(element, "hidden", !count);
    attribute(more, "hidden", count <= most);
    text(more, words("moreClients", { count: Math.min(AT_FIRST, count - most) }));
  }
  return { element, show, close: () => { for (const id of [...made.keys()]) remove(id); } };
}

/** The view "clients": the consoles alone. */
export function clientsView(hub, { el, signal }) {
  const clients = makeClients(hub, signal);
  const empty = h("p", { class: "nbs-empty" });
  makeRoot(hub, el, signal, [clients.element, empty], (words) => {
    clients.show(words);
    attribute(empty, "hidden", hub.store.tables.clients.rows.length > 0 || !hub.store.hasSnapshot);
    text(empty, words("noClients"));
    return words("clientsBoard");
  });
  return clients.close;
}
