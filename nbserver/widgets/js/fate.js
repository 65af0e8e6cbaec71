// What becomes of the kernel, as far as the page is told: the connection to it is cut, it was restarted, it has ended.

const LINKS = { connected: "", connecting: "cut", disconnected: "lost" };
const ENDS = { restarting: "restarted", autorestarting: "restarted", dead: "over" };

/** Calls `told` with "" (all is well), "cut" (and tried again), "lost" (and given up), and once and for all with "restarted" or "over". Not every host tells. */
export function followKernel(kernel, told, signal) {
  let isOver = false;
  const tell = (fate) => {
    if (isOver) return;
    isOver = fate === "restarted" || fate === "over";
    told(fate);
  };
  const slots = {
    statusChanged: (_, status) => { if (ENDS[status]) tell(ENDS[status]); },
    connectionStatusChanged: (_, status) => tell(LINKS[status] ?? ""),
    disposed: () => tell("over"),
  };
  for (const [name, slot] of Object.entries(slots)) {
    kernel?.[name]?.connect(slot);
    signal.addEventListener("abort", () => kernel?.[name]?.disconnect(slot));
  }
}
