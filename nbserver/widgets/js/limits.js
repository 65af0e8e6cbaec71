// What a server allows: what a limit does at this moment, and all limits that are set, in words.
import { makeDisclosure } from "./disclosure.js";
import { h } from "./dom.js";
import { binaryBytes, grouped } from "./format.js";

// In the order of a client's life: that it comes, its first words, what it says, what is kept of it.
const NAMES = [
  "max_connections", "max_per_peer", "handshake_seconds", "first_byte_seconds", "request_seconds", "idle_seconds", "send_seconds",
  "max_line", "transcript_bytes", "transcripts_bytes",
];

/** What a limit does now, in words; "" if none bites. */
export function limitText(limit, words) {
  const [code, ...rest] = (limit ?? "").split(" ");
  if (code === "away") return words("limit.away", { count: grouped(Number(rest[0])), reason: words.note(rest.slice(1).join(" ")) });
  const [open, most, waiting] = rest.map((number) => grouped(Number(number)));
  const wait = { undefined: "", 0: "", 1: ".one" }[waiting] ?? ".some";
  return code ? words(`limit.${code}${wait}`, { open, most, waiting }) : "";
}

function amount(name, value, words) {
  if (name.endsWith("_seconds")) return words("seconds", { count: grouped(value) });
  return name === "max_line" || name.endsWith("_bytes") ? binaryBytes(value) : grouped(value);
}

/** The limits that are set, each in words with its unit. */
export function limitLines(limits, words) {
  const isSet = (name) => limits[name] !== undefined && limits[name] !== null;
  const key = (name) => (name === "max_connections" && limits[name] === 1 ? "limits.one_connection" : `limits.${name}`);
  return NAMES.filter(isSet).map((name) => words(key(name), { value: amount(name, limits[name], words) }));
}

export function makeLimits(hub) {
  const [list, title] = [h("ul", { class: "nbs-limits" }), h("b")];
  const disclosure = makeDisclosure(hub, "limits", title, list);
  let shown = "";
  return {
    button: disclosure.button, panel: disclosure.panel,
    show(limits, words) {
      disclosure.show({ label: words("limits"), title: words("limits"), words });
      const lines = limitLines(limits ?? {}, words);
      if (lines.join("\n") === shown) return;
      shown = lines.join("\n");
      title.textContent = words("limits");
      list.replaceChildren(...lines.map((line) => h("li", {}, line)));
    },
  };
}
