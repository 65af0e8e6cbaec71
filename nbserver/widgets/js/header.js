// The head of the board: which server this is, how it is, how much goes through it, and what can be done with all of it.
import { makeBrowserLink } from "./browser.js";
import { attribute, attributes, h, svg, text } from "./dom.js";
import { makeFaultBadge } from "./faults.js";
import { bytes, count, sparkPoints } from "./format.js";
import { glyph } from "./icons.js";
import { makeKeys } from "./keys.js";
import { makeLimits } from "./limits.js";
import { isPresenting, setPresenting } from "./presenting.js";
import { makeReach } from "./reach.js";
import { makeRules } from "./rules.js";
import { ratesOf } from "./store.js";

const [WIDTH, HEIGHT] = [120, 24];

const CORNERS = "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4";

function makeSpark() {
  const line = svg("polyline", { class: "nbs-sparkline" });
  const area = svg("polygon", { class: "nbs-sparkarea" });
  const word = h("span", { class: "nbs-rate" });
  const drawing = svg("svg", { viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: "none", "aria-hidden": "true" }, area, line);
  const element = h("div", { class: "nbs-spark" }, drawing, word);
  return {
    element,
    show(totals, now, words) {
      const rates = ratesOf(totals, now);
      const points = sparkPoints(rates, WIDTH, HEIGHT);
      attribute(line, "points", points);
      attribute(area, "points", `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
      const recent = rates.slice(-2).reduce((sum, rate) => sum + rate, 0) / 2;
      text(word, words("rate", { rate: count(Math.round(recent)) }));
      attribute(element, "title", words("rateTitle"));
    },
  };
}

function makeCounters() {
  const names = ["open", "waiting", "in", "out", "errors"];
  const numbers = names.map(() => h("b"));
  const labels = names.map(() => h("span"));
  const items = names.map((name, i) => h("span", { class: `nbs-counter is-${name}` }, numbers[i], " ", labels[i]));
  return {
    element: h("div", { class: "nbs-counters" }, ...items),
    show(counts, words) {
      names.forEach((name, i) => {
        text(numbers[i], count(counts[name]));
        text(labels[i], words(name === "errors" && counts[name] === 1 ? "oneError" : name));
        items[i].classList.toggle("is-zero", counts[name] === 0);
      });
      attribute(items[2], "title", bytes(counts.bytes_in));
      attribute(items[3], "title", bytes(counts.bytes_out));
    },
  };
}

function makeButtons(hub) {
  const { desk, settings } = hub;
  const button = (name, onClick, ...content) => h("button", { class: `nbs-button is-${name}`, type: "button", onClick }, ...content);
  const [add, stop] = [h("span"), h("span")];
  const buttons = {
    smaller: button("smaller", () => settings.step(-1), "A−"),
    larger: button("larger", () => settings.step(1), "A+"),
    language: button("language", () => settings.toggleLanguage()),
    present: button("present", ({ currentTarget }) => { setPresenting(currentTarget, !isPresenting(currentTarget)); desk.set({}); }, glyph(CORNERS)),
    addClient: button("add", () => desk.act({ do: "add_client" }), h("span", { "aria-hidden": "true" }, "+ "), add),
    stop: button("stop", () => desk.act({ do: "stop" }), h("span", { "aria-hidden": "true" }, "■ "), stop),
  };
  return {
    element: h("div", { class: "nbs-buttons" }, h("span", { class: "nbs-joined" }, buttons.smaller, buttons.larger), buttons.language, buttons.present, buttons.addClient, buttons.stop),
    show(isServing, words) {
      for (const name of ["smaller", "larger", "addClient", "stop"]) attributes(buttons[name], { "aria-label": words(name), title: words(name) });
      attributes(buttons.language, { "aria-label": words("languageName"), title: words("languageName") });
      text(buttons.language, words("language"));
      const isFull = isPresenting(buttons.present);
      attributes(buttons.present, { "aria-label": words("present"), title: words("present"), "aria-pressed": String(isFull) });
      text(add, words("addClientShort"));
      text(stop, words("stopShort"));
      for (const name of ["addClient", "stop"]) buttons[name].disabled = !isServing;
    },
  };
}

export function makeHeader(hub) {
  const [dot, state, address, kind, thread] = ["dot", "serverstate", "address", "kind", "thread"].map((name) => h("span", { class: `nbs-${name}` }));
  const [spark, counters, buttons] = [makeSpark(), makeCounters(), makeButtons(hub)];
  const [reach, limits, rules, keys, link] = [makeReach(hub), makeLimits(hub), makeRules(hub), makeKeys(hub), makeBrowserLink()];
  const faults = makeFaultBadge(hub);
  const identity = h("div", { class: "nbs-identity" }, h("div", { class: "nbs-who" }, dot, address, state), h("div", { class: "nbs-how" }, kind, thread));
  const facts = h("div", { class: "nbs-facts" }, faults.element, reach.button, limits.button, rules.button, keys.button, link.element);
  const element = h("div", { class: "nbs-header" }, identity, spark.element, counters.element, buttons.element, facts);
  return {
    elements: [element, reach.panel, limits.panel, rules.panel, keys.panel],
    show(server, words) {
      attribute(element, "data-state", server.state);
      text(address, server.address);
      attribute(address, "title", server.cell ? words("cell", { cell: server.cell }) : null);
      text(state, words(`server.${server.state}`));
      text(kind, server.kind);
      text(thread, server.thread ?? "");
      attribute(thread, "title", words("acceptThread"));
      attribute(spark.element, "hidden", server.state !== "serving");
      spark.show(hub.store.totals, hub.store.now(), words);
      counters.show(hub.store.counts, words);
      reach.show(server, words);
      limits.show(server.limits, words);
      rules.show(hub.store.rules, words);
      keys.show(words);
      faults.show(server, words);
      link.show(server, words);
      buttons.show(server.state === "new" || server.state === "serving", words);
    },
  };
}
