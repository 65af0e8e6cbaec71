// The time line: a lane for the accept loop and one for each connection's thread. Who runs, who is blocked, who waits for a person?
import { attribute, attributes, h, text, whenVisible } from "./dom.js";
import { clock, duration } from "./format.js";
import { AXIS, drawArrows, drawSample, drawScene, LINE, makeLook, makeProbes, placeOf } from "./lanepaint.js";
import { clampEnd, inSight, labelOf, stateAt, STATES, stateWords, summary, zoomed } from "./lanes.js";
import { moveTo } from "./list.js";
import { makeRoot } from "./root.js";

const [LEAST_LINES, MOST_LINES] = [3, 14]; // lanes in sight
const IN_TABLE = 200; // lanes that the table lists
const FRAME = 50; // milliseconds between two drawings
const SLOW = 1000; // of a view in which a pixel is a long time, and for whoever wants no motion
const SPOKEN = 2000; // milliseconds between two summaries
const DRAG = 4; // pixels from which on a click is a drag
const ALWAYS = ["selecting", "receiving", "waiting", "running", "sending", "backlog"];
const NOW_AND_THEN = ["half-closed", "full"];

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

const keyOf = (lane) => (lane.kind === "connection" ? lane.id : `${lane.kind} ${lane.peer}`);

