// Who waits for whom: a box for each thread, the server's at the left and the clients' at the right, and arrows between them.
import { attribute, attributes, h, svg, text } from "./dom.js";
import { stateIcon } from "./icons.js";
import { makeKeyed } from "./keyed.js";
import { makeLook } from "./look.js";
import { makeLeft } from "./leftopen.js";
import { carriedWords, circleWords, direction, doing, keyOf, moreWords, nameOf, parts } from "./waitwords.js";

const ICONS = { receive: "receiving", send: "sending", person: "waiting", held: "held", nothing: "running", client: "receiving", serve: "running" };
const ARROWS = { there: ["M2 12h94M88 6l8 6-8 6"], back: ["M98 12H4M12 6l-8 6 8 6"], both: ["M2 6h94M88 1l8 5-8 5", "M98 18H4M12 13l-8 5 8 5"], none: [] };

/** One thread: who, what it does and since when, and its line. A connection's can be selected. */
function makeBox(onSelect) {
  const [icon, thread, what] = [stateIcon(), h("span", { class: "nbs-wthread" }), h("div", { class: "nbs-wwhat" })];
  const name = h("button", { class: "nbs-wname", type: "button", onClick: () => { if (shown?.who[0] === "connection") onSelect(shown.who[1]); } });
  const [code, where, badge] = [h("code"), h("span", { class: "nbs-wwhere" }), h("span", { class: "nbs-wbadge", hidden: true })];
  const line = h("div", { class: "nbs-wline" }, code, where);
  const element = h("div", { class: "nbs-wbox" }, h("div", { class: "nbs-whead" }, icon.element, name, thread, badge), what, line);
  let shown = null;
  return {
    element,
    show(box, now, words, selected) {
      shown = box;
      const isConnection = box.who[0] === "connection";
      attributes(element, { "data-why": box.why ?? "unseen", "data-stuck": Boolean(box.stuck) });
      icon.show(ICONS[box.why] ?? "accepted");
      text(name, nameOf(box.who, words));
      name.disabled = !isConnection;
      attributes(name, { "aria-label": isConnection ? words("connection", { id: box.who[1] }) : null, "aria-pressed": isConnection ? String(box.who[1] === selected) : null });
      text(thread, box.thread ?? "");
      text(what, box.isQueued ? words("waits.backlog") : doing(box, now, words));
      attribute(badge, "hidden", !box.stuck);
      text(badge, box.stuck ? words("waits.deadlock") : "");
      attribute(line, "hidden", !box.line);
      if (box.line) {
        text(code, box.line[2]);
        text(where, words("waits.line", { where: box.line[0], number: box.line[1] }));
      }
    },
  };
}

/** What has been sent to one client, and how far it has come. */
function makeBar() {
  const pieces = ["read", "unread", "queued"].map((name) => [name, h("span", { class: `nbs-wpart is-${name}` })]);
  const strip = h("div", { class: "nbs-wstrip", "aria-hidden": "true" }, ...pieces.map(([, piece]) => piece));
  const said = h("div", { class: "nbs-wsaid" });
  const element = h("div", { class: "nbs-wbar", hidden: true }, strip, said);
  return {
    element,
    show(carried, words) {
      const found = parts(carried);
      attribute(element, "hidden", !found);
      if (!found) return;
      for (const [i, [, size]] of found.entries()) attributes(pieces[i][1], { style: `flex-grow: ${size}`, hidden: !size });
      text(said, carriedWords(carried, words));
    },
  };
}

/** Two ends, and who waits for whom of them. */
function makeRow(onSelect) {
  const [left, right, bar] = [makeBox(onSelect), makeBox(onSelect), makeBar()];
  const arrow = svg("svg", { class: "nbs-warrow", viewBox: "0 0 100 24", "aria-hidden": "true" });
  let drawn = "";
  return {
    element: h("div", { class: "nbs-wrow", role: "group" }, left.element, arrow, right.element, bar.element),
    show([one, other], now, words, selected) {
      left.show(one, now, words, selected);
      right.show(other, now, words, selected);
      const way = direction(one, other);
      if (way !== drawn) arrow.replaceChildren(...ARROWS[drawn = way].map((d) => svg("path", { d })));
      attribute(arrow, "data-stuck", Boolean(one.stuck && other.stuck));
      bar.show(one.carried, words);
      attribute(this.element, "aria-label", `${nameOf(one.who, words)} – ${nameOf(other.who, words)}`);
    },
  };
}

