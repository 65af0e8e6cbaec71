// Numbers, times and addresses as a person reads them.

const pad = (number, width = 2) => String(number).padStart(width, "0");

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const [unit, size] = count < 1e6 ? ["kB", count / 1e3] : count < 1e9 ? ["MB", count / 1e6] : ["GB", count / 1e9];
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`;
}

/** A limit of memory, which is a power of two as a rule: "64 MiB". */
export function binaryBytes(count) {
  const unit = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]].find(([size]) => count >= size);
  return unit ? `${grouped(Math.round((count / unit[0]) * 10) / 10)} ${unit[1]}` : `${grouped(count)} B`;
}

const GROUPS = new Intl.NumberFormat("en"); // once: toLocaleString() makes one for each number, and costs milliseconds a drawing

/** A number that a person is to read exactly: "1,000". */
export const grouped = (number) => GROUPS.format(number);

export function count(number) {
  if (number < 1e4) return String(number);
  return number < 1e6 ? `${(number / 1e3).toFixed(number < 1e5 ? 1 : 0)}k` : `${(number / 1e6).toFixed(1)}M`;
}

/** A duration in whole seconds, then in minutes and hours: "7 s", "3 m 05 s", "2 h 10 m". */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} m`;
}

/** A time of day with milliseconds, in the reader's time zone. `time` in seconds since 1970. */
export function clock(time) {
  const date = new Date(time * 1000);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** A day as people write it: "Thursday, 9 October 2025". `time` in seconds since 1970. */
export const day = (time, language) => DAYS[language].format(time * 1000);

const DAY = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const DAYS = { en: new Intl.DateTimeFormat("en-GB", DAY), zh: new Intl.DateTimeFormat("zh-CN", DAY) };

/** A time for `datetime`, from which a tool tip is made when somebody points at it. */
export const isoTime = (time) => new Date(time * 1000).toISOString();

/** Milliseconds between two messages of one burst: "+0.4 ms", "+12 ms". */
export const gap = (seconds) => `+${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

/** A peer for the list: on this machine the port alone tells one from another. */
export function shortPeer(peer) {
  const match = /^(?:127\.0\.0\.1|\[?::1\]?|localhost)(:\d+)$/.exec(peer);
  return match ? match[1] : peer;
}

/** The last line of a traceback that says something, and the whole of it. */
export function splitTraceback(text) {
  const lines = text.trimEnd().split("\n");
  return { summary: lines.findLast((line) => line.trim() !== "") ?? "", all: lines.join("\n") };
}

/** Points of a line through `values` in a box, newest at the right. */
export function sparkPoints(values, width, height) {
  const top = Math.max(1, ...values);
  const step = width / (values.length - 1);
  return values.map((value, i) => `${(i * step).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`).join(" ");
}

export function hexDump(bytes, limit = Infinity) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += 16) lines.push(hexLine(bytes.subarray(at, Math.min(at + 16, limit)), at, bytes.length));
  if (bytes.length > limit) lines.push(`… +${bytes.length - limit}`);
  return lines.join("\n");
}

/** `size` is that of the whole: a line alone needs no column for bytes that are not there. */
function hexLine(row, at, size) {
  const digits = Array.from(row, (byte) => pad(byte.toString(16)));
  const letters = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
  const halves = [digits.slice(0, 8), digits.slice(8)].map((half) => half.join(" ")).filter((half) => half || size > 16);
  const columns = size > 16 ? halves.map((half) => half.padEnd(23)) : halves;
  return `${pad(at.toString(16), 4)}  ${columns.join("  ")}  ${letters}`;
}
