// A grid of any length with only its visible rows in the page. Rows have their own heights and are keyed by their numbers;
// the element that holds the focus is never moved, because moving it would take the focus from the box in it.
import { attribute, h } from "./dom.js";
import { howOf } from "./selection.js";

const OVERSCAN = 120; // pixels above and below that are drawn too, so that quick scrolling shows no holes
let lists = 0;

/** Where each row begins, and at the end where the last one ends. */
export function offsetsOf(rows, heightOf) {
  const offsets = new Float64Array(rows.length + 1);
  rows.forEach((row, i) => { offsets[i + 1] = offsets[i] + heightOf(row); });
  return offsets;
}

/** The row at a height: the last one that begins at or above it. */
export function rowAt(offsets, y) {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= y) low = middle; else high = middle - 1;
  }
  return Math.max(0, low);
}

/** Where a key leads in a list of `length` rows with `page` of them in sight. */
export function moveTo(key, at, length, page) {
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: length - 1, PageDown: at + page, PageUp: at - page }[key];
  return target === undefined ? undefined : Math.max(0, Math.min(length - 1, target));
}

/** Puts elements into their order by moving those that are not in it, but never the one that holds the focus. */
export function putInOrder(parent, elements) {
  const fixed = Math.max(0, elements.findIndex((element) => element.contains(document.activeElement)));
  if (!elements.length) return;
  if (!elements[fixed].contains(document.activeElement) && parent.firstElementChild !== elements[fixed]) parent.prepend(elements[fixed]);
  for (let i = fixed + 1; i < elements.length; i++) if (elements[i - 1].nextElementSibling !== elements[i]) elements[i - 1].after(elements[i]);
  for (let i = fixed - 1; i >= 0; i--) if (elements[i + 1].previousElementSibling !== elements[i]) elements[i + 1].before(elements[i]);
}

/**
 * `heightOf(row)` in em, `makeRow(id)` → {element, fill(row, isSelected), focusBox()}, `isChosen(id)`, `onSelect(id, how)` (see selection.js),
 * `onOpen(id)`, `onLeave()`: the pointer has left the rows. The header is the grid's first row.
 */
