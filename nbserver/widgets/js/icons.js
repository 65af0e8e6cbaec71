// One small drawing per state, so that no state is told by its colour alone. Strokes in a box of 16.
import { svg } from "./dom.js";

const PATHS = {
  accepted: "M8 8h.01",
  running: "M6.4 5v6l5-3z",
  receiving: "M8 4v7.4M4.8 8.4 8 11.6l3.2-3.2",
  sending: "M8 12V4.6M4.8 7.6 8 4.4l3.2 3.2",
  waiting: "M4.4 11.6l.7-2.6 5-5 1.9 1.9-5 5z",
  held: "M6 4.6v6.8M10 4.6v6.8",
  "half-closed": "M8 4a4 4 0 0 0 0 8zM8 4v8",
  closed: "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6",
  reset: "M9 3.6 5.6 8.6h4.8L7 12.8",
  failed: "M8 4v5M8 11.8h.01",
};

/** A small line drawing on a button, from a path in a box of 16. */
export const glyph = (d, name = "") => svg("svg", { viewBox: "0 0 16 16", class: `nbs-glyph ${name}`, "aria-hidden": "true" }, svg("path", { d }));

export const stateIcon = () => {
  const path = svg("path", { d: "" });
  const icon = svg("svg", { viewBox: "0 0 16 16", class: "nbs-icon", "aria-hidden": "true" }, svg("circle", { cx: 8, cy: 8, r: 8 }), path);
  let shown = "";
  return {
    element: icon,
    show(state) {
      if (state === shown) return;
      shown = state;
      icon.setAttribute("data-state", state);
      path.setAttribute("d", PATHS[state] ?? PATHS.accepted);
    },
  };
};
