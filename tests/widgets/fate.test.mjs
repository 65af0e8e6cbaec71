import assert from "node:assert/strict";
import { test } from "node:test";
import { followKernel } from "../../nbserver/widgets/js/fate.js";
import { makeLink } from "../../nbserver/widgets/js/link.js";
import { makeStore } from "../../nbserver/widgets/js/store.js";

class Signal {
  slots = new Set();
  connect(slot) { this.slots.add(slot); }
  disconnect(slot) { this.slots.delete(slot); }
  emit(value) { for (const slot of this.slots) slot(this, value); }
}

function follow() {
  const kernel = { statusChanged: new Signal(), connectionStatusChanged: new Signal(), disposed: new Signal() };
  const [told, life] = [[], new AbortController()];
  followKernel(kernel, (fate) => told.push(fate), life.signal);
  return { kernel, told, life };
}

test("a cut connection is told, and that it is there again", () => {
  const { kernel, told } = follow();
  for (const status of ["connecting", "disconnected", "connected"]) kernel.connectionStatusChanged.emit(status);
  for (const status of ["idle", "busy"]) kernel.statusChanged.emit(status);
  assert.deepEqual(told, ["cut", "lost", ""]);
});

test("a restarted kernel is told once and for all, whatever follows", () => {
  for (const [signal, value, fate] of [["statusChanged", "restarting", "restarted"], ["statusChanged", "autorestarting", "restarted"], ["statusChanged", "dead", "over"], ["disposed", undefined, "over"]]) {
    const { kernel, told } = follow();
    kernel[signal].emit(value);
    kernel.connectionStatusChanged.emit("connecting");
    kernel.connectionStatusChanged.emit("connected");
    kernel.statusChanged.emit("dead");
    assert.deepEqual(told, [fate]);
  }
});

test("a page without a handle on the kernel is told nothing, and one that is closed hears no more", () => {
  followKernel(undefined, assert.fail, new AbortController().signal);
  followKernel({}, assert.fail, new AbortController().signal);
  const { kernel, told, life } = follow();
  life.abort();
  kernel.statusChanged.emit("dead");
  assert.deepEqual(told, []);
});

test("after a cut everything is asked for anew; after a restart nothing is", () => {
  const said = [];
  const store = makeStore({ say: (request) => said.push(request.do), changed: () => {}, clock: () => 0, later: () => {} });
  store.handle({ t: "snap", v: 1, ep: "life", q: 1, now: 0, server: { state: "serving" }, counts: {}, connections: [], clients: [] });
  assert.equal(store.meet("cut"), false);
  assert.equal(store.isStale(), true);
  assert.equal(store.meet(""), false);
  assert.deepEqual([store.isStale(), said], [false, ["hello"]]);
  assert.equal(store.meet("restarted"), true);
  store.hello();
  assert.deepEqual([store.isStale(), store.server.state, said], [true, "stopped", ["hello"]]);
});

test("a wish after the end is refused at once, and so is one on its way", async () => {
  const link = makeLink({ get: () => false, send: () => {} }, { later: () => 0, forget: () => {} });
  const early = link.wish({ do: "stop" });
  link.close("restarted");
  assert.deepEqual([(await early).code, (await link.wish({ do: "stop" })).code], ["restarted", "restarted"]);
});
