// Draws lanes into a canvas. What is to be drawn is decided in lanes.js; here are shapes, colours and pixels.
import { clock } from "./format.js";
import { backText, eachBar, eachState, fitted, gridStep, inSight, kindOf, labelOf, servedBy } from "./lanes.js";

export const LINE = 1.75; // em, one lane
export const AXIS = 1.9; // em, the scale above the lanes
const [GUTTER, MOST_GUTTER] = [13.6, 0.3]; // em for the lanes' names, and at most so much of the width
const TOKENS = ["ground", "text", "quiet", "line", "edge", "chosen", "accent", "wait", "wait-ground", "run", "receive", "send", "calm", "bad"];

/** Hidden elements that carry the colours of the style sheet: a canvas needs them resolved. */
export function makeProbes(h) {
  const probes = TOKENS.map((token) => h("i", { style: `color: var(--nbs-${token})` }));
  return { element: h("span", { hidden: true }, ...probes), read: () => Object.fromEntries(TOKENS.map((token, i) => [token, getComputedStyle(probes[i]).color])) };
}

/** A small drawing that repeats: strokes of one colour over another. */
function pattern(context, size, back, stroke, lines) {
  const tile = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const pen = tile.getContext("2d");
  pen.fillStyle = back;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = stroke;
  pen.lineWidth = size / 3;
  pen.beginPath();
  for (const [x0, y0, x1, y1] of lines) { pen.moveTo(x0 * size, y0 * size); pen.lineTo(x1 * size, y1 * size); }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

/** Everything that the page's theme and font decide. `em` in pixels. */
export function makeLook(context, colours, font, em) {
  const size = Math.max(6, Math.round(em * 0.55));
  const slants = [[-0.5, 0.5, 0.5, -0.5], [0, 1, 1, 0], [0.5, 1.5, 1.5, 0.5]];
  return {
    ...colours, font, em,
    hatch: pattern(context, size, colours["wait-ground"], colours.wait, slants),
    stripes: pattern(context, size, colours.ground, colours.bad, [[0.25, 0, 0.25, 1]]),
  };
}

/** One bar of a shape, in a lane whose full bars are `height` high. */
function bar(context, shape, x, y, width, height) {
  const thin = Math.max(2, Math.round(height * 0.3));
  if (shape === "full" || shape === "hatch" || shape === "stripes") context.fillRect(x, y, width, height);
  else if (shape === "thin") context.fillRect(x, y + (height - thin) / 2, width, thin);
  else if (shape === "half") context.fillRect(x, y + height / 2, width, height / 2);
  else if (shape === "double") { context.fillRect(x, y + height * 0.15, width, thin * 0.75); context.fillRect(x, y + height * 0.85 - thin * 0.75, width, thin * 0.75); }
  else if (shape === "outline") context.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, width - 1.5), height - 1.5);
}

function paint(context, look, { shape, token }) {
  context.fillStyle = shape === "hatch" ? look.hatch : shape === "stripes" ? look.stripes : look[token];
  context.strokeStyle = look[token];
  context.lineWidth = 1.5;
  context.setLineDash(shape === "outline" ? [1.5, 2.5] : []);
}

/** How a state looks, for the legend. */
export function drawSample(context, look, kind, width, height) {
  paint(context, look, kind);
  bar(context, kind.shape, 0, 0, width, height);
  if (kind.shape === "hatch") outline(context, look.wait, [0, 0, width, height]);
}

/** A line around each hatched bar that is wide enough to show its hatching. */
function outlines(context, look, list, height) {
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 0; i < list.length; i += 3) {
    if (list[i + 2] > look.em * 0.4) context.rect(list[i] + 0.5, list[i + 1] + 0.5, list[i + 2] - 1, height - 1);
  }
  context.stroke();
}

function outline(context, colour, [x, y, width, height]) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.strokeRect(x + 0.5, y + 0.5, Math.max(0, width - 1), height - 1);
}

/** A message: it comes from above into its bar, and goes out below. */
function arrow(context, x, y, size) {
  context.moveTo(x - size, y);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size * 1.3);
}

