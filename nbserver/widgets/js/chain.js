// The call chain of one connection: what was called, in which thread, in which class it was found; and slow motion.
import { makeChainHead } from "./chainhead.js";
import { makeLadders } from "./chainladder.js";
import { hueOf, reachedAt, STATES, took } from "./chainsteps.js";
import { attribute, attributes, h, text } from "./dom.js";
import { makeLook } from "./look.js";

/** One call: a button that shows where it is written. `choose` is told that it was chosen. */
function makeCall(choose) {
  const [mark, number, name, found, lasts] = ["mark", "number", "name", "class", "lasts"].map((part) => h("span", { class: `nbs-call${part}` }));
  const button = h("button", { class: "nbs-call", type: "button", onClick: () => choose() }, mark, number, name, found, lasts);
  const element = h("li", {}, button);
  return {
    element,
    show(call, at, { hues, isChosen, thread, now, words }) {
      const duration = took(call, now, words);
      text(mark, { returned: "✓", raised: "✗", running: "▶", held: "❚❚", unseen: "✓" }[call.state] ?? "");
      text(number, String(at + 1));
      text(name, call.name);
      text(found, call.class);
      attribute(found, "data-hue", hueOf(hues, call.class));
      text(lasts, duration);
      attributes(element, { style: `grid-row: ${at + 2}; grid-column: ${call.column + 1}; --nbs-depth: ${call.depth}`, "data-thread": thread });
      attributes(button, {
        "data-state": call.state, "aria-expanded": String(isChosen), "aria-current": call.isReached ? "step" : null,
        "aria-label": words("chain.call", { number: at + 1, name: call.name, class: call.class, state: words(STATES[call.state]), lasts: call.seconds === null ? "" : duration }),
        title: words("chain.source"),
      });
    },
  };
}

/** Where a method is written. */
function makeSource(close) {
  const [title, code] = [h("b"), h("code")];
  const button = h("button", { class: "nbs-button is-quiet", type: "button", onClick: close }, "×");
  const element = h("section", { class: "nbs-callsource", hidden: true }, h("div", { class: "nbs-sourcehead" }, title, button), h("pre", { tabindex: "0" }, code));
  return {
    element,
    show(call, sources, words) {
      attribute(element, "hidden", !call);
      if (!call) return;
      const found = sources?.[`${call.of}.${call.name}`];
      text(title, found ? words("chain.where", { class: call.class, name: call.name, place: found[0], line: found[1] }) : words(sources ? "chain.noSource" : "chain.looking", { name: call.name }));
      text(code, found ? found[2] : "");
      attribute(code.parentElement, "hidden", !found);
      attributes(element, { "aria-label": words("chain.sourceOf", { name: call.name }) });
      attributes(button, { "aria-label": words("closePanel"), title: words("closePanel") });
    },
  };
}

/** `onSelect(id)`: a connection was chosen here. Nothing is asked for before `show`. */
export function makeChain(hub, signal, { onSelect }) {
  const { store, desk } = hub;
  const [look, sources] = [makeLook(store, "chain"), makeLook(store, "written")];
  let chosen = null; // number in the chain of the call whose source is shown
  let [ofLoop, newest] = [false, 0]; // whether the next client's chain is shown, and who was the last before it
  let [words, seen] = [null, null];

  const refresh = () => { if (words) show(words); };
  const head = makeChainHead(hub, { choose, next });
  const threads = [h("h4"), h("h4")];
  const handover = h("p", { class: "nbs-handover", "aria-hidden": "true" });
  const calls = [];
  const list = h("ol");
  const grid = h("div", { class: "nbs-calls" }, ...threads, handover, list);
  const ladders = makeLadders();
  const source = makeSource(() => { const at = chosen; chosen = null; refresh(); calls[at]?.element.firstChild.focus(); });
  const empty = h("p", { class: "nbs-empty" });
  const body = h("div", { class: "nbs-chainbody" }, grid, ladders.element);
  const element = h("div", { class: "nbs-chain", role: "group" }, head.element, empty, body, source.element);
  element.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "n" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    next(event.shiftKey);
  });

  function choose(id) {
    [ofLoop, newest, chosen] = [id === 0, lastId(), null];
    if (id !== 0) onSelect(id);
    refresh();
  }

  function next(isForAll) {
    desk.act({ do: "next", ...(isForAll ? {} : { connection: shownId() }) });
  }

  const lastId = () => store.tables.connections.rows.at(-1)?.id ?? 0;

  /** The connection whose chain is shown; 0 is the accept loop's next client. Once that has come, it is followed. */
  function shownId() {
    const table = store.tables.connections;
    if (ofLoop && lastId() > newest) choose(lastId());
    if (ofLoop) return 0;
    return table.get(desk.selected) ? desk.selected : lastId();
  }

  function showCalls(reached) {
    const hues = [...seen.server, ...seen.handler];
    const first = seen.calls.findIndex((call) => call.column === 1);
    seen.calls.forEach((call, at) => {
      if (!calls[at]) {
        calls.push(makeCall(() => { chosen = chosen === at ? null : at; refresh(); }));
        list.append(calls[at].element);
      }
      calls[at].show({ ...call, isReached: at === reached }, at, { hues, isChosen: at === chosen, thread: at === first ? threads[1].textContent : null, now: store.now(), words });
    });
    for (const one of calls.splice(seen.calls.length)) one.element.remove();
  }

  function showThreads() {
    const at = seen.calls.findIndex((call) => call.column === 1);
    const isSplit = at >= 0;
    grid.classList.toggle("is-single", !isSplit);
    text(threads[0], words("chain.acceptThread", { thread: seen.threads[0] ?? "" }));
    text(threads[1], words("chain.ownThread", { thread: seen.threads[1] ?? "" }));
    attribute(threads[1], "hidden", !isSplit);
    attributes(handover, { hidden: !isSplit, style: `grid-row: ${at + 2}` });
    text(handover, words("chain.handover"));
  }

  function show(nowWords) {
    words = nowWords;
    const id = shownId();
    const data = look.of(id);
    seen = data ? { ...data, calls: data.calls.map(([name, of, cls, column, depth, state, begin, seconds]) => ({ name, of, class: cls, column, depth, state, begin, seconds })) } : null;
    attribute(element, "aria-label", words("inside.chain"));
    head.show({ id, seen, words });
    attribute(body, "hidden", !seen);
    attribute(empty, "hidden", Boolean(seen?.noted));
    text(empty, words(seen ? "chain.unnoted" : "chain.nothing"));
    if (chosen !== null && !seen?.calls[chosen]) chosen = null;
    source.show(chosen === null ? null : seen.calls[chosen], chosen === null ? null : sources.of(id), words);
    if (chosen === null) sources.close();
    if (!seen) return;
    const reached = reachedAt(seen.calls);
    showThreads();
    showCalls(reached);
    ladders.show({ seen, call: seen.calls[chosen ?? reached], words });
  }

  return { element, close() { look.close(); sources.close(); }, show };
}