export function makeList({ header, heightOf, makeRow, isChosen, onSelect, onOpen, onLeave, signal }) {
  const uid = `nbs-list-${++lists}`;
  const probe = h("span", { class: "nbs-probe", "aria-hidden": "true" });
  const pad = h("div", { class: "nbs-pad", role: "rowgroup" });
  const grid = h("div", { class: "nbs-grid", role: "grid", tabindex: "0", "aria-multiselectable": "true" }, h("div", { class: "nbs-gridhead", role: "rowgroup" }, header), pad);
  grid.append(probe);
  const made = new Map(); // id → what makeRow gave
  let [rows, selected, offsets, em, view] = [[], null, new Float64Array(1), 14, 300];

  const indexOf = (id) => rows.findIndex((row) => row.id === id);

  function insert(id) {
    const row = makeRow(id);
    row.element.id = `${uid}-${id}`;
    row.element.addEventListener("mousedown", (event) => click(event, id));
    row.element.addEventListener("focusin", () => onSelect(id, "visit"));
    row.element.dataset.id = id;
    pad.append(row.element);
    made.set(id, row);
    return row;
  }

  function click(event, id) {
    if (event.button !== 0 || event.target.closest("input, textarea, button")) return; // a box selects when it gets the focus
    if (event.shiftKey) event.preventDefault(); // which would mark the text between
    onSelect(id, howOf(event));
    if (event.shiftKey) focus();
  }

  function place(index) {
    const row = rows[index];
    const shown = made.get(row.id) ?? insert(row.id);
    shown.element.style.transform = `translateY(${offsets[index]}px)`;
    shown.element.style.height = `${offsets[index + 1] - offsets[index]}px`;
    attribute(shown.element, "aria-rowindex", index + 2);
    shown.element.classList.toggle("is-current", row.id === selected);
    shown.fill(row, isChosen(row.id));
    return shown.element;
  }

  function draw() {
    const first = rowAt(offsets, grid.scrollTop - OVERSCAN);
    const end = rows.length ? rowAt(offsets, grid.scrollTop + view + OVERSCAN) + 1 : 0;
    const shown = new Map();
    for (let index = first; index < end; index++) shown.set(rows[index].id, place(index));
    let order = [...shown.values()];
    for (const [id, row] of made) {
      if (shown.has(id)) continue;
      const index = row.element.contains(document.activeElement) ? indexOf(id) : -1;
      if (index >= 0) { // the person types in it: it stays, out of sight
        order = index < first ? [place(index), ...order] : [...order, place(index)];
        continue;
      }
      made.delete(id);
      row.element.remove();
    }
    putInOrder(pad, order);
    attribute(grid, "aria-activedescendant", made.has(selected) ? `${uid}-${selected}` : null);
  }

  /** The row that must not move on the screen when rows above it change: the one typed in, else the first in sight. */
  function anchor() {
    const focused = [...made].find(([, row]) => row.element.contains(document.activeElement))?.[0];
    const id = focused ?? (grid.scrollTop > 0 ? rows[rowAt(offsets, grid.scrollTop)]?.id : undefined);
    const index = id === undefined ? -1 : indexOf(id);
    return index < 0 ? undefined : { id, y: offsets[index] - grid.scrollTop };
  }

  function update(next, nextSelected) {
    const fixed = anchor();
    [rows, selected] = [next, nextSelected];
    offsets = offsetsOf(rows, (row) => Math.round(heightOf(row) * em));
    pad.style.height = `${offsets[rows.length]}px`;
    attribute(grid, "aria-rowcount", rows.length + 1);
    const index = fixed ? indexOf(fixed.id) : -1;
    const top = index < 0 ? grid.scrollTop : Math.max(0, offsets[index] - fixed.y);
    if (Math.abs(top - grid.scrollTop) > 1) grid.scrollTop = top;
    draw();
  }

  /** Scrolls just as far as needed to bring a row into sight, and draws it. */
  function reveal(id) {
    const index = indexOf(id);
    if (index < 0) return undefined;
    if (offsets[index] < grid.scrollTop) grid.scrollTop = offsets[index];
    else if (offsets[index + 1] > grid.scrollTop + view) grid.scrollTop = offsets[index + 1] - view;
    draw();
    return made.get(id);
  }

  function go(id, how) {
    onSelect(id, how);
    reveal(id);
  }

  function otherKey(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") return () => onSelect(selected, "all");
    if (selected === null || event.altKey) return undefined;
    return { Enter: () => onOpen(selected), " ": () => go(selected, "toggle") }[event.key];
  }

  const focus = () => grid.focus({ preventScroll: true });
  /** Whether a person has a hand on the rows: the pointer is over them, or the focus is among them. */
  const isHeld = () => document.activeElement === grid || pad.contains(document.activeElement) || pad.matches(":hover");

  grid.addEventListener("scroll", draw, { passive: true });
  grid.addEventListener("keydown", (event) => {
    if (event.target !== grid) return; // keys in a row's box are the box's own
    const page = Math.max(1, Math.floor(view / (2 * em)) - 1);
    const target = moveTo(event.key, indexOf(selected), rows.length, page);
    const act = target === undefined ? otherKey(event) : () => go(rows[target]?.id, howOf(event, "one", "move"));
    if (!act || !rows.length) return;
    event.preventDefault();
    act();
  });
  pad.addEventListener("mouseleave", onLeave);

  const observer = new ResizeObserver(() => {
    em = probe.offsetHeight || em;
    view = Math.max(0, grid.clientHeight - grid.firstElementChild.offsetHeight);
    update(rows, selected);
  });
  observer.observe(grid);
  observer.observe(probe);
  signal.addEventListener("abort", () => observer.disconnect());
  return { element: grid, update, reveal, isHeld, focus };
}
