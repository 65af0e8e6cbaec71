// A button in the head of the board, and the panel below the head that it opens. One panel is open at a time, in all views.
import { attributes, h, text } from "./dom.js";

let made = 0;

/** `children` are the panel's. */
export function makeDisclosure(hub, name, ...children) {
  const { desk } = hub;
  const id = `nbs-panel-${++made}`;
  const button = h("button", { class: `nbs-fact is-${name}`, type: "button", "aria-controls": id, onClick: () => desk.set({ panel: desk.panel === name ? "" : name }) });
  const close = h("button", { class: "nbs-button is-quiet", type: "button", onClick: shut }, "×");
  const panel = h("section", { class: `nbs-panel is-${name}`, id, hidden: true }, ...children, close);
  for (const element of [button, panel]) element.addEventListener("keydown", (event) => { if (event.key === "Escape" && desk.panel === name) shut(); });

  function shut() {
    desk.set({ panel: "" });
    button.focus({ preventScroll: true });
  }

  return {
    button, panel,
    isOpen: () => desk.panel === name,
    /** `label` stands on the button, `title` is the panel's name, `hint` the button's tool tip. */
    show({ label, title, hint = null, words }) {
      text(button, label);
      attributes(button, { "aria-expanded": String(desk.panel === name), "aria-label": label === title ? null : `${title}: ${label}`, title: hint });
      attributes(panel, { "aria-label": title, hidden: desk.panel !== name });
      attributes(close, { "aria-label": words("closePanel"), title: words("closePanel") });
    },
  };
}
