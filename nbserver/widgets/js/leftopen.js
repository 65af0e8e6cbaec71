// What is open, by the cell that made it: sockets and threads, and which of them nobody will close any more.
import { attribute, h, text } from "./dom.js";
import { makeKeyed } from "./keyed.js";

const NAMES = ["cell", "what", "sockets", "threads", "use"];

export function makeLeft() {
  const [label, body] = [h("summary"), h("tbody")];
  const heads = NAMES.map(() => h("th", { scope: "col" }));
  const table = h("table", { class: "nbs-lanetable" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const element = h("details", { class: "nbs-lanes nbs-wleft" }, label, table);
  const follow = makeKeyed(body, ([cell, what, kind, , , use]) => [cell, what, kind, use].join("\n"), () => {
    const cells = [h("th", { scope: "row" }), ...NAMES.slice(1).map(() => h("td"))];
    const row = h("tr", {}, ...cells);
    return {
      element: row,
      show([cell, what, kind, sockets, threads, use], words) {
        attribute(row, "data-use", use);
        const said = [cell || words("left.someCell"), words(`left.${kind}`, { what }), String(sockets), String(threads), words(`left.use.${use}`)];
        said.forEach((one, i) => text(cells[i], one));
      },
    };
  });
  return {
    element,
    show(found, words) {
      const sum = (at) => found.reduce((all, one) => all + one[at], 0);
      const orphans = found.filter((one) => one[5] !== "used").reduce((all, one) => all + one[3] + one[4], 0);
      attribute(element, "data-orphans", orphans > 0);
      text(label, words(orphans ? "left.summaryOrphans" : "left.summary", { sockets: sum(3), threads: sum(4), orphans }));
      attribute(table, "aria-label", words("left.title"));
      NAMES.forEach((name, i) => text(heads[i], words(`left.column.${name}`)));
      follow(found, words);
    },
  };
}
