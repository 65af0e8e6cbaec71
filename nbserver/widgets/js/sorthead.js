// The head of the list: a click on a column's name sorts by it, up, down, and back to the order of numbers.
import { attribute, attributes, h, text } from "./dom.js";
import { BY_NUMBER, nextSort } from "./order.js";
import { COLUMNS } from "./row.js";

export function makeSortHead(desk) {
  const buttons = COLUMNS.map((column) => h("button", { class: "nbs-sort", type: "button", onClick: () => desk.set({ sort: nextSort(desk.sort, column) }) }));
  const cells = COLUMNS.map((column, i) => h("div", { class: `nbs-cell is-${column}`, role: "columnheader" }, buttons[i]));
  const element = h("div", { class: "nbs-line", role: "row", "aria-rowindex": "1" }, ...cells);

  // One stop for the Tab key; arrows lead from column to column, past those that there is no room for.
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const shown = buttons.filter((button) => button.offsetParent);
    shown[shown.indexOf(document.activeElement) + step]?.focus();
  });
  return {
    element,
    show(words) {
      const { column: sorted, isDown } = desk.sort;
      COLUMNS.forEach((column, i) => {
        text(buttons[i], words(`column.${column}`));
        const isShown = column === sorted && desk.sort !== BY_NUMBER;
        attribute(cells[i], "aria-sort", column === sorted ? (isDown ? "descending" : "ascending") : "none");
        attributes(buttons[i], { title: words("sortBy", { column: words(`column.${column}`) }), tabindex: column === sorted ? "0" : "-1" });
        buttons[i].classList.toggle("is-sorted", isShown);
      });
    },
  };
}
