// A loop as a ring of three steps: the step where it is now is lit, with a sign, and the sign goes round as the loop turns.
import { attribute, attributes, svg, text } from "./dom.js";

const STEP = 120; // degrees between two steps, clockwise; the first is at the top
const GAP = 14; // degrees free between two arcs
const MOST_TURNS = 2; // that the sign goes round for one drawing, however many there were

const at = (radius, degrees) => {
  const angle = ((degrees - 90) * Math.PI) / 180;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
};
const point = (radius, degrees) => at(radius, degrees).map((value) => value.toFixed(1)).join(" ");

/** How far the sign goes on from `angle`, clockwise, to step `to` with `turns` more turns than before. */
export function onward(angle, to, turns) {
  const way = (((to * STEP - angle) % 360) + 360) % 360;
  const extra = way === 0 ? Math.min(turns, MOST_TURNS) : Math.min(Math.max(0, turns - 1), MOST_TURNS);
  return angle + way + extra * 360;
}

/** An arc around step `index`, and the head of an arrow at its end. */
function arc(radius, index) {
  const [from, to] = [index * STEP - STEP / 2 + GAP / 2, index * STEP + STEP / 2 - GAP / 2];
  const back = to - 500 / radius; // so far behind the tip that the head is as long in any ring
  return svg("g", { class: "nbs-arc" }, svg("path", { d: `M${point(radius, from)}A${radius} ${radius} 0 0 1 ${point(radius, to)}` }),
    svg("path", { class: "nbs-archead", d: `M${point(radius - 8, back)}L${point(radius, to)}L${point(radius + 8, back)}` }));
}

/** Where the name of step `index` stands: outside the ring, away from its middle. */
function label(radius, index) {
  const [x, y] = at(radius + 16, index * STEP);
  return svg("text", { x: x.toFixed(1), y: (y + (index ? 5 : 0)).toFixed(1), "text-anchor": ["middle", "start", "end"][index] });
}

/** A ring around the middle of its picture, in which it has two lines of text. */
export function makeRing(radius, kind) {
  const arcs = [0, 1, 2].map((index) => arc(radius, index));
  const names = [0, 1, 2].map((index) => label(radius, index));
  const [turn, word] = [svg("text", { y: -2, "text-anchor": "middle", class: "nbs-turn" }), svg("text", { y: 18, "text-anchor": "middle" })];
  const sign = svg("g", { class: "nbs-ringsign" }, svg("circle", { cy: -radius, r: 9 }), svg("path", { d: `M-3 ${-radius - 4.5}L5 ${-radius}L-3 ${-radius + 4.5}z` }));
  let [angle, shown] = [null, 0];
  return {
    element: svg("g", { class: `nbs-ring is-${kind}` }, ...arcs, ...names, sign),
    middle: svg("g", {}, turn, word),
    /** `step`: 0 to 2, or -1 while it stands nowhere. */
    show({ step, steps, turns, state, turnWords, doing }) {
      steps.forEach((name, index) => {
        text(names[index], index === step ? `▶ ${name}` : name);
        for (const element of [arcs[index], names[index]]) attribute(element, "data-lit", index === step);
      });
      attribute(this.element, "data-state", state);
      attribute(sign, "hidden", step < 0);
      if (step >= 0) angle = angle === null ? step * STEP : onward(angle, step, turns - shown);
      shown = turns;
      attributes(sign, { style: `transform: rotate(${angle ?? 0}deg)` });
      text(turn, turnWords);
      text(word, doing);
    },
  };
}
