// Cards: what went wrong, in words. The kernel tells both languages; the page picks the one that it speaks.
import { attribute, attributes, h, svg, text } from "./dom.js";
import { count, grouped } from "./format.js";
import { makeRoot } from "./root.js";

const BODY = new TextDecoder("utf-8");
const MANY_ENDS = 2; // so often has recv() given b'': from then on somebody should look

/** What a card says in a language: {title, text, todo, where, line}. */
export function cardIn(entry, language) {
  const told = JSON.parse(BODY.decode(entry.bytes));
  const [title, why, todo, where] = told[language] ?? told.en;
  return { title, why, todo, where, line: told.line };
}

/** A sentence whose `code` stands between backticks. */
export const plain = (sentence) => sentence.replaceAll("`", "");
const marked = (sentence) => sentence.split("`").map((part, i) => (i % 2 ? h("code", { dir: "ltr" }, part) : part));

const warning = () => svg("svg", { viewBox: "0 0 16 16", class: "nbs-icon", "data-state": "failed", "aria-hidden": "true" },
  svg("circle", { cx: 8, cy: 8, r: 8 }), svg("path", { d: "M8 4v5M8 11.8h.01" }));

/** The card of one entry. */
export function drawCard(entry, words) {
  const { title, why, todo, where, line } = cardIn(entry, words.language);
  return h("div", { class: "nbs-card", role: "group", "aria-label": plain(title) },
    h("div", { class: "nbs-cardtitle" }, warning(), h("strong", {}, ...marked(title))),
    ...(where ? [h("div", { class: "nbs-cardline" }, h("span", {}, where), h("code", { dir: "ltr" }, line))] : []),
    h("p", {}, ...marked(why)),
    h("p", { class: "nbs-cardtodo" }, h("b", {}, words("card.todo")), " ", ...marked(todo)));
}

/** A chip beside a connection: the title of its last card, or how often recv() has given b''. */
export function cardChip() {
  const element = h("span", { class: "nbs-cardchip", role: "img", hidden: true });
  return {
    element,
    show({ sign }, words) {
      attribute(element, "hidden", !sign);
      if (!sign) return;
      const [en, zh, ends] = sign;
      const title = plain(words.language === "zh" ? zh : en);
      const isMany = ends >= MANY_ENDS;
      const counted = isMany ? words("card.ends", { count: grouped(ends) }) : "";
      text(element, isMany ? `b'' ×${count(ends)}` : "!");
      attributes(element, { title: [title, counted].filter(Boolean).join(". "), "aria-label": [title, counted].filter(Boolean).join(". ") });
    },
  };
}

/** The view "takeover", below the card of a cell: stops the server of this notebook that keeps the port. */
export function takeoverView(hub, { el, signal }) {
  const button = h("button", { class: "nbs-button is-takeover", type: "button", onClick: () => hub.desk.act({ do: "stop" }) });
  const said = h("span", { role: "status" });
  makeRoot(hub, el, signal, [h("div", { class: "nbs-takeover" }, button, said)], (words) => {
    const { server } = hub.store;
    const isGone = server?.state === "stopped";
    const values = { address: server?.address ?? "", cell: /\d+/.exec(server?.cell)?.[0] ?? "" };
    text(button, words(values.cell ? "takeover.cell" : "takeover", values));
    button.disabled = !server || server.state !== "serving";
    attribute(button, "hidden", isGone);
    text(said, isGone ? words("takeover.done", values) : "");
    return words("takeover.name", values);
  });
  return () => {};
}
