// Call chain.
import { h } from "./dom.js";
import { makeLook } from "./look.js";

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeChain(hub, signal, { onSelect }) {
  const look = makeLook(hub.store, "chain");
  const element = h("div", { class: "nbs-chain" });
  return {
    element, close: look.close,
    show(words) {
      const seen = look.of(hub.desk.selected);
    },
  };
}
