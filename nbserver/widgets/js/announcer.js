// What a screen reader hears of a log: each message while they come slowly, and how many there were while they come fast.
import { h, text } from "./dom.js";

const APART = 1500; // milliseconds between two announcements
const APART_FAST = 5000;
const MOST = 3; // messages that are read out in one announcement

/** `say(messages, count)` is called now and then; `count` is how many came, and `messages` is empty if they were too many. */
export function makePace(say, { later = setTimeout, forget = clearTimeout } = {}) {
  let [messages, count, timer] = [[], 0, 0];
  function tell() {
    const isFast = count > MOST;
    timer = 0;
    if (!count) return;
    say(isFast ? [] : messages, count);
    [messages, count] = [[], 0];
    timer = later(tell, isFast ? APART_FAST : APART);
  }
  return {
    add(message, times = 1) {
      count += times;
      if (count <= MOST) messages.push(message);
      if (!timer) tell();
    },
    clear() {
      forget(timer);
      [messages, count, timer] = [[], 0, 0];
    },
  };
}

/** A place that is not seen, only heard. `words()` gives the person's language. */
export function makeAnnouncer(words) {
  const element = h("div", { class: "nbs-spoken", "aria-live": "polite", "aria-atomic": "true" });
  const say = (messages, count) => text(element, messages.join(" · ") || words()("spoken", { count }));
  const pace = makePace(say);
  return {
    element,
    add: pace.add,
    say: (message) => text(element, message),
    clear() { pace.clear(); text(element, ""); },
  };
}
