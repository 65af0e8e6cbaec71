// Class map: the order in which a name is looked up, lit for the name that was chosen; below it the family tree.
import { attribute, attributes, h, peerText, text } from "./dom.js";
import { makeLook } from "./look.js";
import { lookUp, namesIn, shownDefinitions, standing, toBranch } from "./lookup.js";

const CHOSEN = { server: "process_request", handler: "handle" };
const OFTEN = {
  server: ["__init__", "serve_forever", "get_request", "verify_request", "process_request", "finish_request"],
  handler: ["__init__", "setup", "handle", "finish"],
};
const TITLES = { server: "classes.server", handler: "classes.handler" };
const STATES = { not: "classes.not", found: "classes.found", hidden: "classes.hidden", rest: "classes.rest" };
const MARKS = { not: "✗", found: "✓", hidden: "▽", rest: "·" };
const ORIGINS = {
  own: "classes.fromProgram", socketserver: "classes.fromSocketserver", library: "classes.fromLibrary",
  nbserver: "classes.fromNbserver", python: "classes.fromPython", package: "classes.fromPackage",
};
const PLACES = { this: "classes.this", ancestor: "classes.ancestor" };

let made = 0;

const callOf = ({ name, kind }) => (kind === "method" ? `${name}()` : name);

/** The look-up in a sentence or three. */
function sentence(branch, found, words) {
  const nameOf = (i) => branch.levels[i].name;
  const listed = (state) => found.states.flatMap((one, i) => (one === state ? [nameOf(i)] : [])).join(words("comma"));
  const { name } = found;
  if (found.at < 0 && !found.isOwn) return words("classes.nowhere", { name });
  const cls = found.isOwn ? words("classes.itself") : nameOf(found.at);
  const parts = [words("classes.foundIn", { name, cls })];
  if (listed("not")) parts.unshift(words("classes.notIn", { classes: listed("not") }));
  if (listed("hidden")) parts.push(words("classes.super", { classes: listed("hidden") }));
  return parts.join(" ").replace(/。 /g, "。");
}

/** One class: its number, its name, whence it comes, what it defines. */
function makeLevel(branch, at, words, choose) {
  const level = branch.levels[at];
  const state = h("span", { class: "nbs-levelstate" });
  const mark = h("span", { class: "nbs-levelmark", "aria-hidden": "true" });
  const pills = shownDefinitions(level).map((definition) => {
    const { hiddenBy, overrides } = standing(branch, at, definition.name);
    const how = hiddenBy ? words("classes.hiddenBy", { cls: hiddenBy.name }) : overrides ? words("classes.overrides", { cls: overrides.name }) : "";
    const [isHidden, isOver] = [Boolean(hiddenBy), Boolean(!hiddenBy && overrides)];
    const pill = h("button", {
      class: `nbs-pill${isHidden ? " is-hidden" : ""}${isOver ? " is-over" : ""}`, type: "button", title: how || null,
      onClick: () => choose(definition.name),
    }, isHidden ? "▽ " : isOver ? "▲ " : "", peerText(callOf(definition)), how ? h("span", { class: "nbs-heard" }, ` ${how}`) : "");
    return { pill, name: definition.name };
  });
  const origin = h("span", { class: "nbs-origin", "data-origin": level.origin }, words(ORIGINS[level.origin] ?? ORIGINS.package, { module: level.module }));
  const element = h("li", { class: "nbs-level" }, mark,
    h("div", { class: "nbs-card" },
      h("div", { class: "nbs-cardhead" }, h("b", {}, peerText(level.name)), origin, state),
      ...(pills.length ? [h("div", { class: "nbs-pills" }, ...pills.map(({ pill }) => pill))] : []),
      ...(level.late.length ? [h("p", { class: "nbs-late" }, `⚠ ${words("classes.late", { name: level.name, names: level.late.join(words("comma")) })}`)] : [])));
  return {
    element,
    show(found) {
      const own = found.states[at];
      attribute(element, "data-state", own);
      text(mark, MARKS[own]);
      text(state, words(STATES[own]));
      for (const { pill, name } of pills) attribute(pill, "aria-pressed", String(name === found.name));
    },
  };
}

/** The tree of a family, from the top: a list, each class as far in as it is below the first. */
function makeFamily(branch, words) {
  const items = branch.family.map(({ depth, name, bases, place }) => h("li", { class: "nbs-relative", "data-place": place || null, style: `--depth: ${depth}` },
    peerText(name), depth ? h("span", { class: "nbs-bases" }, "(", peerText(bases.join(", ")), ")") : "",
    place ? h("span", { class: "nbs-badge" }, words(PLACES[place])) : ""));
  const list = h("ul", { class: "nbs-family" }, ...items);
  const shut = h("details", { open: true, hidden: !items.length }, h("summary", {}, words("classes.family", { name: branch.family[0]?.name ?? "" })), list);
  attribute(list, "aria-label", words("classes.familyName"));
  return shut;
}

