// The time line: a lane for the accept loop and one for each connection's thread. Who runs, who is blocked, who waits for a person?
import { attribute, h, text, whenVisible } from "./dom.js";
import { AXIS, drawScene, LINE, makeLook, makeProbes, placeOf } from "./lanepaint.js";
import { makeLegend, makeTable, makeTip, makeTools } from "./laneparts.js";
import { clampEnd, inSight, summary, zoomed } from "./lanes.js";
import { followLaneKeys, followPointer } from "./lanesteer.js";
import { makeRoot } from "./root.js";

const [LEAST_LINES, MOST_LINES] = [3, 14]; // lanes in sight
const FRAME = 50; // milliseconds between two drawings
const SLOW = 1000; // of a view in which a pixel is a long time, and for whoever wants no motion
const SPOKEN = 2000; // milliseconds between two summaries

const keyOf = (lane) => (lane.kind === "connection" ? lane.id : `${lane.kind} ${lane.peer}`);

/** Milliseconds until a bar has moved by a pixel, or a frame. */
function pace(span, width) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return SLOW;
  return Math.min(SLOW, Math.max(FRAME, (span / width) * 1000));
}

/** A canvas of the size of `scroller`, sharp on any screen; its context then draws in pixels of the page. */
function fit(canvas, context, { clientWidth: width, clientHeight: height }) {
  const ratio = window.devicePixelRatio || 1;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    attribute(canvas, "style", `height: ${height}px`);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { width, height };
}

/** The page's colours and sizes for a canvas in `element`; made anew when the theme, the font or A+ have changed them. */
function makeLookReader(element, context, onChange) {
  const probes = makeProbes(h);
  element.append(probes.element);
  let [look, shown] = [null, ""];
  return () => {
    const colours = probes.read();
    const { fontFamily, fontSize } = getComputedStyle(element);
    const ratio = window.devicePixelRatio || 1;
    const key = [fontFamily, fontSize, ratio, ...Object.values(colours)].join();
    if (key !== shown) {
      shown = key;
      look = makeLook(context, colours, fontFamily, parseFloat(fontSize));
      onChange(look, ratio);
    }
    return look;
  };
}

