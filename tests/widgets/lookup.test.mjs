import assert from "node:assert/strict";
import { test } from "node:test";
import { lookUp, namesIn, shownDefinitions, standing, toBranch } from "../../nbserver/widgets/js/lookup.js";

const level = (name, names, origin = "socketserver", late = []) => [name, origin, origin, names.map((one, i) => [one, "method", "", "x.py", i + 1, i + 1]), late];
const branch = toBranch({
  what: "server", own: ["socket", "verify_request"], family: [[0, "BaseServer", [], "ancestor"]],
  levels: [level("Mine", ["handle_error"], "own"), level("MixIn", ["process_request", "server_close"]), level("Base", ["process_request", "handle_error", "verify_request"]), level("object", ["__init__", "__eq__"], "python")],
});

test("a name is looked up class by class, and the first that has it wins", () => {
  assert.deepEqual(lookUp(branch, "process_request").states, ["not", "found", "hidden", "rest"]);
  assert.equal(lookUp(branch, "process_request").definition.line, 1);
  assert.deepEqual(lookUp(branch, "handle_error").states, ["found", "rest", "hidden", "rest"]);
  assert.deepEqual(lookUp(branch, "recv").states, ["not", "not", "not", "not"]);
  assert.equal(lookUp(branch, "recv").definition, null);
});

test("what the object itself holds comes before the classes, but for a property of theirs", () => {
  const found = lookUp(branch, "verify_request");
  assert.deepEqual([found.isOwn, found.at, found.states], [true, -1, ["rest", "rest", "hidden", "rest"]]);
  branch.levels[2].definitions.find((one) => one.name === "verify_request").kind = "property";
  assert.deepEqual(lookUp(branch, "verify_request").states, ["not", "not", "found", "rest"]);
  assert.equal(lookUp(branch, "socket").isOwn, true);
});

test("a definition overrides the next one, and is hidden by an earlier one", () => {
  assert.deepEqual([standing(branch, 0, "handle_error").overrides.name, standing(branch, 0, "handle_error").hiddenBy], ["Base", undefined]);
  assert.equal(standing(branch, 2, "process_request").hiddenBy.name, "MixIn");
  assert.equal(standing(branch, 1, "server_close").overrides, undefined);
});

test("a card shows what a program may call, and the box offers every name once", () => {
  const values = toBranch({ what: "server", own: [], family: [], levels: [["A", "own", "__main__", [["__eq__", "method", "", "", 0, 1], ["__init__", "method", "", "", 0, 2], ["_threads", "value", "1", "", 0, 3], ["timeout", "value", "5", "", 0, 4], ["_handle", "method", "", "", 0, 5]], []]] });
  assert.deepEqual(shownDefinitions(values.levels[0]).map((one) => one.name), ["__init__", "timeout", "_handle"]);
  assert.deepEqual(shownDefinitions(branch.levels[3]), []);
  assert.deepEqual(namesIn(branch), ["__eq__", "handle_error", "__init__", "process_request", "server_close", "socket", "verify_request"]);
});
