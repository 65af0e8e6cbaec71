// One direction of the byte ruler: send() marks above, the bytes, recv() marks below, and what became of what.
import { attribute, attributes, h, text } from "./dom.js";
import { bytes as sizeText, grouped } from "./format.js";
import { cellsOf, groupOf, remarkable, stretchesOf, widthOf, xOf } from "./rulerscale.js";

const READABLE = 0.9; // em for one byte: below that nothing is written in its place
const NEAR_END = 40; // pixels
const ROOM = 300; // pixels beside what is in sight that are drawn as well

const em = (value) => `${value.toFixed(2)}em`;
const at = (stretches, begin, end, unit) => {
  const left = xOf(stretches, begin, unit);
  return [left, xOf(stretches, end, unit) - left];
};

/** Letters, with those that are as wide as they are high counted twice. */
const widthInEm = (label) => [...label].reduce((sum, letter) => sum + (letter > "\u2e80" ? 2 : 1), 0);

/** What stands on a piece, as far as there is room. */
function labelOf(piece, width, words) {
  if (piece.isGap) return width > 5 ? words("rulerGap") : "…";
  if (width > 8) return `${piece.call}() · ${sizeText(piece.size)}`;
  return width > 2.4 ? sizeText(piece.size) : "";
}

/** The same for somebody who does not see it. */
function nameOf(place, words) {
  const { piece, group, half, end } = place;
  if (piece.isGap) return words("rulerGapOf", { begin: grouped(piece.begin), end: grouped(piece.end) });
  const parts = [words("rulerPiece", { call: piece.call, who: words(`rulerWho.${end}`), begin: grouped(piece.begin), size: grouped(piece.size) })];
  if (group) parts.push(words(`rulerGroup.${group.kind}`, group));
  if (half?.have) parts.push(words(half.needs === 1 ? "rulerHalfOne" : "rulerHalf", { needs: half.needs }));
  return parts.join(", ");
}

/** A row of pieces. Their elements are kept while the pieces are there, and with them the focus. */
function makeRow(end, what, { onPoint, onFocus }) {
  const element = h("div", { class: `nbs-rrow is-${what}` });
  const made = new Map();
  let list = [];
  function make(key) {
    const label = h("span");
    const place = { key, end, label };
    place.element = h("button", { class: "nbs-rpiece", type: "button", tabindex: "-1",
      onMouseenter: () => onPoint(place), onMouseleave: () => onPoint(null), onFocus: () => onFocus(place), onClick: () => onFocus(place) }, label);
    return place;
  }
  return {
    element,
    list: () => list,
    show(way, row, stretches, { unit, id }, words) {
      const seen = new Set();
      list = (row?.pieces ?? []).map((piece) => {
        const key = `${id}/${way.from}/${what}/${piece.begin}/${piece.isGap}`;
        if (!made.has(key)) made.set(key, make(key));
        const place = made.get(key);
        const half = what === "recvs" || !way.recvs ? way.halves.get(piece.begin) : undefined;
        Object.assign(place, { way, piece, half, group: groupOf(way, piece), what });
        const [left, width] = at(stretches, piece.begin, piece.end, unit);
        text(place.label, labelOf(piece, width, words));
        attributes(place.element, {
          class: `nbs-rpiece is-${piece.isGap ? "gap" : place.group?.kind ?? "alone"}${half?.have ? " has-half" : ""}`,
          style: `left: ${em(left)}; width: ${em(Math.max(width, 0.25))}`, "aria-label": nameOf(place, words),
        });
        seen.add(key);
        return place;
      });
      for (const [key, place] of made) if (!seen.has(key)) { place.element.remove(); made.delete(key); }
      // Those that are in their place are not touched: an element that is moved loses the focus.
      list.forEach((place, i) => { if (element.children[i] !== place.element) element.insertBefore(place.element, element.children[i] ?? null); });
      attribute(element, "hidden", !row);
    },
  };
}

const block = (name, [left, width], label, more = {}) => h("span", { class: `nbs-rblock ${name}`, style: `left: ${em(left)}; width: ${em(width)}`, ...more }, label && h("span", { class: "nbs-rword" }, label));

/** Brackets that say what became of what. */
function groupBlocks(way, stretches, unit, words) {
  return way.groups.filter((group) => group.kind !== "unknown").map((group) => {
    const place = at(stretches, group.begin, group.end, unit);
    const [short, long] = [words(`rulerSign.${group.kind}`, group), words(`rulerGroup.${group.kind}`, group)];
    return block(`is-${group.kind}`, place, place[1] > 1.5 + 0.56 * widthInEm(long) ? long : place[1] > 1.6 ? short : "", { title: long });
  });
}

