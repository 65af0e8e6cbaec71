// Who waits for whom, in words. No DOM in here: node --test runs it as it is.
import { bytes, duration } from "./format.js";

/** A time of waiting: tenths of a second as long as they can be read, "4.2 s", "12 s". */
export const spent = (seconds) => (seconds < 9.95 ? `${Math.max(0, seconds).toFixed(1)} s` : duration(seconds));

/** How somebody is called: [kind, number, name] of the kernel (PROTOCOL.md). */
export const nameOf = ([kind, number, name], words) => words(`waits.who.${kind}`, { number, name });

export const keyOf = ([kind, number, name]) => `${kind} ${number} ${name}`;

const isSame = (one, other) => Boolean(one && other) && keyOf(one) === keyOf(other);

/** What a thread does, with the time that it has done so. `box` as the kernel tells it. */
export function doing(box, now, words) {
  if (!box.why) return words(box.who[0] === "peer" && box.who[1] ? "waits.halfClosed" : "waits.elsewhere");
  const [kind, number] = box.who;
  const who = kind === "connection" ? words("waits.handler", { number }) : nameOf(box.who, words);
  const whom = box.whom ? nameOf(box.whom, words) : "";
  return words(`waits.${box.why}`, { who, whom, call: box.call, time: spent(now - box.since) });
}

/** Which way the waiting goes between the two ends of a row: "none", "there" (left for right), "back", or "both". */
export function direction(left, right) {
  const [there, back] = [isSame(left?.whom, right?.who), isSame(right?.whom, left?.who)];
  return there && back ? "both" : there ? "there" : back ? "back" : "none";
}

/** How far what was sent has come: [name, bytes] of the parts of a bar, or null while nothing is under way. */
export function parts(carried) {
  if (!carried) return null;
  const [, , queued, unread, read] = carried;
  if (!(queued || unread)) return null;
  return [["read", read ?? 0], ["unread", unread ?? 0], ["queued", queued ?? 0]];
}

/** The same as a sentence. */
export function carriedWords([sent, sending, queued, unread, read], words) {
  const said = [words(sending ? "waits.sending" : "waits.sent", { sent: bytes(sent), sending: bytes(sending) })];
  if (read !== null) said.push(words("waits.bar.read", { count: bytes(read) }));
  if (unread) said.push(words("waits.bar.unread", { count: bytes(unread) }));
  if (queued) said.push(words("waits.bar.queued", { count: bytes(queued) }));
  return said.join(" · ");
}

/** "#1 waits in recv() for client 1, client 1 waits in recv() for #1". */
export const circleWords = (cycle, words) => cycle.map((box) => words(`waits.in.${box.why === "serve" ? "serve" : "call"}`, {
  who: nameOf(box.who, words), call: box.call, whom: nameOf(box.whom, words),
})).join(words("comma"));

/** "940 more in recv(), 3 more waiting for you"; "" if all are shown. */
export function moreWords(more, words) {
  const known = ["receive", "send", "person"];
  return Object.entries(more).map(([why, count]) => words(`waits.many.${known.includes(why) ? why : "other"}`, { count })).join(words("comma"));
}
