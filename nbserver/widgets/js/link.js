// Wishes on their way to the kernel: over the control channel, which a running cell does not hold up, or over the comm.

const CONTROL_PATIENCE = 1500; // milliseconds without an ack, then the same wish goes once more, over the comm
const PATIENCE = 15000; // milliseconds until we tell the person that a kernel that says nothing has not answered
const refusal = (code) => ({ ok: false, code, error: `the kernel: ${code}` });

/** 32 random hex digits. Not crypto.randomUUID(): a page that came over plain http from another machine lacks it. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The Jupyter message that carries one wish over the control channel. */
export function controlMessage(kernel, hub, request) {
  return {
    channel: "control",
    header: {
      msg_id: newId(), msg_type: "nbserver_request", session: kernel.clientId,
      username: kernel.username ?? "", version: "5.3", date: new Date().toISOString(),
    },
    parent_header: {}, metadata: {}, content: { hub, request }, buffers: [],
  };
}

/** Sends over the control channel; false where the page has no handle on a living kernel, or the kernel does not listen there. */
function overControl(model, request) {
  const kernel = model.get("control") ? model.widget_manager?.kernel : undefined;
  if (!kernel?.sendControlMessage) return false;
  try {
    kernel.sendControlMessage(controlMessage(kernel, model.get("key"), request), false, true);
    return true;
  } catch (error) {
    console.debug("nbserver: the control channel refused, using the comm", error);
    return false;
  }
}

/** `isAlive()` says whether the kernel is heard: then what it does not answer waits for a running cell, and is not lost. */
export function makeLink(model, { later = setTimeout, forget = clearTimeout, isAlive = () => false } = {}) {
  const pending = new Map(); // rid → {resolve, timers}
  let closed = ""; // why

  /** One request, without waiting for anything. A second attempt takes the comm. Returns whether it took the control channel. */
  function say(request, attempt = 0) {
    const message = { rid: newId(), ...request };
    if (attempt === 0 && overControl(model, message)) return true;
    model.send(message);
    return false;
  }

  function settle(rid, ack) {
    const wish = pending.get(rid);
    if (!wish) return;
    pending.delete(rid);
    wish.timers.forEach(forget);
    wish.resolve(ack);
  }

  /** One request that the kernel answers. The promise never rejects: a refusal is an answer too. */
  function wish(request) {
    if (closed) return Promise.resolve(refusal(closed));
    const message = { ...request, rid: newId() };
    return new Promise((resolve) => {
      const timers = [];
      const insist = () => { if (isAlive()) timers[0] = later(insist, PATIENCE); else settle(message.rid, refusal("silent")); };
      timers[0] = later(insist, PATIENCE);
      pending.set(message.rid, { resolve, timers });
      try {
        if (say(message)) timers.push(later(() => say(message, 1), CONTROL_PATIENCE));
      } catch (error) {
        settle(message.rid, { ok: false, code: "refused", error: error.message });
      }
    });
  }

  return {
    say, wish,
    acked: (ack) => settle(ack.rid, ack),
    /** Nothing can be asked any more; `code` says why. */
    close(code = "silent") {
      closed = code;
      for (const rid of [...pending.keys()]) settle(rid, refusal(code));
    },
  };
}
