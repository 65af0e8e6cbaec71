// Fault lab: what goes wrong on purpose. Each fault is a card with its parameters; those that are set are chips with one Undo each.
import { attribute, attributes, h, text } from "./dom.js";
import { grouped } from "./format.js";
import { makeLook } from "./look.js";
import { isEnded } from "./store.js";

const ACTIONS = ["half_close", "reset"]; // on a stream: done at once, and not to be undone

/** Whether a fault acts on the connection of a row. */
export function isFaulty(server, row) {
  const [all, ids] = server?.faults ?? [0, []];
  return !isEnded(row) && (all > 0 || ids.includes(row.id));
}

/** The line of Python that does the same; a nought that is usual is left out. */
export function pythonLine(owner, name, values, direction, kind) {
  const [, parameters, directions] = kind;
  const given = parameters.filter(([key, , , , usual]) => values[key] !== undefined && !(values[key] === 0 && usual === 0)).map(([key]) => `, ${key}=${values[key]}`);
  const way = direction === directions[0] ? "" : `, direction="${direction}"`;
  return `${owner}.faults.add("${name}"${way}${given.join("")})`;
}

/** The button in the head of a board that nobody can overlook while a fault is set; it leads to the lab. */
export function makeFaultBadge(hub) {
  const element = h("button", { class: "nbs-button is-faults", type: "button", hidden: true, onClick: () => hub.desk.set({ inside: "faults" }) });
  return {
    element,
    show(server, words) {
      const [all, ids] = server.faults ?? [0, []];
      const count = all + ids.length;
      attributes(element, { hidden: count === 0 || server.state === "stopped", title: words("fault.badgeTitle") });
      text(element, count ? words(count === 1 ? "fault.count.one" : "fault.count", { count }) : "");
    },
  };
}

/** One number with its word before it and its unit behind it. */
function makeField([key, unit, least, most, usual]) {
  const step = unit === "bytes" || unit === "number" ? "1" : "any";
  const input = h("input", { class: "nbs-faultfield", type: "number", min: least, max: most, step, value: usual ?? "", required: usual !== null, autocomplete: "off" });
  const [word, measure] = [h("span"), h("span", { class: "nbs-quiet" })];
  return {
    key, element: h("label", {}, word, input, measure), input,
    show(name, words) {
      text(word, words(`fault.${name}.${key}`));
      text(measure, words(`unit.${unit}`));
    },
  };
}

/** One kind of fault: what it does, its parameters, and the line of Python that does the same. */
function makeCard(kind, onAdd) {
  const [name, parameters, directions] = kind;
  const fields = parameters.map(makeField);
  const way = h("select", { class: "nbs-select" }, ...directions.map((direction) => h("option", { value: direction })));
  const [title, says, python, wayWord] = [h("b"), h("p"), h("code", { class: "nbs-faultcode" }), h("span")];
  const add = h("button", { class: "nbs-button", type: "submit" });
  const wayLabel = h("label", { hidden: directions.length < 2 }, wayWord, way);
  const element = h("form", { class: "nbs-fault", onSubmit: submit, onInput: () => showLine() },
    h("div", { class: "nbs-faulthead" }, title, add), says, h("div", { class: "nbs-faultfields" }, ...fields.map((field) => field.element), wayLabel), python);
  let owner = "server";

  const values = () => Object.fromEntries(fields.filter(({ input }) => input.value !== "").map(({ key, input }) => [key, Number(input.value)]));
  const showLine = () => text(python, pythonLine(owner, name, values(), way.value, kind));

  function submit(event) {
    event.preventDefault();
    onAdd({ do: "add_fault", name, direction: way.value, values: values() });
  }

  return {
    element,
    show({ target, isLive, isDatagram }, words) {
      owner = target;
      const label = words(`fault.${name}`);
      text(title, label);
      text(says, words(isDatagram && name === "black_hole" ? "fault.black_hole.loses" : `fault.${name}.says`));
      text(wayWord, words("fault.direction"));
      [...way.options].forEach((option) => text(option, words(`fault.${option.value}`)));
      for (const field of fields) field.show(name, words);
      text(add, words("fault.add"));
      attributes(add, { "aria-label": words("fault.addName", { name: label }) });
      attribute(element, "aria-label", label);
      add.disabled = !isLive;
      showLine();
    },
  };
}

/** What is done at once to one connection, or to all. */
function makeAction(name, onDo) {
  const [title, says, python] = [h("b"), h("p"), h("code", { class: "nbs-faultcode" })];
  const act = h("button", { class: "nbs-button is-stop", type: "button", onClick: () => onDo(name) });
  return {
    element: h("div", { class: "nbs-fault" }, h("div", { class: "nbs-faulthead" }, title, act), says, python),
    show(id, isLive, words) {
      const label = words(`fault.${name}`);
      for (const element of [title, act]) text(element, label);
      text(says, words(`fault.${name}.says`));
      text(python, id === null ? `for c in server.connections.values(): c.${name}()` : `server[${id}].${name}()`);
      act.disabled = !isLive;
    },
  };
}

