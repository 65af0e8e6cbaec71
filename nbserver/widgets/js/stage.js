// Bars on one axis of time, as elements: for views whose lanes are few, and whose bars carry words. The time line, which has thousands, draws on a canvas.
import { attribute, attributes, h, peerText, text } from "./dom.js";

const STEPS = [1, 2, 5].flatMap((digit) => [digit / 1e4, digit / 1e3, digit / 100, digit / 10, digit, digit * 10, digit * 100]).sort((a, b) => a - b);
const MOST_TICKS = 10;
const SIGNS = { done: "▏", failed: "✕", answered: "▲" };

/** Seconds between two ticks: a round number, at most ten in `span`. */
export const tickStep = (span) => STEPS.find((step) => span / step <= MOST_TICKS) ?? STEPS.at(-1);

/** The end of an axis that begins at 0 and shows `seconds`, but for a tenth of a tick: a whole number of ticks, so that it does not move all the time. */
export const roundSpan = (seconds) => {
  const step = tickStep(Math.max(seconds, 1e-4));
  return Math.max(1, Math.ceil(seconds / step - 0.1)) * step;
};

/** A moment on an axis with ticks every `step`: "1.5 s", "40 ms". */
export function moment(seconds, step) {
  if (step < 0.1) return `${Number((seconds * 1000).toFixed(step < 1e-3 ? 1 : 0))} ms`;
  return `${Number(seconds.toFixed(step < 1 ? 1 : 0))} s`;
}

/** Where a time stands on the axis, in percent. */
export const share = (time, { from, to }) => Math.min(100, Math.max(0, ((time - from) / (to - from)) * 100));

/** Roughly how wide a word is, in em. */
const widthOf = (word) => [...word].reduce((sum, letter) => sum + (letter > "\u2e7f" ? 1 : 0.56), 0.9);

/** Keeps `count` children in a parent, so that what stays is not made anew. */
export function keep(parent, count, make) {
  while (parent.children.length > count) parent.lastElementChild.remove();
  while (parent.children.length < count) parent.append(make());
  return [...parent.children];
}

/** How each kind of bar is drawn, for a legend: `kinds` are [kind, word key] in order. */
export function makeBarLegend(kinds) {
  const items = kinds.map(([kind, key]) => ({ key, word: h("span"), kind }));
  const sample = (kind) => (SIGNS[kind] ? h("span", { class: `nbs-stagesign is-${kind} is-sample`, "aria-hidden": "true" }, SIGNS[kind]) : h("span", { class: `nbs-stagebar is-${kind} is-sample`, "aria-hidden": "true" }));
  return {
    element: h("div", { class: "nbs-legend" }, ...items.map((item) => h("span", { class: "nbs-legenditem" }, sample(item.kind), item.word))),
    show(words) { for (const { word, key } of items) text(word, words(key)); },
  };
}

const makeBar = () => h("span", { class: "nbs-stagebar" });
const makeSign = () => h("span", { class: "nbs-stagesign", "aria-hidden": "true" });
const makeTick = () => h("span", { class: "nbs-stagetick" });

function makeLane() {
  const [bars, signs] = [h("span", { class: "nbs-stagebars" }), h("span", { class: "nbs-stagesigns" })];
  const [name, track, note] = [h("span", { class: "nbs-stagename" }), h("span", { class: "nbs-stagetrack", role: "img" }, bars, signs), h("span", { class: "nbs-stagenote" })];
  return Object.assign(h("div", { class: "nbs-stagelane" }, name, track, note), { parts: { name, track, bars, signs, note } });
}