/** Those who wait for each other: said once, with each line of theirs. */
function makeCircle() {
  const [title, what, lines, more] = [h("strong"), h("span"), h("div", { class: "nbs-wlines" }), h("div")];
  return {
    element: h("div", { class: "nbs-wcircle" }, h("div", {}, title, " ", what), lines, more),
    show(cycle, words, mayHelp) {
      text(title, words("waits.deadlock"));
      text(what, words("waits.circle", { circle: circleWords(cycle, words) }));
      lines.replaceChildren(...cycle.filter((box) => box.line).map((box) => h("div", {},
        h("span", { class: "nbs-wof" }, nameOf(box.who, words)), h("code", {}, box.line[2]),
        h("span", { class: "nbs-wwhere" }, words("waits.line", { where: box.line[0], number: box.line[1] })))));
      const trap = cycle.find((box) => box.empty);
      const said = [trap ? words("waits.empty", { who: nameOf(trap.who, words), whom: nameOf(trap.whom, words) }) : "", mayHelp ? words("waits.mayHelp") : ""];
      text(more, said.filter(Boolean).join(" "));
    },
  };
}

/** The same for a screen reader, and for whoever likes tables. */
function makeTable() {
  const names = ["who", "what", "line"];
  const [label, body] = [h("summary"), h("tbody")];
  const heads = names.map(() => h("th", { scope: "col" }));
  const table = h("table", { class: "nbs-lanetable" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const element = h("details", { class: "nbs-lanes" }, label, table);
  const follow = makeKeyed(body, (box) => keyOf(box.who), () => {
    const [who, what, line] = [h("th", { scope: "row" }), h("td"), h("td")];
    return {
      element: h("tr", {}, who, what, line),
      show(box, now, words) {
        text(who, nameOf(box.who, words));
        text(what, box.isQueued ? words("waits.backlog") : doing(box, now, words));
        text(line, box.line ? `${box.line[2]} (${words("waits.line", { where: box.line[0], number: box.line[1] })})` : "");
      },
    };
  });
  return {
    element,
    show(boxes, now, words) {
      text(label, words("asTable"));
      attribute(table, "aria-label", words("inside.waits"));
      names.forEach((name, i) => text(heads[i], words(`waits.column.${name}`)));
      if (element.open) follow(boxes, now, words);
    },
  };
}

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeWaits(hub, signal, { onSelect }) {
  const look = makeLook(hub.store, "waits");
  let last = null; // what was told of the connection that was selected before: until it is told anew
  const circles = h("div", { class: "nbs-wcircles", role: "status" });
  const [atLeft, hint, atRight] = [h("strong"), h("span", { class: "nbs-wwhere" }), h("strong")];
  const loop = makeBox(onSelect);
  const [queue, queued, toLoop] = [h("div", { class: "nbs-wqueue" }), h("div", { class: "nbs-wwhere" }), svg("svg", { class: "nbs-warrow", viewBox: "0 0 100 24", "aria-hidden": "true" })];
  const loopRow = h("div", { class: "nbs-wrow" }, loop.element, toLoop, h("div", {}, queue, queued));
  const [rows, threads, more] = [h("div", { class: "nbs-wrows" }), h("div", { class: "nbs-wrows is-threads" }), h("div", { class: "nbs-wmore" })];
  const [table, left] = [makeTable(), makeLeft()];
  const place = h("div", { class: "nbs-wplace" }, h("div", { class: "nbs-wtitles" }, atLeft, hint, atRight), loopRow, rows, threads, more);
  const element = h("div", { class: "nbs-waits" }, circles, place, left.element, table.element);
  const box = () => makeBox(onSelect);
  const follow = {
    circles: makeKeyed(circles, (cycle) => cycle.map((one) => keyOf(one.who)).join(), makeCircle),
    queue: makeKeyed(queue, (one) => keyOf(one.who), box),
    rows: makeKeyed(rows, ([one]) => one.who[1], () => makeRow(onSelect)),
    threads: makeKeyed(threads, (one) => keyOf(one.who), box),
  };

  function show(words) {
    const seen = look.of(hub.desk.selected) ?? last;
    last = seen;
    attribute(element, "hidden", !seen);
    if (!seen) return;
    const [now, selected] = [hub.store.now(), hub.desk.selected];
    const waiting = seen.queue.map((one) => ({ ...one, isQueued: true }));
    follow.circles(seen.cycles, words, seen.others);
    text(atLeft, words("waits.server"));
    text(hint, words("waits.arrow"));
    text(atRight, words("waits.clients"));
    attribute(loop.element, "hidden", !seen.loop);
    if (seen.loop) loop.show(seen.loop, now, words, selected);
    follow.queue(waiting, now, words, selected);
    attribute(queued, "hidden", seen.queued <= waiting.length);
    text(queued, words("waits.many.other", { count: seen.queued - waiting.length }));
    toLoop.replaceChildren(...(waiting.length ? ARROWS.back : []).map((d) => svg("path", { d })));
    follow.rows(seen.rows, now, words, selected);
    follow.threads(seen.threads, now, words, selected);
    text(more, moreWords(seen.more, words));
    left.show(seen.left, words);
    table.show([...(seen.loop ? [seen.loop] : []), ...waiting, ...seen.rows.flat(), ...seen.threads], now, words);
  }

  return { element, show, close: look.close };
}