/** `onSelect(id)`: a connection's lane was chosen. Nothing is drawn, and the kernel is asked for nothing, before `show`. */
export function makeTimeline(hub, signal, { onSelect }) {
  const { store, desk } = hub;
  let [words, stop, lanes, look] = [null, null, [], null];
  let [span, end, isOnlyOpen] = [20, null, false]; // seconds across, the time at the right (null is the present)
  let [chosen, selected] = [null, null]; // the key of a lane; the connection that was selected when it was chosen
  let [drawn, spoken, timer] = [0, -Infinity, 0];
  const seen = new Set();

  const thread = () => store.server?.thread ?? "";
  const times = () => { const now = store.now(); const to = end ?? now; return { now, from: to - span, to, isLive: end === null }; };
  const place = () => placeOf({ width: canvas.clientWidth, em: look.em, ...times() });
  const chosenAt = () => lanes.findIndex((lane) => keyOf(lane) === chosen);
  const laneAt = (y) => (y < place().axis ? -1 : Math.floor((y - place().axis + scroller.scrollTop) / place().line));

  const canvas = h("canvas", { class: "nbs-lanecanvas", role: "img" });
  const pad = h("div", {}, canvas);
  const scroller = h("div", { class: "nbs-lanescroll", role: "group", tabindex: "0" }, pad);
  const said = h("span", { class: "nbs-lanesaid", role: "status" });
  const tip = makeTip(canvas, () => ({ ...times(), thread: thread(), words }));
  const pause = () => lookAt(end === null ? store.now() : null);
  const tools = makeTools({ onZoom: (direction) => zoom(direction), onPause: pause, onOnlyOpen: () => { isOnlyOpen = !isOnlyOpen; refresh(); } });
  const [legend, table] = [makeLegend(), makeTable()];
  const element = h("div", { class: "nbs-timeline" },
    h("div", { class: "nbs-lanehead" }, legend.element, tools.element), h("div", { class: "nbs-laneplace" }, scroller, tip.element), said, table.element);
  const context = canvas.getContext("2d");
  const readLook = makeLookReader(element, context, legend.paint);

  function draw() {
    clearTimeout(timer);
    const wait = FRAME - (performance.now() - drawn);
    if (wait > 5) { timer = setTimeout(ask, wait); return; }
    if (!look || !scroller.clientHeight) return;
    drawn = performance.now();
    const { width, height } = fit(canvas, context, scroller);
    drawScene(context, look, { width, height, em: look.em, ...times(), lanes, top: scroller.scrollTop, chosen: chosenAt(), thread: thread(), words });
    const isMoving = end === null && !store.isStale() && !store.isOver();
    if (isMoving) timer = setTimeout(ask, pace(span, width));
  }
  const ask = whenVisible(element, signal, draw);
  const drawNow = () => { drawn = 0; ask(); };

  /** The lanes of this moment, and everything around them. */
  function refresh() {
    if (!store.lanes || !words) return;
    const { from, now } = times();
    lanes = store.lanes.list({ from, onlyOpen: isOnlyOpen, isServing: Boolean(store.server) });
    if (desk.selected !== selected) [selected, chosen] = [desk.selected, desk.selected];
    for (const lane of lanes) if (lane.states.length) seen.add(lane.states.at(-1)[1].replace("paused", "full"));
    look = readLook();
    const lines = Math.max(LEAST_LINES, Math.min(MOST_LINES, lanes.length));
    attribute(scroller, "style", `height: ${AXIS + lines * LINE + 0.2}em`);
    attribute(scroller, "aria-label", words("laneKeys"));
    attribute(pad, "style", `height: ${Math.round(AXIS * look.em) + lanes.length * Math.round(LINE * look.em)}px`);
    legend.show(words, seen);
    tools.show({ span, end, isOnlyOpen }, words);
    tip.tell();
    table.show(lanes, { thread: thread(), now, words });
    if (performance.now() - spoken > SPOKEN) {
      spoken = performance.now();
      attribute(canvas, "aria-label", summary(lanes, words) || words("timeline"));
    }
    ask();
  }

  /** Wider or narrower; a view that looks back keeps the time `at` where it is. */
  function zoom(direction, at = end) {
    const next = zoomed(span, direction);
    if (end !== null) end = clampEnd(at + ((end - at) * next) / span, store.now(), next);
    span = next;
    refresh();
    drawNow();
  }

  /** Looks at the time that ends at `time`; null is the present, and goes on. */
  function lookAt(time) {
    end = time;
    refresh();
    drawNow();
  }
  const lookBackTo = (time) => lookAt(clampEnd(time, store.now(), span));

  function choose(index) {
    const lane = lanes[index];
    if (!lane) return;
    chosen = keyOf(lane);
    if (lane.kind === "connection") { selected = lane.id; onSelect(lane.id); }
    const { line, axis } = place();
    const height = scroller.clientHeight - axis;
    if (index * line < scroller.scrollTop) scroller.scrollTop = index * line;
    else if ((index + 1) * line > scroller.scrollTop + height) scroller.scrollTop = (index + 1) * line - height;
    drawNow();
  }

  /** By keyboard: says, too, what that lane does. */
  function chooseAndTell(index) {
    choose(index);
    const { axis, line } = place();
    text(said, tip.show(lanes[index], null, canvas.clientWidth - line, axis + (index + 0.5) * line - scroller.scrollTop));
  }

  followPointer(canvas, {
    begin: () => end ?? store.now(),
    drag: (pixels, from) => { tip.hide(); lookBackTo(from - pixels / place().scale); },
    choose: (y) => choose(laneAt(y)),
    leave: tip.hide,
    zoom: (direction, x) => zoom(direction, place().timeAt(x)),
    point(x, y) {
      const lane = lanes[laneAt(y)];
      if (lane) tip.show(lane, x < place().gutter ? null : place().timeAt(x), x, y); else tip.hide();
    },
  });
  followLaneKeys(scroller, {
    zoom, pause, shift: (share) => lookBackTo((end ?? store.now()) + share * span), toNow: () => lookAt(null), choose: chooseAndTell,
    where: () => ({ at: chosenAt(), count: lanes.length, page: inSight(lanes.length, 0, scroller.clientHeight - place().axis, place().line)[1] }),
  });
  scroller.addEventListener("scroll", drawNow, { passive: true });
  scroller.addEventListener("blur", tip.hide);
  const observer = new ResizeObserver(() => { refresh(); drawNow(); });
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

let made = 0;

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

/** The view "timeline": the time line alone. */
export function timelineView(hub, { el, signal }) {
  const timeline = makeTimeline(hub, signal, { onSelect: (id) => hub.desk.select(id, "one", []) });
  makeRoot(hub, el, signal, [h("div", { class: "nbs-main" }, timeline.element)], (words) => {
    timeline.show(words);
    return words("timelineOf", { address: hub.store.server?.address ?? "" });
  });
  return timeline.close;
}