/** `chosen` keeps the name that is looked up, by what the branch is: it outlives the branch, which is made anew when a class changes. */
function makeBranch(hub, branch, words, chosen) {
  const source = makeLook(hub.store, "source");
  const name = branch.levels[0].name;
  const names = `nbs-names-${++made}`;
  let found = lookUp(branch, chosen[branch.what]);
  const box = h("input", { class: "nbs-box is-lookup", list: names, spellcheck: "false", autocomplete: "off", placeholder: words("classes.lookUp"), onChange: () => choose(box.value.trim().replace(/^self\.|\(\)$/g, "")) });
  attribute(box, "aria-label", words("classes.lookUpIn", { name }));
  const often = OFTEN[branch.what].map((one) => h("button", { class: "nbs-filter", type: "button", onClick: () => choose(one) }, one));
  const own = h("li", { class: "nbs-level", "data-state": "found" }, h("span", { class: "nbs-levelmark", "aria-hidden": "true" }, MARKS.found),
    h("div", { class: "nbs-card" }, h("div", { class: "nbs-cardhead" }, h("b", {}, words("classes.itself")), h("span", { class: "nbs-levelstate" }, words("classes.found")))));
  const levels = branch.levels.map((_, at) => makeLevel(branch, at, words, choose));
  const order = h("ol", { class: "nbs-levels" }, own, ...levels.map(({ element }) => element));
  attribute(order, "aria-label", words("classes.order", { name }));
  const path = h("p", { class: "nbs-path", role: "status" });
  const [where, code] = [h("figcaption", {}), h("pre", { tabindex: "0" })];
  const figure = h("figure", { class: "nbs-source" }, where, code);
  const element = h("section", { class: "nbs-branch" },
    h("h3", {}, words(TITLES[branch.what], { name })),
    h("div", { class: "nbs-lookup" }, h("datalist", { id: names }, ...namesIn(branch).map((one) => h("option", { value: one }))), box, ...often),
    path, order, figure, h("p", { class: "nbs-legend" }, words("classes.legend")), makeFamily(branch, words));
  attribute(element, "aria-label", words(TITLES[branch.what], { name }));

  function choose(wanted) {
    if (!wanted) return;
    chosen[branch.what] = wanted;
    found = lookUp(branch, wanted);
    box.value = "";
    show();
  }

  /** The text of the definition that wins; of a plain value the value. */
  function showSource() {
    const { definition } = found;
    const told = definition?.line ? source.of(definition.number) : null;
    const isIt = told && told[0] === definition.name;
    if (!definition?.line) source.close();
    const shown = isIt ? told[3] : definition?.value ? `${definition.name} = ${definition.value}` : "";
    attribute(figure, "hidden", !shown);
    text(code, shown);
    const at = { file: definition?.file, line: definition?.line };
    text(where, definition?.line ? words(definition.file ? "classes.at" : "classes.atCell", at) : "");
    attribute(code, "aria-label", words("classes.source", { name: found.name }));
  }

  function show() {
    attribute(own, "hidden", !found.isOwn);
    for (const level of levels) level.show(found);
    often.forEach((button, i) => attribute(button, "aria-pressed", String(OFTEN[branch.what][i] === found.name)));
    text(path, sentence(branch, found, words));
    showSource();
  }

  return { element, box, show, close: source.close };
}

/** `onSelect` is of no use here: the classes are those of all connections. Nothing is asked for before `show`. */
export function makeClasses(hub) {
  const look = makeLook(hub.store, "classes");
  const empty = h("p", { class: "nbs-empty" });
  const place = h("div", { class: "nbs-branches" });
  const element = h("div", { class: "nbs-classes" }, empty, place);
  const chosen = { ...CHOSEN };
  let [seen, language, branches] = [undefined, "", []];

  function build(words) {
    const old = branches.findIndex(({ box }) => box === document.activeElement);
    const typed = branches[old]?.box.value;
    close();
    branches = (seen?.branches ?? []).map((one) => makeBranch(hub, toBranch(one), words, chosen));
    place.replaceChildren(...branches.map(({ element: own }) => own));
    if (!branches[old]) return;
    branches[old].box.value = typed;
    branches[old].box.focus({ preventScroll: true });
  }

  function close() {
    for (const branch of branches) branch.close();
  }

  return {
    element,
    close() { look.close(); close(); },
    name: () => seen?.branches[0]?.levels[0]?.[0] ?? "",
    show(words) {
      const now = look.of(0);
      if (now !== seen || hub.settings.language() !== language) {
        [seen, language] = [now, hub.settings.language()];
        build(words);
      }
      attributes(empty, { hidden: branches.length > 0 });
      text(empty, words("classes.nothing"));
      for (const branch of branches) branch.show();
    },
  };
}