/** A fault that is set. */
function makeSet(hub, fault, onSelect) {
  const [number, , id] = fault;
  const [says, acted] = [h("span", { class: "nbs-faultsays" }), h("span", { class: "nbs-quiet" })];
  const undo = h("button", { class: "nbs-button", type: "button", onClick: () => hub.desk.act({ do: "undo_fault", fault: number }) });
  const target = h("button", { class: "nbs-button is-quiet", type: "button", disabled: id === 0, onClick: () => onSelect(id) });
  return {
    element: h("li", { class: "nbs-faultset" }, h("b", { "aria-hidden": "true" }, "⚡"), target, says, acted, undo),
    show([, name, , sentence, count, seen], words) {
      text(target, id ? `#${id}` : words("fault.forAll"));
      text(says, `${words(`fault.${name}`)}: ${words.note(sentence)}`);
      text(acted, words("fault.acted", { acted: grouped(count), seen: grouped(seen) }));
      text(undo, words("fault.undo"));
      attribute(undo, "aria-label", words("fault.undoName", { number }));
    },
  };
}

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeFaults(hub, signal, { onSelect }) {
  const { desk, store } = hub;
  const look = makeLook(store, "faults");
  const [setNow, newOnes, none, forWord] = [h("b"), h("b"), h("p", { class: "nbs-quiet" }), h("span")];
  const list = h("ul", { class: "nbs-faultlist" });
  const undoAll = h("button", { class: "nbs-button", type: "button", onClick: () => desk.act({ do: "undo_faults" }) });
  const [toAll, toOne] = [true, false].map((isAll) => h("button", { class: "nbs-button", type: "button", onClick: () => { isForAll = isAll; desk.set({}); } }));
  const scope = h("div", { class: "nbs-faultscope", role: "group" }, forWord, h("span", { class: "nbs-joined" }, toAll, toOne));
  const cards = h("div", { class: "nbs-faultcards" });
  const element = h("div", { class: "nbs-faults", hidden: true },
    h("div", { class: "nbs-faulthead" }, setNow, undoAll), none, list, h("div", { class: "nbs-faulthead" }, newOnes, scope), cards);
  const set = new Map(); // number → what makeSet gave
  let [isForAll, kinds, made, actions] = [true, "", [], []];

  /** The connection that is meant with "only": the selected one, or the first that lives. */
  const one = () => store.tables.connections.get(desk.selected) ?? store.tables.connections.rows.find((row) => !isEnded(row));
  const id = () => (isForAll ? null : one()?.id ?? null);

  function add(request) {
    desk.act({ ...request, connection: id() ?? 0 });
  }

  function act(name) {
    const living = store.tables.connections.rows.filter((row) => !isEnded(row)).map((row) => row.id);
    desk.act(id() === null ? { do: name, connections: living } : { do: name, connection: id() });
  }

  function makeCards(found) {
    made = found.map((kind) => makeCard(kind, add));
    actions = store.server?.transport === "datagram" ? [] : ACTIONS.map((name) => makeAction(name, act));
    cards.replaceChildren(...made.map((card) => card.element), ...actions.map((action) => action.element));
  }

  /** Chips come and go; the focus stays in the list when the one that had it goes. */
  function showSet(faults, words) {
    const numbers = new Set(faults.map(([number]) => number));
    for (const [number, chip] of set) {
      if (numbers.has(number)) continue;
      const hadFocus = chip.element.contains(document.activeElement);
      const next = (chip.element.nextElementSibling ?? chip.element.previousElementSibling)?.lastElementChild;
      chip.element.remove();
      set.delete(number);
      if (hadFocus) (next ?? toAll).focus();
    }
    for (const fault of faults) {
      if (!set.has(fault[0])) {
        set.set(fault[0], makeSet(hub, fault, onSelect));
        list.append(set.get(fault[0]).element);
      }
      set.get(fault[0]).show(fault, words);
    }
  }

  return {
    element, close: look.close,
    show(words) {
      const seen = look.of(0);
      attribute(element, "hidden", !seen);
      if (!seen) return;
      if (kinds !== JSON.stringify(seen.kinds)) {
        kinds = JSON.stringify(seen.kinds);
        makeCards(seen.kinds);
      }
      const row = one();
      const isLive = ["new", "serving"].includes(store.server?.state) && (isForAll || (row && !isEnded(row)));
      text(setNow, words("fault.setNow"));
      text(newOnes, words("fault.new"));
      text(none, words("fault.none"));
      attribute(none, "hidden", seen.faults.length > 0);
      text(undoAll, words("fault.undoAll"));
      attribute(undoAll, "hidden", seen.faults.length < 2);
      showSet(seen.faults, words);
      text(forWord, words("fault.for"));
      attribute(scope, "aria-label", words("fault.for"));
      text(toAll, words("fault.all"));
      text(toOne, words("fault.one", { id: row?.id ?? "–" }));
      attribute(toAll, "aria-pressed", String(isForAll));
      attribute(toOne, "aria-pressed", String(!isForAll));
      toOne.disabled = !row && isForAll;
      const context = { target: isForAll ? "server" : `server[${row?.id}]`, isLive, isDatagram: store.server?.transport === "datagram" };
      for (const card of made) card.show(context, words);
      for (const action of actions) action.show(isForAll ? null : row?.id, isLive, words);
    },
  };
}
