// Byte ruler: what each end of the selected connection sent and received, aligned by byte.
import { attribute, attributes, h, text } from "./dom.js";
import { makeLook } from "./look.js";
import { makePieceDetail } from "./rulerdetail.js";
import { nextPiece, toWay, ZOOMS } from "./rulerscale.js";
import { makeStrip } from "./rulerstrip.js";

const LENSES = ["raw", "line", "length1", "length2big", "length2little", "length4big", "length4little"];
const LISTED = 50; // connections that can be chosen here

/** The newest connections, one of which is looked at. */
function makeChooser(onChoose) {
  const select = h("select", { class: "nbs-select", onChange: () => onChoose(Number(select.value)) });
  let listed = "";
  return {
    element: select,
    show(rows, id, words) {
      const shown = rows.slice(-LISTED);
      const chosen = rows.find((row) => row.id === id);
      if (chosen && !shown.includes(chosen)) shown.unshift(chosen);
      const key = shown.map((row) => row.id).join();
      if (key !== listed) select.replaceChildren(...shown.map((row) => h("option", { value: row.id }, `#${row.id} ${row.peer}`)));
      listed = key;
      attributes(select, { "aria-label": words("rulerConnection"), hidden: !shown.length });
      if (id !== null) select.value = String(id);
    },
  };
}

/** Which lens, how large a byte is, and whether the newest byte stays in sight. */
function makeRulerTools({ onLens, onZoom, onFollow }) {
  const lens = h("select", { class: "nbs-select", onChange: () => onLens(lens.value) });
  const lensWord = h("span");
  const smaller = h("button", { class: "nbs-button", type: "button", onClick: () => onZoom(-1) }, "−");
  const larger = h("button", { class: "nbs-button", type: "button", onClick: () => onZoom(1) }, "+");
  const follow = h("button", { class: "nbs-button", type: "button", onClick: onFollow });
  let listed = "";
  return {
    element: h("div", { class: "nbs-rtools" }, h("label", { class: "nbs-rlens" }, lensWord, lens), smaller, larger, follow),
    show({ data, zoom, isFollowing }, words) {
      const names = data?.function ? [...LENSES, "function"] : LENSES;
      const key = names.map((name) => words(`lens.${name}`)).join();
      if (key !== listed) lens.replaceChildren(...names.map((name) => h("option", { value: name }, words(`lens.${name}`))));
      listed = key;
      if (data && document.activeElement !== lens) lens.value = data.lens;
      text(lensWord, words("lens"));
      attributes(lens, { "aria-label": words("lens"), disabled: !data });
      attributes(smaller, { "aria-label": words("rulerNarrower"), title: words("rulerNarrower"), disabled: zoom === 0 });
      attributes(larger, { "aria-label": words("rulerWider"), title: words("rulerWider"), disabled: zoom === ZOOMS.length - 1 });
      text(follow, words("rulerFollow"));
      attribute(follow, "aria-pressed", String(isFollowing));
    },
  };
}

/** What has to be said before anything is shown, or beside it. */
function remarksOn(data, words) {
  if (!data) return [words("rulerNone")];
  const out = [];
  if (!data.stream) out.push(words("rulerDatagrams"));
  if (data.unseen) out.push(words(`rulerUnseen.${data.unseen}`));
  if (!data.ways.some((way) => way.total)) out.push(words("rulerEmpty"));
  return out;
}

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeRuler(hub, signal, { onSelect }) {
  const { store, desk, settings } = hub;
  const look = makeLook(store, "ruler");
  let [zoom, isFollowing, words, ways, at, shown] = [3, true, null, [], null, undefined];

  const chooser = makeChooser(onSelect);
  const tools = makeRulerTools({
    onLens: (lens) => desk.act({ do: "lens", lens }),
    onZoom: (step) => { zoom = Math.max(0, Math.min(ZOOMS.length - 1, zoom + step)); draw(true); },
    onFollow: () => { isFollowing = !isFollowing; draw(true); },
  });
  const remarks = h("div", { class: "nbs-rremarks", role: "status" });
  const detail = makePieceDetail();
  const actions = {
    onPoint: (place) => detail.show(place ?? at, read(), words),
    onFocus(place) { at = place; detail.show(place, read(), words); roam(); },
    onScroll: (isAtEnd) => { if (isFollowing !== isAtEnd) { isFollowing = isAtEnd; draw(true); } },
  };
  const strips = [makeStrip(signal, actions), makeStrip(signal, actions)];
  const element = h("div", { class: "nbs-ruler", onKeydown: onKey },
    h("div", { class: "nbs-rulerhead" }, chooser.element, tools.element), remarks, ...strips.map((strip) => strip.element), detail.element);
  const observer = new ResizeObserver(() => { if (words) draw(true); });
  observer.observe(element);
  signal.addEventListener("abort", () => { observer.disconnect(); look.close(); });

  const read = () => ({ encoding: settings.encoding(), asHex: settings.isHex() });
  const rows = () => strips.flatMap((strip) => strip.rows());

  /** Of all pieces one can be reached with the Tab key; the arrows go on from it. */
  function roam() {
    const all = rows();
    const first = all.findIndex((row) => row.length);
    const current = all.flat().find((piece) => piece.key === at?.key) ?? all[first]?.at(-1);
    for (const piece of all.flat()) attribute(piece.element, "tabindex", piece === current ? "0" : "-1");
  }

  function onKey(event) {
    const all = rows();
    const row = all.findIndex((one) => one.some((piece) => piece.element === document.activeElement));
    if (row < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    const index = all[row].findIndex((piece) => piece.element === document.activeElement);
    const next = nextPiece(all.map((places) => places.map(({ piece }) => piece)), [row, index], event.key);
    if (next) all[next[0]][next[1]].element.focus();
  }

  function draw(isForced = false) {
    const id = desk.selected ?? store.tables.connections.rows.at(-1)?.id ?? null;
    const data = look.of(id);
    const key = `${id} ${settings.encoding()} ${settings.isHex()} ${words("rulerEmpty")}`;
    chooser.show(store.tables.connections.rows, id, words);
    tools.show({ data, zoom, isFollowing }, words);
    if (!isForced && shown && shown.data === data && shown.key === key) return;
    if (shown?.id !== id) at = null;
    shown = { data, key, id };
    const said = data === undefined ? [] : remarksOn(data, words);
    remarks.replaceChildren(...said.map((line) => h("p", {}, line)));
    attribute(remarks, "hidden", !said.length);
    ways = data ? data.ways.map((way) => toWay(way, data.lines)) : [];
    strips.forEach((strip, i) => strip.show(ways[i], { id, data, unit: ZOOMS[zoom], isFollowing, ...read() }, words));
    roam();
    at = rows().flat().find((piece) => piece.key === at?.key) ?? null;
    detail.show(at, read(), words);
  }

  return {
    element, close: look.close,
    show(newWords) {
      words = newWords;
      draw();
    },
  };
}