/** Half characters, each at the end of the piece that has cut it. */
function halfBlocks(way, stretches, unit, words) {
  const row = way.recvs ?? way.sends;
  return (row?.pieces ?? []).filter((piece) => way.halves.get(piece.begin)?.have).map((piece) => {
    const { needs } = way.halves.get(piece.begin);
    return h("span", { class: "nbs-rhalf", style: `left: ${em(xOf(stretches, piece.end, unit))}` }, `½ ${words(needs === 1 ? "rulerHalfOne" : "rulerHalf", { needs })}`);
  });
}

/** What the lens sees: messages that are whole, the one that is not yet, and why it sees no further. */
function lensBlocks(way, stretches, unit, words) {
  const seen = way.framed;
  if (!seen) return [];
  const out = seen.messages.map(([begin, size, head, tail], i) => {
    const place = at(stretches, begin, begin + size, unit);
    const label = place[1] > 6 ? words("lensMessage", { size: grouped(size - head - tail) }) : place[1] > 1.6 ? String(size - head - tail) : "";
    return block(`is-message${i % 2 ? " is-odd" : ""}`, place, label, { title: words("lensMessageOf", { begin: grouped(begin), size: grouped(size), head, tail }) });
  });
  if (seen.trouble) {
    const [left, width] = at(stretches, seen.rest, seen.rest + seen.have, unit);
    out.push(block("is-trouble", [left, Math.max(width, 14)], words(`lensTrouble.${seen.trouble[0]}`, { value: String(seen.trouble[1]) })));
  } else if (seen.have) {
    const [left, width] = at(stretches, seen.rest, seen.rest + seen.have, unit);
    const more = seen.needs === null ? words("lensOpen") : words(seen.needs === 1 ? "lensNeedsOne" : "lensNeeds", { needs: grouped(seen.needs) });
    out.push(block("is-rest", [left, Math.max(width, 10)], more));
  }
  return out;
}

/** Offsets at the marks, as many as there is room for. */
function ticksOf(stretches) {
  const out = [];
  let free = 0;
  for (const { begin, x } of [...stretches, ...stretches.slice(-1).map((last) => ({ begin: last.end, x: last.x + last.width }))]) {
    if (x < free) continue;
    out.push(h("span", { class: "nbs-rtick", style: `left: ${em(x)}` }, grouped(begin)));
    free = x + 0.9 + 0.62 * grouped(begin).length;
  }
  return out;
}