function makeLegend() {
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
function makeTable() {
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

/** `onSelect(id)`: a connection's lane was chosen. Nothing is drawn, and the kernel is asked for nothing, before `show`. */
export function makeTimeline(hub, signal, { onSelect }) {
  const { store, desk } = hub;
  const button = (name, onClick, ...content) => h("button", { class: `nbs-button is-${name}`, type: "button", onClick }, ...content);
  const [legend, table, probes] = [makeLegend(), makeTable(), makeProbes(h)];
  const canvas = h("canvas", { class: "nbs-lanecanvas", role: "img" });
  const pad = h("div", {}, canvas);
  const scroller = h("div", { class: "nbs-lanescroll", role: "group", tabindex: "0" }, pad);
  const tip = h("div", { class: "nbs-tip", "aria-hidden": "true", hidden: true });
  const said = h("span", { class: "nbs-lanesaid", role: "status" });
  const zoomIn = button("zoomin", () => zoom(-1), "+");
  const zoomOut = button("zoomout", () => zoom(1), "−");
  const reach = h("span", { class: "nbs-span" });
  const pause = button("pause", () => lookAt(end === null ? store.now() : null));
  const open = button("onlyopen", () => { isOnlyOpen = !isOnlyOpen; refresh(); });
  const tools = h("div", { class: "nbs-lanetools" }, open, h("span", { class: "nbs-joined" }, zoomOut, zoomIn), reach, pause);
  const element = h("div", { class: "nbs-timeline" },
    h("div", { class: "nbs-lanehead" }, legend.element, tools), h("div", { class: "nbs-laneplace" }, scroller, tip), said, table.element, probes.element);
  const context = canvas.getContext("2d");
  let [words, stop, lanes, look, lookKey] = [null, null, [], null, ""];
  let [span, end, isOnlyOpen, chosen, selected] = [20, null, false, null, null];
  let [drawn, spoken, timer, tipped] = [0, -Infinity, 0, null];
  const seen = new Set();
  const thread = () => store.server?.thread ?? "";
  const times = () => { const now = store.now(); const to = end ?? now; return { now, from: to - span, to, isLive: end === null }; };
  const place = () => placeOf({ width: canvas.clientWidth, em: look.em, ...times() });

  /** Colours and sizes of the page, read again at each change: the theme, the font and A+ may all have changed. */
  function readLook() {
    const colours = probes.read();
    const { fontFamily, fontSize } = getComputedStyle(element);
    const ratio = window.devicePixelRatio || 1;
    const key = [fontFamily, fontSize, ratio, ...Object.values(colours)].join();
    if (key === lookKey) return;
    lookKey = key;
    look = makeLook(context, colours, fontFamily, parseFloat(fontSize));
    legend.paint(look, ratio);
  }

  function draw() {
    clearTimeout(timer);
    const wait = FRAME - (performance.now() - drawn);
    if (wait > 5) { timer = setTimeout(ask, wait); return; }
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [scroller.clientWidth, scroller.clientHeight];
    if (!look || !width || !height) return;
    drawn = performance.now();
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size;
      attribute(canvas, "style", `height: ${height}px`);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const top = scroller.scrollTop;
    drawScene(context, look, { width, height, em: look.em, ...times(), lanes, top, chosen: lanes.findIndex((lane) => keyOf(lane) === chosen), thread: thread(), words });
    const isMoving = end === null && !store.isStale() && !store.isOver();
    if (isMoving) timer = setTimeout(ask, pace(width));
  }

  /** Milliseconds until a bar has moved by a pixel, or a frame. */
  function pace(width) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return SLOW;
    return Math.min(SLOW, Math.max(FRAME, (span / width) * 1000));
  }
  const ask = whenVisible(element, signal, draw);
  const now = () => { drawn = 0; ask(); };

  /** The lanes of this moment, and everything around them. */
  function refresh() {
    if (!store.lanes || !words) return;
    const { from, now: time } = times();
    lanes = store.lanes.list({ from, onlyOpen: isOnlyOpen, isServing: Boolean(store.server) });
    if (desk.selected !== selected) [selected, chosen] = [desk.selected, desk.selected];
    for (const lane of lanes) if (lane.states.length) seen.add(lane.states.at(-1)[1].replace("paused", "full"));
    readLook();
    const lines = Math.max(LEAST_LINES, Math.min(MOST_LINES, lanes.length));
    attribute(scroller, "style", `height: ${AXIS + lines * LINE + 0.2}em`);
    attribute(pad, "style", `height: ${Math.round(AXIS * look.em) + lanes.length * Math.round(LINE * look.em)}px`);
    legend.show(words, seen);
    showTools();
    tellTip();
    table.show(lanes, { thread: thread(), now: time, words });
    if (performance.now() - spoken > SPOKEN) {
      spoken = performance.now();
      attribute(canvas, "aria-label", summary(lanes, words) || words("timeline"));
    }
    ask();
  }

  function showTools() {
    const isLive = end === null;
    const long = span < 60 ? words("secondsLong", { count: span }) : words("minutesLong", { count: span / 60 });
    text(reach, isLive ? long : words("lookedBack", { span: long, time: clock(end).slice(0, -4) }));
    for (const [element, name] of [[zoomIn, "zoomIn"], [zoomOut, "zoomOut"]]) attributes(element, { "aria-label": words(name), title: words(name) });
    zoomIn.disabled = zoomed(span, -1) === span;
    zoomOut.disabled = zoomed(span, 1) === span;
    text(pause, isLive ? `❚❚ ${words("pause")}` : `▶ ${words("toNow")}`);
    attribute(pause, "aria-label", words(isLive ? "pause" : "toNow"));
    text(open, words("onlyOpen"));
    attribute(open, "aria-pressed", String(isOnlyOpen));
    attributes(scroller, { "aria-label": words("laneKeys") });
  }

  /** Wider or narrower; a view that looks back keeps the time `at` where it is. */
  function zoom(direction, at = end) {
    const next = zoomed(span, direction);
    const fixed = Math.min(at ?? 0, end ?? 0);
    if (end !== null) end = clampEnd(fixed + ((end - fixed) * next) / span, store.now(), next);
    span = next;
    refresh();
    now();
  }

  /** Looks at the time that ends at `time`; null is the present, and goes on. */
  function lookAt(time) {
    end = time;
    refresh();
    now();
  }
  const shift = (seconds) => lookAt(clampEnd((end ?? store.now()) + seconds, store.now(), span));

  function choose(index) {
    const lane = lanes[index];
    if (!lane) return;
    chosen = keyOf(lane);
    if (lane.kind === "connection") { selected = lane.id; onSelect(lane.id); }
    reveal(index);
    now();
  }

  function reveal(index) {
    const [line, height] = [Math.round(LINE * look.em), scroller.clientHeight - Math.round(AXIS * look.em)];
    if (index * line < scroller.scrollTop) scroller.scrollTop = index * line;
    else if ((index + 1) * line > scroller.scrollTop + height) scroller.scrollTop = (index + 1) * line - height;
  }

  const laneAt = (y) => Math.floor((y - place().axis + scroller.scrollTop) / place().line);

  /** What a lane did, beside a place of the canvas; `time` null is the present. */
  function showTip(lane, time, x, y) {
    tipped = lane ? { lane, time } : null;
    attribute(tip, "hidden", !lane);
    if (!lane) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    attribute(tip, "style", `${x > width / 2 ? `right: ${width - x + 12}px` : `left: ${x + 12}px`}; ${y > height / 2 ? `bottom: ${height - y + 12}px` : `top: ${y + 16}px`}`);
    tellTip();
  }
  const hideTip = () => showTip(null);
  function tellTip() {
    const { to, now: time } = times();
    if (tipped) text(tip, described(tipped.lane, tipped.time ?? Math.min(to, time), { thread: thread(), now: time, words }));
  }

  function pointAt({ offsetX: x, offsetY: y }) {
    const { axis, gutter, timeAt } = place();
    const index = y < axis ? -1 : laneAt(y);
    showTip(lanes[index], x < gutter ? null : timeAt(x), x, y);
  }

  /** Says what the lane chosen by keyboard does, and shows it. */
  function tell(index) {
    const lane = lanes[index];
    if (!lane) return;
    const { axis, line } = place();
    showTip(lane, null, canvas.clientWidth - line, axis + (index + 0.5) * line - scroller.scrollTop);
    text(said, tip.textContent);
  }

  let drag = null; // {x, end} from where the pointer went down
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.offsetX, end: end ?? store.now(), isDrag: false };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) { pointAt(event); return; }
    if (Math.abs(event.offsetX - drag.x) > DRAG) drag.isDrag = true;
    if (!drag.isDrag) return;
    hideTip();
    lookAt(clampEnd(drag.end - (event.offsetX - drag.x) / place().scale, store.now(), span));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.isDrag && event.offsetY >= place().axis) choose(laneAt(event.offsetY));
    drag = null;
  });
  for (const name of ["pointercancel", "pointerleave"]) canvas.addEventListener(name, () => { drag = null; hideTip(); });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls
    event.preventDefault();
    zoom(Math.sign(event.deltaY), place().timeAt(event.offsetX));
  }, { passive: false });
  scroller.addEventListener("scroll", now, { passive: true });
  scroller.addEventListener("blur", hideTip);

  const KEYS = {
    "+": () => zoom(-1), "=": () => zoom(-1), "-": () => zoom(1), " ": () => pause.click(),
    ArrowLeft: () => shift(-span / 8), ArrowRight: () => shift(span / 8), n: () => lookAt(null), N: () => lookAt(null),
  };
  scroller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = inSight(lanes.length, 0, scroller.clientHeight, Math.round(LINE * look.em))[1];
    const target = moveTo(event.key, lanes.findIndex((lane) => keyOf(lane) === chosen), lanes.length, page);
    if (target === undefined && !KEYS[event.key]) return;
    event.preventDefault();
    if (target === undefined) { KEYS[event.key](); return; }
    choose(target);
    tell(target);
  });
  const observer = new ResizeObserver(() => { refresh(); now(); });
  observer.observe(scroller);
  signal.addEventListener("abort", () => { observer.disconnect(); close(); });

  function close() {
    clearTimeout(timer);
    stop?.();
    stop = null;
  }

  return {
    element, close,
    show(newWords) {
      words = newWords;
      stop ??= store.watchLanes();
      refresh();
    },
  };
}

