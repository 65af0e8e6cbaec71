// What is selected: one connection, whose transcript is shown, or several that something is done to. Pure functions.
// `selected` is the one that the keys move; `chosen` is empty unless more, or another, than that one is selected.

/** Whether a row is among the selected. */
export const isChosen = ({ chosen, selected }, id) => (chosen.size ? chosen.has(id) : id === selected);

const one = (id) => ({ selected: id, chosen: new Set(), anchor: id });

function toggle(state, id) {
  const chosen = new Set(state.chosen.size ? state.chosen : state.selected === null ? [] : [state.selected]);
  if (!chosen.delete(id)) chosen.add(id);
  if (chosen.size > 1) return { selected: id, chosen, anchor: id };
  return one(chosen.size ? [...chosen][0] : id);
}

function range(state, id, order) {
  const [from, to] = [order.indexOf(state.anchor ?? state.selected), order.indexOf(id)];
  if (from < 0 || to < 0 || from === to) return { ...one(id), anchor: from < 0 ? id : order[from] };
  const chosen = new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1));
  return { selected: id, chosen, anchor: order[from] };
}

/**
 * The selection after a click or a key on row `id`. `how`: "one" alone; "toggle" it; "range" from the anchor to it; "visit": it becomes
 * the current one, and several that are selected stay so; "move": the same, also with a single one; "all". `order`: the numbers as shown.
 */
export function select(state, id, how, order = []) {
  if (how === "toggle") return toggle(state, id);
  if (how === "range") return range(state, id, order);
  if (how === "all") return order.length > 1 ? { ...state, chosen: new Set(order) } : state;
  if (how === "move") return { ...state, selected: id, chosen: state.chosen.size || state.selected === null ? state.chosen : new Set([state.selected]) };
  if (how === "visit" && state.chosen.size > 1) return { ...state, selected: id };
  return one(id);
}

/** How a click or a key with these modifiers selects. */
export const howOf = (event, plain = "one", withControl = "toggle") => (event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? withControl : plain);