export function makeStrip(signal, actions) {
  let [drawn, left] = [null, 0]; // where it was scrolled to by itself
  const title = h("h4", { class: "nbs-rtitle" });
  const facts = h("span", { class: "nbs-rfacts" });
  const labels = ["sends", "bytes", "recvs", "groups", "halves", "lens"].map((name) => ({ name, element: h("span", { class: `nbs-rlabel is-${name}` }) }));
  const ticks = h("div", { class: "nbs-rticks", "aria-hidden": "true" });
  const cells = h("div", { class: "nbs-rcells", "aria-hidden": "true" });
  const groups = h("div", { class: "nbs-rgroups" });
  const halves = h("div", { class: "nbs-rhalves" });
  const lens = h("div", { class: "nbs-rmessages" });
  const sends = makeRow("sender", "sends", actions);
  const recvs = makeRow("receiver", "recvs", actions);
  const pad = h("div", { class: "nbs-rpad" }, ticks, sends.element, cells, recvs.element, groups, halves, lens);
  const scroller = h("div", { class: "nbs-rscroll", onScroll }, pad);
  const element = h("section", { class: "nbs-rway", hidden: true },
    h("div", { class: "nbs-rwayhead" }, title, facts),
    h("div", { class: "nbs-rbody" }, h("div", { class: "nbs-rlabels", "aria-hidden": "true" }, ...labels.map((label) => label.element)), scroller));
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));

  function onScroll() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paintCells);
    if (Math.abs(scroller.scrollLeft - left) > 1) actions.onScroll(scroller.scrollLeft >= endOf() - NEAR_END);
    left = scroller.scrollLeft;
  }

  /** How far it is scrolled when the newest byte is in sight, and behind it what the lens says. */
  function endOf() {
    if (!drawn) return 0;
    const end = widthOf(drawn.stretches) + (drawn.way.framed?.have ? 14 : 3);
    return Math.max(0, end * parseFloat(getComputedStyle(pad).fontSize) - scroller.clientWidth);
  }

  /** What is written in the places of the bytes, as far as they are in sight: there may be thousands. */
  function paintCells() {
    if (!drawn) return;
    const { way, stretches, unit, reading } = drawn;
    const pixels = parseFloat(getComputedStyle(pad).fontSize);
    const [from, to] = [(scroller.scrollLeft - ROOM) / pixels, (scroller.scrollLeft + scroller.clientWidth + ROOM) / pixels];
    const out = [];
    for (const stretch of stretches) {
      if (stretch.x > to || stretch.x + stretch.width < from) continue;
      if (stretch.isHole) out.push(block("is-hole", [stretch.x, stretch.width], "⋯"));
      else if (unit < READABLE) out.push(block("is-bar", [stretch.x, stretch.width], ""));
      else out.push(...written(way, stretch, unit, reading));
    }
    cells.replaceChildren(...out);
  }

  function written(way, stretch, unit, reading) {
    const most = stretch.isTorn ? stretch.begin + Math.floor((stretch.width - 2.4) / unit) : stretch.end;
    const run = way.known.find((one) => one.begin < stretch.end && one.begin + one.bytes.length > stretch.begin);
    // A character that two pieces share is written once, where it begins.
    const own = cellsOf(run, stretch.begin, most, reading).filter((cell) => cell.begin >= stretch.begin && cell.begin < most);
    const out = own.map((cell) => block(`is-cell${cell.kind ? ` is-${cell.kind}` : ""}`, [stretch.x + (cell.begin - stretch.begin) * unit, cell.size * unit], cell.text));
    if (stretch.isTorn) out.push(block("is-hole", [stretch.x + stretch.width - 2.4, 2.4], "⋯"));
    return out;
  }

  function showFacts(way, data, words) {
    const out = [];
    if (way.sends) out.push(h("span", {}, words("rulerSent", { size: grouped(way.sends.total) })));
    if (way.recvs) out.push(h("span", {}, words("rulerReceived", { size: grouped(way.recvs.total) })));
    if (way.flying) out.push(h("span", { class: "nbs-rfact is-flying" }, words(!data.stream ? "rulerLost" : data.over ? "rulerNever" : "rulerFlying", { size: grouped(way.flying) })));
    if (way.framed?.begin) out.push(h("span", { class: "nbs-rfact is-mixed" }, words("lensAfterGap", { begin: grouped(way.framed.begin) })));
    for (const one of remarkable(way.groups).slice(-3)) {
      const times = one.times > 1 ? ` ×${one.times}` : "";
      out.push(h("span", { class: `nbs-rfact is-${one.kind}` }, words(`rulerGroup.${one.kind}`, one) + times));
    }
    facts.replaceChildren(...out);
  }

  return {
    element,
    rows: () => [sends.list(), recvs.list()],
    show(way, look, words) {
      attribute(element, "hidden", !way?.total);
      if (!way?.total) { drawn = null; sends.show({}, null, [], look, words); recvs.show({}, null, [], look, words); return; }
      const stretches = stretchesOf(way, look.unit);
      drawn = { way, stretches, unit: look.unit, reading: look };
      const number = /^client (\d+)$/.exec(look.data.client)?.[1];
      const [client, server] = [number ? words("rulerClientOf", { number }) : look.data.client || words("rulerClient"), words("rulerServer", { id: look.id })];
      const isFromClient = way.from === "client";
      const name = words("rulerWay", isFromClient ? { from: client, to: server } : { from: server, to: client });
      text(title, name);
      attribute(element, "aria-label", name);
      showFacts(way, look.data, words);
      attribute(pad, "style", `width: ${em(widthOf(stretches) + (way.framed?.have ? 24 : 3))}`);
      ticks.replaceChildren(...ticksOf(stretches));
      sends.show(way, way.sends, stretches, look, words);
      recvs.show(way, way.recvs, stretches, look, words);
      for (const [place, blocks] of [[groups, groupBlocks], [halves, halfBlocks], [lens, lensBlocks]]) {
        const made = blocks(way, stretches, look.unit, words);
        place.replaceChildren(...made);
        attribute(place, "hidden", !made.length);
      }
      const isShown = { sends: way.sends, bytes: true, recvs: way.recvs, groups: groups.childElementCount, halves: halves.childElementCount, lens: lens.childElementCount };
      for (const label of labels) { text(label.element, words(`rulerRow.${label.name}`)); attribute(label.element, "hidden", !isShown[label.name]); }
      if (look.isFollowing) {
        scroller.scrollLeft = endOf();
        left = scroller.scrollLeft; // as far as that goes: the event comes later
      }
      paintCells();
    },
  };
}
