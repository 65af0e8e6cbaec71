// Who can reach the server: a few words in the head, and a panel to be read from the last row, with a QR code for a telephone.
import { localAddress } from "./browser.js";
import { makeDisclosure } from "./disclosure.js";
import { attribute, attributes, h, svg, text } from "./dom.js";

const QUIET = 4; // modules of white around a QR code, as its standard wants (ISO/IEC 18004)

/** The addresses as they are typed: a browser wants to know whether it speaks TLS. */
export function typedAddresses({ reach, link }) {
  if (reach.zone === "machine") return reach.addresses.map(localAddress);
  const scheme = !link ? "" : link.tls ? "https://" : "http://";
  return reach.addresses.map((address) => scheme + address);
}

/** Whether an address is one by which a machine means itself. */
const isLoopback = (address) => /^(127\.|localhost:|\[::1\])/.test(address);

/** Who can reach it, in a few words. */
export function reachText(server, words) {
  const [address] = typedAddresses(server);
  return words(`reach.${address || server.reach.zone === "machine" ? server.reach.zone : "nowhere"}`, { address });
}

/** Who can reach it, from the nearest to the farthest: a beginner looks for oneself in it. */
function makeRings() {
  const [kernel, machine, network] = [h("li"), h("li"), h("li")];
  return {
    element: h("ul", { class: "nbs-reach-rings" }, kernel, machine, network),
    show({ zone }, words) {
      text(kernel, `✓ ${words("reach.ring.kernel")}`);
      text(machine, `✓ ${words("reach.ring.machine")}`);
      text(network, zone === "machine" ? `✗ ${words("reach.ring.notNetwork")}` : `✓ ${words("reach.ring.network")}`);
    },
  };
}

/** The dark modules of a QR code as one path: a rectangle for each run of them. */
export function qrPath(rows) {
  return rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map(({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`)).join("");
}

/** Black on white in every theme: a camera reads nothing else as surely. */
function makeCode() {
  const [ground, modules] = [svg("rect", { x: -QUIET, y: -QUIET, fill: "#fff" }), svg("path", { fill: "#000" })];
  const element = svg("svg", { class: "nbs-qr", role: "img", "shape-rendering": "crispEdges" }, ground, modules);
  return {
    element,
    show(rows, name) {
      const size = rows.length + 2 * QUIET;
      attributes(element, { viewBox: `${-QUIET} ${-QUIET} ${size} ${size}`, "aria-label": name });
      attributes(ground, { width: size, height: size });
      attribute(modules, "d", qrPath(rows));
    },
  };
}

export function makeReach(hub) {
  const code = makeCode();
  const rings = makeRings();
  const [who, address, others, first, wider, means] = ["who", "large", "others", "first", "wider", "means"].map((name) => h("p", { class: `nbs-reach-${name}` }));
  const [label, hello] = [h("span"), h("code")];
  first.append(label, " ", hello);
  const disclosure = makeDisclosure(hub, "reach", code.element, h("div", { class: "nbs-reach" }, who, address, others, first, rings.element, wider, means));

  function showPanel(server, words) {
    const { zone, qr, token, wider: isWider } = server.reach;
    const [typed = "", ...more] = typedAddresses(server);
    text(who, words(typed ? `who.${zone}` : "reach.nowhere"));
    text(address, typed);
    text(others, more.length ? words("orType", { addresses: more.join(", ") }) : "");
    text(label, words("firstLine"));
    text(hello, `HELLO ${token}`);
    attribute(first, "hidden", !token);
    rings.show(server.reach, words);
    text(wider, isWider ? words("wider") : "");
    text(means, isLoopback(typed) ? words("loopback") : "");
    attribute(code.element, "hidden", !qr.length);
    if (qr.length) code.show(qr, typed);
  }

  return {
    button: disclosure.button, panel: disclosure.panel,
    show(server, words) {
      const isThere = Boolean(server.reach);
      attribute(disclosure.button, "hidden", !isThere);
      if (!isThere) return;
      for (const element of [disclosure.button, disclosure.panel]) element.dataset.zone = server.reach.zone;
      disclosure.show({ label: reachText(server, words), title: words("whoCanReach"), hint: server.reach.wider ? words("wider") : null, words });
      if (disclosure.isOpen()) showPanel(server, words);
    },
  };
}
