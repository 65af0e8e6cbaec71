// The order in which an attribute is looked up, for the server and for the handler; the way of one look-up is lit.
import { hueOf, lookUp } from "./chainsteps.js";
import { attribute, attributes, h, text } from "./dom.js";

const SIGNS = { passed: "↓", found: "●", rest: "" };
const WORDS = { passed: "chain.passed", found: "chain.found" };

function makeLadder() {
  const [title, list] = [h("h4"), h("ol", { class: "nbs-ladder" })];
  return {
    element: h("div", {}, title, list),
    show({ name, order, call, hues, words }) {
      text(title, name);
      attribute(list, "aria-label", name);
      while (list.children.length > order.length) list.lastChild.remove();
      while (list.children.length < order.length) list.append(h("li", {}, h("span", { class: "nbs-rungsign", "aria-hidden": "true" }), h("span", {}), h("span", { class: "nbs-rungword" })));
      lookUp(order, call?.class).forEach((rung, at) => {
        const [sign, cls, word] = list.children[at].children;
        text(sign, SIGNS[rung.how]);
        text(cls, rung.name);
        text(word, call && rung.how !== "rest" ? words(WORDS[rung.how], { name: call.name }) : "");
        attributes(list.children[at], { "data-how": rung.how, "data-hue": hueOf(hues, rung.name), "aria-current": rung.how === "found" ? "true" : null });
      });
    },
  };
}

export function makeLadders() {
  const [server, handler] = [makeLadder(), makeLadder()];
  return {
    element: h("div", { class: "nbs-ladders" }, server.element, handler.element),
    show({ seen, call, words }) {
      const hues = [...seen.server, ...seen.handler];
      const of = (whose) => (call?.of === whose ? call : null);
      server.show({ name: words("chain.serverOrder"), order: seen.server, call: of("server"), hues, words });
      handler.show({ name: words("chain.handlerOrder"), order: seen.handler, call: of("handler"), hues, words });
      attribute(handler.element, "hidden", !seen.handler.length);
    },
  };
}
