// Above the call chain: whose it is, and slow motion.
import { attribute, attributes, h, text } from "./dom.js";
import { isEnded } from "./store.js";

const MOST = 12; // connections to choose from; the list of the board has them all

export function makeChainHead(hub, { choose, next }) {
  const { store, desk } = hub;
  const whose = h("div", { class: "nbs-chainwhose", role: "group" });
  const slow = h("button", { class: "nbs-button", type: "button", onClick: () => set(!isOn.all) });
  const slowOne = h("button", { class: "nbs-button", type: "button", onClick: () => set(!isOn.one, shown) });
  const nextOne = h("button", { class: "nbs-button is-next", type: "button", onClick: () => next(false) });
  const nextAll = h("button", { class: "nbs-button is-nextall", type: "button", onClick: () => next(true) });
  const said = h("p", { class: "nbs-chainsaid", role: "status" });
  const tools = h("div", { class: "nbs-chaintools", role: "group" }, slow, slowOne, nextOne, nextAll);
  const chips = new Map();
  let [shown, isOn] = [0, { all: false, one: false }];

  const set = (on, connection) => desk.act({ do: "slow_motion", on, ...(connection ? { connection } : {}) });

  /** The connections that live, the newest of them, and the one that is shown; and the next, who has not come yet. */
  function wanted(id, held) {
    const { rows } = store.tables.connections;
    const live = rows.filter((row) => !isEnded(row) || row.id === id || held.has(row.id)).slice(-MOST).map((row) => row.id);
    return id && !live.includes(id) ? [id, ...live, 0] : [...live, 0];
  }

  function showChips(id, held, words) {
    const ids = wanted(id, held);
    for (const one of ids) {
      if (!chips.has(one)) chips.set(one, h("button", { class: "nbs-filter", type: "button", onClick: () => choose(one) }));
    }
    for (const [one, chip] of chips) if (!ids.includes(one)) { chip.remove(); chips.delete(one); }
    ids.forEach((one, at) => {
      const chip = chips.get(one);
      if (whose.children[at] !== chip) whose.insertBefore(chip, whose.children[at] ?? null);
      const name = one ? `#${one}` : words("chain.nextClient");
      text(chip, held.has(one) ? `${name} ❚❚ ${held.get(one)}` : name);
      attributes(chip, {
        "aria-pressed": String(one === id),
        "aria-label": held.has(one) ? words("chain.heldAt", { name: one ? words("connection", { id: one }) : name, step: held.get(one) }) : one ? words("connection", { id: one }) : null,
      });
    });
  }

  function showButtons(id, held, words) {
    const isStopped = store.isOver() || store.server?.state !== "serving";
    text(slow, words("chain.slow"));
    attributes(slow, { "aria-pressed": String(isOn.all), title: words("chain.slowTitle") });
    text(slowOne, words("chain.slowOne", { id }));
    attributes(slowOne, { hidden: !id || isOn.all, "aria-pressed": String(isOn.one) });
    text(nextOne, words("chain.next"));
    attributes(nextOne, { hidden: !isOn.all && !isOn.one && !held.size, "aria-label": id ? words("chain.nextOf", { id }) : words("chain.nextOfLoop"), title: words("chain.nextKeys") });
    text(nextAll, words("chain.nextAll"));
    attributes(nextAll, { hidden: nextOne.hidden, title: words("chain.nextAllKeys") });
    const row = store.tables.connections.get(id);
    slow.disabled = isStopped;
    slowOne.disabled = isStopped || !row || isEnded(row);
    nextOne.disabled = isStopped || !held.has(id);
    nextAll.disabled = isStopped || !held.size;
  }

  /** What slow motion does to those who cannot know: they wait in the backlog. */
  function saidOf(id, held, queue, words) {
    if (held.has(0)) return words(queue === 1 ? "chain.loopHeldOne" : "chain.loopHeld", { step: held.get(0), count: queue ?? "?" });
    if (held.has(id)) return words("chain.held", { id, step: held.get(id) });
    return isOn.all || isOn.one ? words("chain.slowNow") : "";
  }

  return {
    element: h("div", { class: "nbs-chainhead" }, whose, tools, said),
    show({ id, seen, words }) {
      shown = id;
      const held = new Map(seen?.held ?? []);
      isOn = { all: Boolean(seen?.slow[0]), one: Boolean(seen?.slow[1]) };
      attribute(whose, "aria-label", words("chain.whose"));
      attribute(tools, "aria-label", words("chain.slow"));
      showChips(id, held, words);
      showButtons(id, held, words);
      text(said, saidOf(id, held, seen?.queue, words));
      attribute(said, "hidden", !said.textContent);
    },
  };
}