/** The time line at the foot of a board, behind a button. Whether it is open is kept on the desk: all views show the same. */
export function makeTimelinePart(hub, signal, actions) {
  const { desk } = hub;
  const timeline = makeTimeline(hub, signal, actions);
  const label = h("span");
  const id = `nbs-timeline-${++made}`;
  const toggle = h("button", { class: "nbs-fold", type: "button", "aria-controls": id, onClick: () => desk.set({ isTimelineOpen: !desk.isTimelineOpen }) }, h("span", { class: "nbs-foldsign", "aria-hidden": "true" }, "▸"), label);
  const place = h("div", { id, hidden: true }, timeline.element);
  return {
    element: h("section", { class: "nbs-timelinepart" }, toggle, place),
    show(words) {
      text(label, words("timeline"));
      attribute(toggle, "aria-expanded", String(desk.isTimelineOpen));
      attribute(place, "hidden", !desk.isTimelineOpen);
      if (desk.isTimelineOpen) timeline.show(words); else timeline.close();
    },
  };
}
let made = 0;

/** The view "timeline": the time line alone. */
export function timelineView(hub, { el, signal }) {
  const timeline = makeTimeline(hub, signal, { onSelect: (id) => hub.desk.set({ selected: id }) });
  makeRoot(hub, el, signal, [h("div", { class: "nbs-main" }, timeline.element)], (words) => {
    timeline.show(words);
    return words("timelineOf", { address: hub.store.server?.address ?? "" });
  });
  return timeline.close;
}
