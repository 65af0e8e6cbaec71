// What stands around the lanes of the time line: legend, tools, tool tip, and the same as a table.
import { attribute, attributes, h, text } from "./dom.js";
import { clock, duration } from "./format.js";
import { drawArrows, drawSample } from "./lanepaint.js";
import { labelOf, stateAt, STATES, stateWords, zoomed } from "./lanes.js";

const IN_TABLE = 200; // lanes that the table lists
const ALWAYS = ["selecting", "receiving", "waiting", "running", "sending", "backlog"];
const NOW_AND_THEN = ["held", "half-closed", "full"];

/** A time as exact as it can be seen: "120 ms", "3.4 s", "2 m 05 s". */
export function exact(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** What a lane did at a time, in words. */
export function described(lane, time, { thread, now, words }) {
  const found = stateAt(lane, time);
  const label = lane.kind === "connection" ? `#${lane.id} ${lane.peer}` : labelOf(lane, thread, words);
  if (!found) return label;
  const how = words(found.until === null ? "laneSince" : "laneFrom", { time: clock(found.since), duration: exact((found.until ?? now) - found.since) });
  return words("laneIs", { lane: label, state: stateWords(found.state, words), how });
}

/** How each state is drawn; what is seldom seen is explained once it was seen. */
export function makeLegend() {
  const items = [...ALWAYS, ...NOW_AND_THEN].map((state) => ({ state, kind: STATES[state] }));
  const all = [...items, { state: "messages" }].map((item) => ({ ...item, canvas: h("canvas", { class: "nbs-sample", "aria-hidden": "true" }), word: h("span") }));
  for (const item of all) item.element = h("span", { class: "nbs-legenditem", hidden: NOW_AND_THEN.includes(item.state) }, item.canvas, item.word);
  return {
    element: h("div", { class: "nbs-legend" }, ...all.map((item) => item.element)),
    show(words, seen) {
      for (const item of all) {
        text(item.word, words(item.kind?.word ?? "messagesInOut"));
        if (seen.has(item.state)) item.element.hidden = false;
      }
    },
    paint(look, ratio) {
      const [width, height] = [look.em * 1.9, look.em * 0.8];
      for (const { canvas, kind } of all) {
        Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
        const context = canvas.getContext("2d");
        context.scale(ratio, ratio);
        if (kind) drawSample(context, look, kind, width, height);
        else drawArrows(context, look, width, height);
      }
    },
  };
}

/** The same as text: lane, state now, since when. */
export function makeTable() {
  const heads = ["lane", "now", "since"].map((name) => ({ name, cell: h("th", { scope: "col" }) }));
  const [body, more, label] = [h("tbody"), h("p", { class: "nbs-empty", hidden: true }), h("summary")];
  const table = h("table", { class: "nbs-lanetable" }, h("thead", {}, h("tr", {}, ...heads.map(({ cell }) => cell))), body);
  const element = h("details", { class: "nbs-lanes" }, label, table, more);
  return {
    element,
    show(lanes, { thread, now, words }) {
      text(label, words("asTable"));
      if (!element.open) return;
      attribute(table, "aria-label", words("timeline"));
      for (const { name, cell } of heads) text(cell, words(`column.${name}`));
      const shown = lanes.slice(0, IN_TABLE);
      while (body.children.length > shown.length) body.lastElementChild.remove();
      while (body.children.length < shown.length) body.append(h("tr", {}, h("th", { scope: "row" }), h("td"), h("td")));
      shown.forEach((lane, i) => {
        const state = lane.states.at(-1);
        const [name, what, since] = body.children[i].children;
        text(name, labelOf(lane, thread, words));
        text(what, state ? stateWords(state[1], words) : "");
        text(since, state ? `${clock(state[0])} · ${duration(now - state[0])}` : "");
      });
      attribute(more, "hidden", lanes.length <= IN_TABLE);
      text(more, words("moreLanes", { count: lanes.length - IN_TABLE }));
    },
  };
}

/** The buttons, and which time is shown. */
export function makeTools({ onZoom, onPause, onOnlyOpen }) {
  const button = (name, onClick, ...content) => h("button", { class: `nbs-button is-${name}`, type: "button", onClick }, ...content);
  const [zoomOut, zoomIn] = [button("zoomout", () => onZoom(1), "−"), button("zoomin", () => onZoom(-1), "+")];
  const [pause, open] = [button("pause", onPause), button("onlyopen", onOnlyOpen)];
  const shown = h("span", { class: "nbs-span" });
  return {
    element: h("div", { class: "nbs-lanetools" }, open, h("span", { class: "nbs-joined" }, zoomOut, zoomIn), shown, pause),
    show({ span, end, isOnlyOpen }, words) {
      const long = span < 60 ? words("secondsLong", { count: span }) : words("minutesLong", { count: span / 60 });
      text(shown, end === null ? long : words("lookedBack", { span: long, time: clock(end).slice(0, -4) }));
      attributes(zoomIn, { "aria-label": words("zoomIn"), title: words("zoomIn") });
      attributes(zoomOut, { "aria-label": words("zoomOut"), title: words("zoomOut") });
      zoomIn.disabled = zoomed(span, -1) === span;
      zoomOut.disabled = zoomed(span, 1) === span;
      text(pause, end === null ? `❚❚ ${words("pause")}` : `▶ ${words("toNow")}`);
      attribute(pause, "aria-label", words(end === null ? "pause" : "toNow"));
      text(open, words("onlyOpen"));
      attribute(open, "aria-pressed", String(isOnlyOpen));
    },
  };
}

/** What a lane did at a time, beside a place of `canvas`. `context()` gives {to, now, thread, words}. */
export function makeTip(canvas, context) {
  const element = h("div", { class: "nbs-tip", "aria-hidden": "true", hidden: true });
  let tipped = null; // {lane, time}, null being the present
  const tip = {
    element,
    hide() { tipped = null; element.hidden = true; },
    /** Says it again: it goes on. Returns what it says. */
    tell() {
      if (!tipped) return "";
      const { to, now, thread, words } = context();
      const said = described(tipped.lane, tipped.time ?? Math.min(to, now), { thread, now, words });
      text(element, said);
      return said;
    },
    show(lane, time, x, y) {
      const { clientWidth: width, clientHeight: height } = canvas;
      const across = x > width / 2 ? `right: ${width - x + 12}px` : `left: ${x + 12}px`;
      const down = y > height / 2 ? `bottom: ${height - y + 12}px` : `top: ${y + 16}px`;
      tipped = { lane, time };
      attributes(element, { hidden: false, style: `${across}; ${down}` });
      return tip.tell();
    },
  };
  return tip;
}
