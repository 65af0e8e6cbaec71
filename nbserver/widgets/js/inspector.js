// Inspector: what `self` holds in the handler of the selected connection; a TCP handler and a UDP handler side by side.
import { attribute, h, peerText, text } from "./dom.js";
import { makeLook } from "./look.js";

const FRESH = 3; // seconds for which a change is marked
const TITLES = { stream: "inspector.stream", datagram: "inspector.datagram" };
const WHAT = {
  server: "inspector.server", socket: "inspector.socket", pair: "inspector.pair", data: "inspector.data", one: "inspector.one", address: "inspector.address",
  same: "inspector.same", reads: "inspector.reads", writes: "inspector.writes", memory: "inspector.memory", any: "inspector.any",
};
/** What a handler of the other kind would hold, when there is none to look at. */
const SHAPES = {
  stream: [["self.server", "TCPServer", "", "server"], ["self.request", "socket", "", "socket"], ["self.client_address", "tuple", "", "address"]],
  datagram: [
    ["self.server", "UDPServer", "", "server"], ["self.request", "tuple", "(data, socket)", "pair"], ["self.request[0]", "bytes", "", "data"],
    ["self.request[1]", "socket", "", "one"], ["self.client_address", "tuple", "", "address"],
  ],
};

/** How a program replies: by the kind of its server, and with files if its handler has some. */
export function replyCode(kind, attributes) {
  if (attributes.some(([name]) => name === "self.wfile")) return "self.wfile.write(data)";
  return kind === "datagram" ? "self.request[1].sendto(data, self.client_address)" : "self.request.sendall(data)";
}

/** Which attributes have another value than before. Changes `known`: name → {value, since}; what is seen first has not changed. */
export function noteChanges(known, attributes, now) {
  for (const [name, , value] of attributes) {
    const before = known.get(name);
    if (before?.value !== value) known.set(name, { value, since: before || known.isSeen ? now : -Infinity });
  }
  known.isSeen = true;
}

/** What is to be said of a handler that is not there. */
function ifGone(kind, state, words) {
  if (state === "serving") return "";
  if (state === "unseen") return words("inspector.unseen");
  return words(kind === "datagram" ? "inspector.goneDatagram" : "inspector.gone");
}

function makeSide(kind, words) {
  const title = h("h3");
  const [whose, gone, trap] = [h("p", { class: "nbs-whose" }), h("p", { class: "nbs-gone" }), h("p", { class: "nbs-trap", role: "alert", hidden: true })];
  const body = h("tbody");
  const heads = ["inspector.name", "inspector.value"].map((word) => h("th", { scope: "col" }, words(word)));
  const table = h("table", { class: "nbs-self" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const [code, target] = [h("code"), peerText("")];
  const sent = h("span", { class: "nbs-quiet" });
  const reply = h("p", { class: "nbs-arrow" }, h("b", {}, words("inspector.reply")), code, h("span", { class: "nbs-shaft", "aria-hidden": "true" }), target, sent);
  const element = h("section", { class: `nbs-side is-${kind}` }, title, whose, gone, trap, table, reply);
  text(title, words(TITLES[kind]));
  attribute(table, "aria-label", words(TITLES[kind]));
  let [known, of, drawn] = [new Map(), "", ""];

  function rowOf([name, type, value, what], now) {
    const isChanged = now - (known.get(name)?.since ?? -Infinity) < FRESH;
    const words_ = WHAT[what] ? h("div", { class: "nbs-what" }, words(WHAT[what])) : "";
    const mark = isChanged ? h("span", { class: "nbs-badge is-changed" }, words("inspector.changed")) : "";
    const isPart = name.endsWith("]");
    return h("tr", { class: `${isChanged ? "is-changed" : ""}${isPart ? " is-part" : ""}`, "data-what": what || null },
      h("th", { scope: "row" }, peerText(name)), h("td", {}, peerText(type, { class: "nbs-type" }), " ", peerText(value), mark, words_));
  }

  return {
    element,
    show(seen, isOwn, now) {
      const attributes = seen?.attributes ?? SHAPES[kind];
      const key = seen ? `${seen.server}#${seen.number}` : "";
      if (key !== of) [known, of] = [new Map(), key];
      noteChanges(known, attributes, now);
      element.classList.toggle("is-gone", seen?.state !== "serving");
      element.classList.toggle("is-own", isOwn);
      text(whose, seen ? words("inspector.of", { handler: seen.handler, id: seen.number, address: seen.server }) : "");
      text(gone, seen ? ifGone(kind, seen.state, words) : words("inspector.none"));
      attribute(gone, "hidden", gone.textContent === "");
      attribute(trap, "hidden", !seen?.trap);
      text(trap, seen?.trap ? words("inspector.trap", { error: seen.trap }) : "");
      const fresh = [...known].filter(([, { since }]) => now - since < FRESH).map(([name]) => name);
      const drawing = JSON.stringify([attributes, fresh]);
      if (drawing !== drawn) {
        drawn = drawing;
        body.replaceChildren(...attributes.map((one) => rowOf(one, now)));
      }
      text(code, replyCode(kind, attributes));
      text(target, addressIn(attributes) || words("inspector.client"));
      text(sent, seen ? words("inspector.sent", { count: seen.replies }) : "");
    },
  };
}

const addressIn = (attributes) => attributes.find(([name]) => name === "self.client_address")?.[2] ?? "";

/** Nothing is asked for before `show`. */
export function makeInspector(hub) {
  const look = makeLook(hub.store, "inspector");
  const element = h("div", { class: "nbs-inspector" });
  let [language, sides] = ["", {}];
  let kept = {}; // by connection: a handler that has gone shows what it held last

  /** What was seen last while the handler was there, if it is still the same connection's. */
  function lastOf(kind, seen) {
    if (!seen) return seen;
    const key = `${hub.store.epoch}/${seen.server}/${seen.number}`;
    if (seen.state === "serving") kept[kind] = { key, attributes: seen.attributes };
    return seen.state === "ended" && kept[kind]?.key === key && kind === "stream" ? { ...seen, attributes: kept[kind].attributes } : seen;
  }

  return {
    element, close: look.close,
    show(words) {
      if (hub.settings.language() !== language) {
        language = hub.settings.language();
        sides = { stream: makeSide("stream", words), datagram: makeSide("datagram", words) };
        element.replaceChildren(sides.stream.element, sides.datagram.element);
      }
      const seen = look.of(hub.desk.selected ?? 0);
      for (const kind of ["stream", "datagram"]) sides[kind].show(lastOf(kind, seen?.[kind]), seen?.own === kind, hub.store.now());
    },
  };
}
