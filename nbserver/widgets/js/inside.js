// What can be seen inside a server: one view at a time at the foot of a board, behind tabs; or each alone, in a cell of its own.
import { makeChain } from "./chain.js";
import { makeClasses } from "./classes.js";
import { makeFaults } from "./faults.js";
import { makeInspector } from "./inspector.js";
import { makeLoops } from "./loops.js";
import { makeRuler } from "./ruler.js";
import { makeShared } from "./shared.js";
import { makeWaits } from "./waits.js";
import { attribute, attributes, h, text } from "./dom.js";
import { makeRoot } from "./root.js";

/** The views, by the names that the kernel knows (`looks.py`), in the order of their tabs, and the words on them. */
const VIEWS = [
  ["chain", makeChain, "inside.chain"],
  ["loops", makeLoops, "inside.loops"],
  ["waits", makeWaits, "inside.waits"],
  ["ruler", makeRuler, "inside.ruler"],
  ["inspector", makeInspector, "inside.inspector"],
  ["classes", makeClasses, "inside.classes"],
  ["faults", makeFaults, "inside.faults"],
  ["shared", makeShared, "inside.shared"],
];

let made = 0;

/** The tabs at the foot of a board. Which one is open is kept on the desk: all views of a hub show the same. */
export function makeInsidePart(hub, signal, actions) {
  const { desk } = hub;
  const part = ++made;
  const panels = new Map(); // made when they are opened first

  const isOpen = (name) => desk.inside === name;
  const tabs = VIEWS.map(([name]) => h("button", {
    class: "nbs-tab", type: "button", role: "tab", id: `nbs-tab-${part}-${name}`, "aria-controls": `nbs-inside-${part}`,
    onClick: () => desk.set({ inside: isOpen(name) ? "" : name }),
  }));
  const strip = h("div", { class: "nbs-tabs", role: "tablist", onKeydown: onKey }, ...tabs);
  const place = h("div", { class: "nbs-inside", role: "tabpanel", id: `nbs-inside-${part}`, hidden: true });

  /** As in any strip of tabs: the arrows go along it, Enter and the blank open or close. */
  function onKey(event) {
    const at = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    tabs[(next + tabs.length) % tabs.length].focus();
  }

  function panelOf(name) {
    const [, make] = VIEWS.find(([known]) => known === name);
    if (!panels.has(name)) panels.set(name, make(hub, signal, actions));
    return panels.get(name);
  }

  return {
    element: h("section", { class: "nbs-insidepart" }, strip, place),
    show(words) {
      attribute(strip, "aria-label", words("inside"));
      const reached = VIEWS.findIndex(([name]) => isOpen(name));
      tabs.forEach((tab, i) => {
        text(tab, words(VIEWS[i][2]));
        attributes(tab, { "aria-selected": String(i === reached), tabindex: i === Math.max(0, reached) ? "0" : "-1" });
      });
      attributes(place, { hidden: reached < 0, "aria-labelledby": reached < 0 ? null : tabs[reached].id });
      for (const [name, panel] of panels) if (!isOpen(name)) panel.close();
      if (reached < 0) { place.replaceChildren(); return; }
      const panel = panelOf(desk.inside);
      if (place.firstChild !== panel.element) place.replaceChildren(panel.element);
      panel.show(words);
    },
  };
}

/** Each of them as a view of its own: name → view. */
export function insideViews(hub) {
  const view = ([name, make, word]) => [name, ({ el, signal }) => {
    const panel = make(hub, signal, { onSelect: (id) => hub.desk.select(id, "one", []) });
    makeRoot(hub, el, signal, [h("div", { class: "nbs-main" }, panel.element)], (words) => {
      panel.show(words);
      return words("insideOf", { view: words(word), address: hub.store.server?.address ?? panel.name?.() ?? "" });
    });
    return panel.close;
  }];
  return Object.fromEntries(VIEWS.map(view));
}
