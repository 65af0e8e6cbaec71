// The hub of one server in one page: one comm, one store, and the drawing code that every thin view takes from here.
import { boardView } from "./js/board.js";
import { takeoverView } from "./js/card.js";
import { clientsView } from "./js/clients.js";
import { compareView } from "./js/compare.js";
import { makeDesk } from "./js/desk.js";
import { followKernel } from "./js/fate.js";
import { hostName } from "./js/host.js";
import { insideViews } from "./js/inside.js";
import { joinPage } from "./js/otherend.js";
import { makeLink } from "./js/link.js";
import { makeSettings } from "./js/settings.js";
import { makeStore } from "./js/store.js";
import { timelineView } from "./js/timeline.js";

const BEAT = 500; // milliseconds between two looks at the clock: ages, and whether the kernel fell silent

function emitter() {
  const listeners = new Set();
  const fire = () => { for (const listener of listeners) listener(); };
  const on = (listener, signal) => {
    listeners.add(listener);
    signal.addEventListener("abort", () => listeners.delete(listener));
  };
  return { fire, on };
}

function initialize({ model, signal }) {
  const changed = emitter();
  const link = makeLink(model, { isAlive: () => !store.isOver() && !store.isStale() });
  const store = makeStore({ say: link.say, changed: changed.fire, host: hostName() });
  const desk = makeDesk({ wish: link.wish, changed: changed.fire, life: () => store.epoch });
  const hub = { store, desk, link, settings: makeSettings(model, changed.fire), onChange: changed.on, shows: { connections: new Set(), clients: new Set() } };
  joinPage(hub, signal);

  model.on("msg:custom", (message, buffers = []) => {
    const all = message.t === "bundle" ? message.messages : [message];
    all.forEach((one, i) => {
      // Acks count even in a delta that the store must refuse: a wish is answered once, whatever was missed before it.
      for (const ack of one.acks ?? []) link.acked(ack);
      if (one.t === "ping") link.say({ do: "pong", rid: one.rid });
      store.handle(one, buffers.slice(i));
    });
  });
  followKernel(model.widget_manager?.kernel, (fate) => {
    const isOver = store.meet(fate);
    if (isOver) link.close(fate); // with the kernel's variables everything is gone that a wish could reach
    changed.fire();
  }, signal);
  const beat = setInterval(changed.fire, BEAT);
  signal.addEventListener("abort", () => { clearInterval(beat); store.close(); link.close(); });
  store.hello();
  const views = { board: boardView, clients: clientsView, compare: compareView, takeover: takeoverView, timeline: timelineView };
  const bound = Object.entries(views).map(([name, view]) => [name, (context) => view(hub, context)]);
  return { views: { ...Object.fromEntries(bound), ...insideViews(hub) } };
}

export default { initialize };