/** The legend's sample of a message that came and one that went. */
export function drawArrows(context, look, width, height) {
  const size = height * 0.3;
  for (const [token, at] of [["receive", 0.25], ["send", 0.75]]) {
    context.fillStyle = look[token];
    context.beginPath();
    arrow(context, width * at, at < 0.5 ? 0 : height - size * 1.3, size);
    context.fill();
  }
}

function sign(context, look, { sign: name, token }, x, y, height) {
  const r = height * 0.3;
  const middle = y + height / 2;
  context.strokeStyle = look[token];
  context.lineWidth = 2;
  context.setLineDash([]);
  context.beginPath();
  if (name === "bar") { context.moveTo(x, y); context.lineTo(x, y + height); }
  else { context.moveTo(x - r, middle - r); context.lineTo(x + r, middle + r); context.moveTo(x - r, middle + r); context.lineTo(x + r, middle - r); }
  context.stroke();
}

/** Where things are: the lanes' names at the left, time from `from` to `to` at the right of them. */
export function placeOf({ width, em, from, to }) {
  const gutter = Math.round(Math.min(GUTTER * em, MOST_GUTTER * width));
  const scale = (width - gutter) / (to - from);
  return { gutter, line: Math.round(LINE * em), axis: Math.round(AXIS * em), scale, xOf: (time) => gutter + (time - from) * scale, timeAt: (x) => from + (x - gutter) / scale };
}

/** The grid stands still: its lines lie a round time before the end of the view. */
function drawGrid(context, look, place, { width, height, from, to, isLive, words }) {
  const step = gridStep(to - from, width - place.gutter, (isLive ? 5 : 7) * look.em);
  context.fillStyle = look.quiet;
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.textAlign = "center";
  context.beginPath();
  for (let back = step; back < to - from; back += step) {
    const x = Math.round(place.xOf(to - back)) + 0.5;
    context.moveTo(x, place.axis - 4);
    context.lineTo(x, height);
    const text = isLive ? backText(back, step, words) : clock(to - back).slice(0, step < 1 ? -2 : -4);
    if (x - place.gutter > look.em * 2) context.fillText(text, x, place.axis / 2);
  }
  context.moveTo(place.gutter - 0.5, 0);
  context.lineTo(place.gutter - 0.5, height);
  context.stroke();
  context.textAlign = "left";
}

/** The bars of all lanes in sight, sorted by how they look: a canvas is slow at changing its colour. */
function collect(lanes, place, { from, to }, yOf) {
  const [bars, signs] = [new Map(), []];
  lanes.forEach((lane, i) => eachBar(lane, from, to, (state, begin, end) => {
    const kind = kindOf(state);
    const x = place.xOf(begin);
    if (kind.shape === "none") { if (kind.sign && begin > from) signs.push([kind, x, yOf(i)]); return; }
    const width = Math.max(1, place.xOf(end) - x);
    if (!bars.has(kind)) bars.set(kind, []);
    bars.get(kind).push(x, yOf(i), width);
  }));
  return { bars, signs };
}

function drawBars(context, look, { bars, signs }, height) {
  for (const [kind, list] of bars) {
    paint(context, look, kind);
    for (let i = 0; i < list.length; i += 3) bar(context, kind.shape, list[i], list[i + 1], list[i + 2], height);
    if (kind.shape === "hatch") outlines(context, look, list, height);
  }
  for (const [kind, x, y] of signs) sign(context, look, kind, x, y, height);
}

/** Whom the accept loop serves itself, on the bars of that time. */
function drawServed(context, look, loop, place, { from, to }, middle) {
  const height = Math.round(look.em * 1.15);
  context.font = `bold ${Math.round(look.em * 0.85)}px ${look.font}`;
  context.textAlign = "center";
  eachState(loop, from, to, (state, begin, end) => {
    const [x, width] = [place.xOf((begin + end) / 2), (end - begin) * place.scale];
    const half = context.measureText(`#${servedBy(state)}`).width / 2 + look.em * 0.35;
    if (servedBy(state) === null || width < 3 * half) return;
    context.fillStyle = look.ground;
    context.fillRect(x - half, middle - height / 2, 2 * half, height);
    outline(context, look.edge, [Math.round(x - half), Math.round(middle - height / 2), Math.round(2 * half), height]);
    context.fillStyle = look.text;
    context.fillText(`#${servedBy(state)}`, x, middle + 0.5);
  });
  context.textAlign = "left";
}

