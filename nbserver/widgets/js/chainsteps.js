// What the call chain says of its calls. Nothing in here draws.
import { duration } from "./format.js";

const HUES = 7; // colours of classes; `object` has none

/** The word for how a call stands. */
export const STATES = {
  unseen: "chain.unseen", returned: "chain.returned", raised: "chain.raised", running: "chain.running", held: "chain.isHeld", "to come": "chain.toCome",
};

/** The number of a class's colour: the same wherever its name stands. `classes` are all that are shown, in their order. */
export function hueOf(classes, name) {
  const at = classes.filter((one) => one !== "object").indexOf(name);
  return at < 0 ? "none" : String(at % HUES);
}

/** Where the chain is now: the call that is held; else the one that runs, of those inside each other the innermost; else the last that was made. */
export function reachedAt(calls) {
  const held = calls.findIndex((call) => call.state === "held");
  if (held >= 0) return held;
  const begun = calls.map((call, at) => [call.begin ?? -Infinity, at]).filter(([begin]) => begin > -Infinity);
  const running = calls.map((call, at) => at).filter((at) => calls[at].state === "running" && calls[at].name !== "serve_forever");
  if (running.length) return running.at(-1);
  return begun.length ? begun.at(-1)[1] : 0;
}

/** Seconds as one reads them beside a call. */
export function lasting(seconds) {
  if (seconds >= 10) return duration(seconds);
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  const milliseconds = seconds * 1000;
  return milliseconds < 0.01 ? "< 0.01 ms" : `${milliseconds.toFixed(milliseconds < 1 ? 2 : milliseconds < 10 ? 1 : 0)} ms`;
}

/** How long a call took, has been running, or what else is to be said of it. */
export function took(call, now, words) {
  if (call.state === "unseen") return words("chain.before");
  if (call.state === "held") return words("chain.waitsForNext");
  if (call.state === "running" && call.begin !== null) return lasting(Math.max(0, now - call.begin));
  return call.seconds === null ? "" : lasting(call.seconds);
}

/** The steps of a look-up: the classes in their order, each with whether it is passed, has it, or is not asked any more. */
export function lookUp(order, found) {
  const at = order.indexOf(found);
  return order.map((name, i) => ({ name, how: at < 0 || i > at ? "rest" : i < at ? "passed" : "found" }));
}
