// What the person has on the desk in this page: drafts, replies on their way, refusals, the selected connection.
// It is the page's own; the kernel hears only what is sent. Two views of one hub share it, so they show the same.
import { makeFinding } from "./finding.js";
import { BY_NUMBER } from "./order.js";
import { isChosen, select } from "./selection.js";

const REMEMBERED = 100; // earlier replies
const LATE = 1.5; // seconds without an answer from the kernel, then a text is said to be on its way

/** One step through earlier texts. `at` counts from the end, 0 is the draft that was being typed. */
export function stepHistory(history, { at, draft }, direction, typed) {
  const next = Math.max(0, Math.min(history.length, at + direction));
  const kept = at === 0 ? typed : draft;
  return { at: next, draft: kept, text: next === 0 ? kept : history[history.length - next] };
}

/** A history with one more text; the same text twice running is remembered once. */
export function remember(history, text) {
  if (text === "" || history.at(-1) === text) return history;
  return [...history, text].slice(-REMEMBERED);
}

export function makeDesk({ wish, changed, life, clock = () => performance.now() / 1000 }) {
  const drafts = new Map();
  const refusals = new Map(); // key → {code, error, text}
  const sending = new Map(); // key → {ask: the number of the input() being answered, text, since}
  const histories = { connections: [], clients: [], all: [], selected: [] };
  // The hub's life is part of the key: after a restart another connection may have the same number.
  const keyOf = (table, id) => `${life()}/${table}/${id}`;

  const desk = {
    selected: null, chosen: new Set(), anchor: null, chosenIn: "", filter: "all", sort: BY_NUMBER, finding: makeFinding({ wish, changed, life }),
    lineEnd: false, asHex: false, notice: null, panel: "", isTimelineOpen: false, inside: "",

    // Asked for every row of the list at every drawing: without a draft anywhere there is no key to put together.
    draft: (table, id) => (drafts.size ? drafts.get(keyOf(table, id)) ?? "" : ""),
    refusal: (table, id) => (refusals.size ? refusals.get(keyOf(table, id)) : undefined),
    isSending: (table, id) => sending.has(keyOf(table, id)),
    /** True from Enter until the kernel tells that this input() has its answer. */
    isAnswered: (table, row) => row.ask !== 0 && sending.get(keyOf(table, row.id))?.ask === row.ask,
    /** The text that has been on its way for longer than it takes: it waits for a running cell. Undefined if there is none. */
    late(table, id) {
      const sent = sending.size ? sending.get(keyOf(table, id)) : undefined;
      return sent && clock() - sent.since > LATE ? sent.text : undefined;
    },
    /** Whether there is something to be said about a text. */
    hasNote: (table, id) => Boolean(desk.refusal(table, id)) || desk.late(table, id) !== undefined,
    history: (table) => histories[table],

    type(table, id, text) {
      const key = keyOf(table, id);
      if (text === "") drafts.delete(key); else drafts.set(key, text);
      if (refusals.get(key)?.code === "noHex") refusals.delete(key); // it is being put right
      changed();
    },
    discard(table, id) {
      drafts.delete(keyOf(table, id));
      refusals.delete(keyOf(table, id));
      changed();
    },
    /** Says of a text why it is not sent at all; it stays where it was typed. */
    refuse(table, id, refusal) {
      refusals.set(keyOf(table, id), refusal);
      changed();
    },
    set(values) {
      Object.assign(desk, values);
      changed();
    },

    isChosen: (id) => isChosen(desk, id),
    /** A click or a key on a row: see selection.js. */
    select(id, how, order) {
      if (id === desk.selected && (how === "visit" || (how === "one" && !desk.chosen.size))) return;
      desk.set({ ...select(desk, id, how, order), chosenIn: life() });
    },
    /** Numbers of another life are other connections: none of them has been selected. */
    forgetOldLife() {
      if (desk.chosen.size && desk.chosenIn !== life()) [desk.chosen, desk.anchor] = [new Set(), null];
    },

    /** Asks for something that has no text of its own; a refusal becomes the board's notice. Whether it was done. */
    async act(request) {
      desk.set({ notice: null });
      const ack = await wish(request);
      if (!ack.ok) desk.set({ notice: ack });
      return ack.ok;
    },

    /** Sends what was typed. The box is free at once; a refused text comes back into it, unless a new one stands there. */
    async submit(table, id, request) {
      const key = keyOf(table, id);
      const text = request.text ?? request.hex;
      drafts.delete(key);
      refusals.delete(key);
      const sent = { ask: request.ask ?? 0, text, since: clock() };
      sending.set(key, sent);
      histories[table] = remember(histories[table], text);
      changed();
      const ack = await wish(request);
      if (sending.get(key) === sent) sending.delete(key); // a later one goes on
      if (ack.ok && ack.code) desk.notice = ack; // done, but not for all
      if (!ack.ok) {
        refusals.set(key, { code: ack.code, error: ack.error, text });
        if (text !== "" && !drafts.has(key)) drafts.set(key, text);
      }
      changed();
      return ack.ok;
    },
  };
  return desk;
}
