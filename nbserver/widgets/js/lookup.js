// The look-up of a name on the class map, class by class. No DOM in here: node --test runs it as it is.

/** The kernel's columns as objects. */
export function toBranch({ what, levels, family, own }) {
  return {
    what, own,
    levels: levels.map(([name, origin, module, definitions, late]) => ({
      name, origin, module, late,
      definitions: definitions.map(([of, kind, value, file, line, number]) => ({ name: of, kind, value, file, line, number })),
    })),
    family: family.map(([depth, name, bases, place]) => ({ depth, name, bases, place })),
  };
}

const definitionIn = (level, name) => level.definitions.find((one) => one.name === name);

/**
 * How `name` is looked up: the state of each level ("not", "found", "hidden" or "rest"), and the definition that wins.
 * What the object itself holds comes before its classes, but for a property of theirs.
 */
export function lookUp({ levels, own }, name) {
  const all = levels.map((level) => definitionIn(level, name));
  const isOwn = own.includes(name) && all.find(Boolean)?.kind !== "property";
  const at = isOwn ? -1 : all.findIndex(Boolean);
  const states = all.map((definition, i) => {
    if (!isOwn && (at < 0 || i < at)) return "not";
    if (i === at) return "found";
    return definition ? "hidden" : "rest";
  });
  return { name, states, isOwn, at, definition: all[at] ?? null };
}

/** Of a definition in level `at`: the class that hides it, and the nearest later one that it overrides ("object" apart); either may be undefined. */
export function standing({ levels }, at, name) {
  const has = (level) => definitionIn(level, name) !== undefined;
  return { hiddenBy: levels.slice(0, at).find(has), overrides: levels.slice(at + 1).filter((level) => level.origin !== "python").find(has) };
}

/** Those that a card shows: what a program is likely to call, or to override. */
export function shownDefinitions({ origin, definitions }) {
  if (origin === "python") return [];
  return definitions.filter(({ name, kind }) => name === "__init__" || (!name.startsWith("__") && (kind !== "value" || !name.startsWith("_"))));
}

/** Every name that can be looked up, in alphabetical order. */
export function namesIn({ levels, own }) {
  const names = [...own, ...levels.flatMap((level) => level.definitions.map((one) => one.name))];
  return [...new Set(names)].sort((a, b) => a.replace(/^_+/, "").localeCompare(b.replace(/^_+/, "")));
}