/** One arrow for all messages that would lie on each other. */
function drawMessages(context, look, lanes, place, { from, to }, yOf, height) {
  const size = Math.max(2.5, look.em * 0.24);
  for (const [token, column] of [["receive", 1], ["send", 2]]) {
    context.fillStyle = look[token];
    context.beginPath();
    lanes.forEach((lane, i) => {
      let last = -Infinity;
      for (const mark of lane.marks) {
        if (!mark[column] || mark[0] < from || mark[0] > to) continue;
        const x = place.xOf(mark[0]);
        if (x - last < size * 1.5) continue;
        last = x;
        arrow(context, x, column === 1 ? yOf(i) - size * 1.3 - 1 : yOf(i) + height + 1, size);
      }
    });
    context.fill();
  }
}

function drawNames(context, look, lanes, place, { thread, words, now }, yOf) {
  for (const [i, lane] of lanes.entries()) {
    const isEnded = kindOf(lane.states.at(-1)?.[1] ?? "running").shape === "none";
    context.font = `${lane.kind === "loop" ? "bold " : lane.kind === "backlog" ? "italic " : ""}${look.em}px ${look.font}`;
    context.fillStyle = isEnded || lane.kind === "backlog" ? look.quiet : look.text;
    const label = labelOf(lane, thread, words);
    const key = `${label}/${place.gutter}/${context.font}`;
    if (lane.fittedFor !== key) Object.assign(lane, { fittedFor: key, fitted: fitted(label, place.gutter - look.em, (text) => context.measureText(text).width) });
    context.globalAlpha = isEnded ? Math.max(0.45, 1 - (now - lane.states.at(-1)[0]) / 20) : 1;
    context.fillText(lane.fitted, look.em * 0.4, yOf(i));
  }
  context.globalAlpha = 1;
}

/**
 * Draws `scene`: {width, height, em, from, to, now, isLive, lanes, top, chosen, thread, words}; `chosen` is the index of a lane, or -1.
 * Bars end at the present. Returns how many lanes are in sight.
 */
export function drawScene(context, look, scene) {
  const place = placeOf(scene);
  const { width, height, lanes, top, now } = scene;
  const [first, end] = inSight(lanes.length, top, height - place.axis, place.line);
  const shown = lanes.slice(first, end);
  const barHeight = Math.round(place.line * 0.5);
  const lineOf = (i) => place.axis + (first + i) * place.line - top;
  const yOf = (i) => Math.round(lineOf(i) + (place.line - barHeight) / 2);
  const times = { from: scene.from, to: Math.min(scene.to, now) };
  context.fillStyle = look.ground;
  context.fillRect(0, 0, width, height);
  context.textBaseline = "middle";
  context.font = `${Math.round(look.em * 0.9)}px ${look.font}`;
  if (scene.chosen >= first && scene.chosen < end) drawChosen(context, look, place, width, lineOf(scene.chosen - first));
  drawGrid(context, look, place, scene);
  context.save();
  context.beginPath();
  context.rect(0, place.axis, width, height - place.axis);
  context.clip();
  drawNames(context, look, shown, place, scene, (i) => lineOf(i) + place.line / 2);
  context.beginPath();
  context.rect(place.gutter, place.axis, width - place.gutter, height - place.axis);
  context.clip();
  drawBars(context, look, collect(shown, place, times, yOf), barHeight);
  drawMessages(context, look, shown, place, times, yOf, barHeight);
  if (shown[0]?.kind === "loop") drawServed(context, look, shown[0], place, times, lineOf(0) + place.line / 2);
  context.restore();
  return shown.length;
}

/** The chosen lane; nothing of it above `axis`. */
function drawChosen(context, look, { axis, line }, width, y) {
  const top = Math.max(axis, y);
  context.fillStyle = look.chosen;
  context.fillRect(0, top, width, y + line - top);
  context.fillStyle = look.accent;
  context.fillRect(0, top, Math.max(3, look.em * 0.25), y + line - top);
}
