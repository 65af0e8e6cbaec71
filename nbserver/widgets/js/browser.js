// How a browser opens a server that speaks HTTP, from the page that shows the board.
import { attribute, attributes, h, text } from "./dom.js";

const HERE = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Where the notebook's server has its pages: from JupyterLab's and Voilà's settings, or the classic notebook's; "" elsewhere. */
export function baseUrlOf(page) {
  const settings = page.getElementById("jupyter-config-data")?.textContent;
  try {
    const { baseUrl } = JSON.parse(settings || "{}");
    if (baseUrl) return baseUrl;
  } catch (error) {
    console.debug("nbserver: the page's settings are no JSON", error);
  }
  return page.body.dataset.baseUrl ?? "";
}

/** Where this machine itself finds what is bound to an address; every address includes its own. */
export const localAddress = (address) => address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");

/**
 * The address by which a page opens `server`: {href, why}, and null if it is none for a browser. Without an address
 * `why` names what is missing.
 */
export function addressFor({ link, reach, address }, { hostname, baseUrl }) {
  if (!link) return null;
  if (reach?.token) return { href: "", why: "token" };
  const host = localAddress(address).replace(/:\d+$/, "");
  if (HERE.has(hostname)) return { href: `${link.tls ? "https" : "http"}://${host}:${link.port}/`, why: "" };
  if (!link.proxy || !baseUrl || !HERE.has(host)) return { href: "", why: "proxy" };
  if (link.tls) return { href: "", why: "tls" }; // what goes through jupyter-server-proxy is plain HTTP
  return { href: `${baseUrl.replace(/\/*$/, "/")}proxy/${link.port}/`, why: "" };
}

export function makeBrowserLink() {
  const link = h("a", { class: "nbs-link", target: "_blank", rel: "noopener noreferrer" });
  const place = h("span", { hidden: true });
  return {
    element: place,
    show(server, words) {
      const found = server.state === "serving" ? addressFor(server, { hostname: location.hostname, baseUrl: baseUrlOf(document) }) : null;
      attribute(place, "hidden", !found);
      if (!found) { link.remove(); return; }
      if (!link.isConnected) place.append(link);
      text(link, words("openInBrowser"));
      // A link that leads nowhere is still reached by keyboard, because its tool tip says why.
      const nowhere = found.href ? {} : { role: "link", "aria-disabled": "true", tabindex: "0" };
      const title = found.href || words(`link.${found.why}`);
      attributes(link, { href: found.href || null, role: null, "aria-disabled": null, tabindex: null, title, ...nowhere });
    },
  };
}
