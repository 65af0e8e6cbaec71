// Two loops.
import { h } from "./dom.js";
import { makeLook } from "./look.js";

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeLoops(hub, signal, { onSelect }) {
  const look = makeLook(hub.store, "loops");
  const element = h("div", { class: "nbs-loops" });
  return {
    element, close: look.close,
    show(words) {
      const seen = look.of(hub.desk.selected);
    },
  };
}
