// The line above the list: which rows to show, what to look for, and whether the order is old.
import { attribute, attributes, h, text } from "./dom.js";
import { makeFind } from "./finding.js";
import { FILTERS } from "./store.js";

function makeChips(desk) {
  const chips = Object.keys(FILTERS).map((name) => {
    const [long, short, number] = [h("span", { class: "nbs-long" }), h("span", { class: "nbs-short" }), h("b")];
    const element = h("button", { class: `nbs-filter is-${name}`, type: "button", onClick: () => desk.set({ filter: name }) }, long, short, " ", number);
    return { name, long, short, number, element };
  });
  const element = h("div", { class: "nbs-chips", role: "group" }, ...chips.map((chip) => chip.element));
  return {
    element,
    show(counts, words) {
      attribute(element, "aria-label", words("filters"));
      for (const { name, long, short, number, element: chip } of chips) {
        const word = words(`filter.${name}`);
        text(long, word);
        text(short, name === "waiting" ? words("short.filter") : word);
        text(number, String(counts[name]));
        attributes(chip, { "aria-label": `${word} ${counts[name]}`, "aria-pressed": String(desk.filter === name) });
        chip.classList.toggle("is-zero", counts[name] === 0);
      }
    },
  };
}

/** `onFound()`: the person goes on to the rows; `onSort()`: the order is to be brought up to date. */
export function makeFilters(hub, { onFound, onSort }) {
  const chips = makeChips(hub.desk);
  const find = makeFind(hub, { onLeave: onFound });
  const again = h("button", { class: "nbs-again", type: "button", hidden: true, onClick: onSort });
  return {
    element: h("div", { class: "nbs-filters" }, chips.element, h("div", { class: "nbs-finder" }, ...find.elements, again)),
    focusFind: find.focus,
    show({ counts, rows, isOld }, words) {
      chips.show(counts, words);
      find.show(rows.length, words);
      attributes(again, { hidden: !isOld, title: words("sortAgainTitle") });
      text(again, words("sortAgain"));
    },
  };
}