function showLane({ parts }, { name, said, bars, signs, note = "" }, axis, room) {
  text(parts.name, name);
  attribute(parts.track, "aria-label", said);
  keep(parts.bars, bars.length, makeBar).forEach((bar, i) => {
    const { from, to, kind, word, short = "", isBare = false } = bars[i];
    const [left, right] = [share(from, axis), share(to, axis)];
    attributes(bar, { class: `nbs-stagebar is-${kind}`, style: `left: ${left.toFixed(3)}%; width: ${(right - left).toFixed(3)}%`, title: word });
    text(bar, isBare ? "" : [word, short].find((said) => ((right - left) / 100) * room > widthOf(said)) ?? "");
  });
  keep(parts.signs, signs.length, makeSign).forEach((sign, i) => {
    attributes(sign, { class: `nbs-stagesign is-${signs[i].kind}`, style: `left: ${share(signs[i].at, axis).toFixed(3)}%`, title: signs[i].word });
    text(sign, SIGNS[signs[i].kind]);
  });
  if (parts.note.textContent !== note) parts.note.replaceChildren(...(note ? [peerText(note)] : []));
}

/** Lanes in groups under one axis. `show(groups, {from, to})`: a group is {title, line, lanes: [{name, said, bars, signs, note}]}. */
export function makeStage() {
  const axis = h("div", { class: "nbs-stageaxis", "aria-hidden": "true" });
  const list = h("div", { class: "nbs-stagegroups" });
  const makeGroup = () => {
    const [title, line, lanes] = [h("strong"), h("span", { class: "nbs-stageline" }), h("div", { class: "nbs-stagelanes" })];
    const head = h("div", { class: "nbs-stagehead" }, title, line);
    return Object.assign(h("div", { class: "nbs-stagegroup", role: "group" }, head, lanes), { parts: { head, title, line, lanes } });
  };
  const element = h("div", { class: "nbs-stage" }, h("div", { class: "nbs-stagelane is-axis" }, h("span"), axis, h("span")), list);
  return {
    element,
    show(groups, { from, to }) {
      const step = tickStep(to - from);
      const ticks = Array.from({ length: Math.floor((to - from) / step + 1e-6) + 1 }, (_, i) => i * step);
      const room = axis.clientWidth / parseFloat(getComputedStyle(axis).fontSize || "14");
      // Every second, where there is no room for each.
      const every = Math.max(1, Math.ceil((ticks.length * 4.5) / (room || 1)));
      keep(axis, ticks.length, makeTick).forEach((tick, i) => {
        attribute(tick, "style", `left: ${share(from + ticks[i], { from, to }).toFixed(3)}%`);
        text(tick, i % every ? "" : moment(ticks[i], step));
      });
      attribute(list, "style", `--nbs-stagestep: ${((step / (to - from)) * 100).toFixed(4)}%`);
      keep(list, groups.length, makeGroup).forEach((group, i) => {
        const { title, line, lanes } = groups[i];
        attribute(group, "aria-label", title || null);
        attribute(group.parts.head, "hidden", !title && !line);
        text(group.parts.title, title);
        text(group.parts.line, line);
        keep(group.parts.lanes, lanes.length, makeLane).forEach((lane, at) => showLane(lane, lanes[at], { from, to }, room));
      });
    },
  };
}

/** The same as a table, behind "As a table". `show(label, heads, rows)`: texts; of a row the first is its head. */
export function makeFacts(className = "") {
  const [label, head, body] = [h("summary"), h("tr"), h("tbody")];
  const table = h("table", { class: `nbs-lanetable ${className}`.trim() }, h("thead", {}, head), body);
  const element = h("details", { class: "nbs-lanes" }, label, table);
  return {
    element,
    show(name, asTable, heads, rows) {
      text(label, asTable);
      if (!element.open) return;
      attribute(table, "aria-label", name);
      keep(head, heads.length, () => h("th", { scope: "col" })).forEach((cell, i) => text(cell, heads[i]));
      keep(body, rows.length, () => h("tr", {}, h("th", { scope: "row" }), ...heads.slice(1).map(() => h("td")))).forEach((row, i) => {
        [...row.children].forEach((cell, at) => text(cell, rows[i][at]));
      });
    },
  };
}
