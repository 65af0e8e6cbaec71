// The two loops of a server: the connection loop, and the communication loop of the selected connection, as rings that turn.
import { attribute, attributes, h, svg, text } from "./dom.js";
import { count } from "./format.js";
import { makeLook } from "./look.js";
import { makeRing } from "./ring.js";
import { spent } from "./waitwords.js";

const OUTER = { two: ["select", "accept", "handOver"], one: ["select", "accept", "handle"], datagram: ["select", "receive", "handle"] };
const INNER = ["recv", "think", "send"];
const PLACES = { select: 0, accept: 1, handle: 2 };

/** Where the connection loop is: its step, 0 to 2, or -1. */
const outerStep = (outer) => PLACES[outer.step] ?? -1;
const innerStep = (inner) => INNER.indexOf(inner?.step ?? "");

/** What the connection loop does, in words. */
function outerWords(outer, now, words) {
  if (outer.state === "held") return words("lane.held");
  if (outer.state === "selecting") return words("loops.selecting", { time: spent(now - outer.since) });
  if (outer.serving) return words("loops.serving", { id: outer.serving, time: spent(now - outer.since) });
  return words(outer.step === "ended" ? "lane.ended" : outer.step === "accept" ? "loops.accepting" : `lane.${outer.state}`);
}

/** What the communication loop does, in words. */
function innerWords(inner, now, words) {
  const time = spent(now - inner.since);
  if (inner.step === "over") return words("loops.over", { state: words(`state.${inner.state}`) });
  if (inner.why === "person") return words("waits.person", { who: words("waits.handler", { number: inner.id }), time });
  if (inner.why === "held") return words("waits.held", { call: inner.call, time });
  return words(`loops.${inner.step}`, { time, call: inner.call || "recv" });
}

/** A loop's name, what it does, and its line. */
function makeCard() {
  const [title, thread, what, code, where] = [h("strong"), h("span", { class: "nbs-wthread" }), h("div", { class: "nbs-wwhat" }), h("code"), h("span", { class: "nbs-wwhere" })];
  const line = h("div", { class: "nbs-wline" }, code, where);
  return {
    element: h("div", { class: "nbs-loopcard" }, h("div", { class: "nbs-whead" }, title, thread), what, line),
    show({ name, part, said }, words) {
      text(title, name);
      text(thread, part.thread);
      text(what, said);
      attribute(line, "hidden", !part.line);
      if (!part.line) return;
      text(code, part.line[2]);
      text(where, words("waits.line", { where: part.line[0], number: part.line[1] }));
    },
  };
}

/** A picture of its own, with the middle of a ring at 0 0. */
const picture = (size, ...parts) => svg("svg", { class: "nbs-loopring", viewBox: `${-size[0] / 2} ${-size[1] / 2} ${size[0]} ${size[1]}`, style: `width: ${size[0] / 14}em`, role: "img" }, ...parts);

/** Nothing is asked for before `show`. */
export function makeLoops(hub, signal) {
  const look = makeLook(hub.store, "loops");
  const said = h("div", { class: "nbs-loopsaid", role: "status" });
  const cards = [makeCard(), makeCard()];
  const place = h("div", { class: "nbs-loopplace" });
  const element = h("div", { class: "nbs-loops" }, said, place);
  let last = null; // what was told of the connection that was selected before: until it is told anew
  let [shape, rings, pictures] = ["", [], []];

  /** One thread does both: the inner ring is inside the outer one. Otherwise they stand side by side. */
  function build(next) {
    shape = next;
    rings = shape === "one" ? [makeRing(150, "outer"), makeRing(62, "inner")] : [makeRing(80, "outer"), makeRing(80, "inner")];
    if (shape === "one") pictures = [picture([500, 370], rings[0].element, rings[1].element, rings[1].middle)];
    else pictures = rings.map((ring) => picture([330, 220], ring.element, ring.middle));
    const arrow = svg("svg", { class: "nbs-warrow", viewBox: "0 0 100 24", "aria-hidden": "true" }, svg("path", { d: "M2 12h94M88 6l8 6-8 6" }));
    if (shape === "one") place.replaceChildren(pictures[0], h("div", { class: "nbs-loopcards" }, cards[0].element, cards[1].element));
    else place.replaceChildren(h("div", {}, pictures[0], cards[0].element), ...(shape === "two" ? [arrow, h("div", {}, pictures[1], cards[1].element)] : []));
    attribute(place, "data-shape", shape);
  }

  function show(words) {
    const seen = look.of(hub.desk.selected) ?? last;
    last = seen;
    attribute(element, "hidden", !seen);
    if (!seen) return;
    if (seen.shape !== shape) build(seen.shape);
    const { outer, inner } = seen;
    const now = hub.store.now();
    const isStill = shape === "one" && outer.serving > 0;
    const [does, speaks] = [outerWords(outer, now, words), inner ? innerWords(inner, now, words) : words("loops.none")];
    const names = [words("loops.connection"), inner ? words("loops.communication", { id: inner.id }) : words("loops.communicationLoop")];
    const turns = (number) => words("loops.turn", { count: count(number) });
    rings[0].show({ step: outerStep(outer), steps: OUTER[shape].map((step) => words(`loops.step.${step}`)), turns: outer.turns, state: isStill ? "still" : outer.state, turnWords: turns(outer.turns), doing: "" });
    rings[1].show({ step: innerStep(inner), steps: INNER.map((step) => words(`loops.step.${step}`)), turns: inner?.turns ?? 0, state: inner?.why === "person" ? "waiting" : inner?.step ?? "none", turnWords: inner ? turns(inner.turns) : "", doing: inner ? `#${inner.id}` : "" });
    const both = [`${names[0]}, ${turns(outer.turns)}: ${does}`, `${names[1]}, ${turns(inner?.turns ?? 0)}: ${speaks}`];
    pictures.forEach((one, i) => attributes(one, { "aria-label": pictures.length > 1 ? both[i] : both.join(". ") }));
    cards[0].show({ name: `${names[0]} · ${turns(outer.turns)}`, part: outer, said: does }, words);
    cards[1].show({ name: inner ? `${names[1]} · ${turns(inner.turns)}` : names[1], part: inner ?? { thread: "", line: null }, said: speaks }, words);
    const queued = outer.backlog ? ` ${words(outer.backlog > 1 ? "loops.queued" : "loops.oneQueued", { count: outer.backlog })}` : "";
    text(said, (isStill ? words("loops.still") : words(`loops.${shape}`)) + queued);
    attribute(said, "data-still", isStill);
  }

  return { element, show, close: look.close };
}
