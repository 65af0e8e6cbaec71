const text = (name) => fetch(name).then((answer) => answer.text());
// What anywidget gives to a widget: a model with traits and messages, and a host that finds another widget's exports.
const load = async (name) => {
  const url = URL.createObjectURL(new Blob([await text(name)], { type: "text/javascript" }));
  return (await import(url)).default;
};
function makeModel(traits) {
  const listeners = [];
  return {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; this.fire(`change:${name}`); },
    save_changes() { this.saved = { ...traits }; },
    on: (name, listener) => listeners.push([name, listener]),
    off() {},
    fire(name, ...values) { for (const [wanted, listener] of listeners) if (wanted === name) listener(...values); },
    send: (request) => window.wishes.push({ ...request, via: "comm" }),
  };
}
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.wishes = [];
// No time passes in the page but what the kernel's messages tell, lest the machine's speed decide what is seen; or as in life.
const clock = performance.now.bind(performance);
let told = 0, now = clock(), ahead = 0, isPassing = false;
performance.now = () => (isPassing ? clock() + ahead : now);
window.letTimePass = () => { isPassing = true; ahead = Math.max(0, now - clock()); };
window.start = async (traits) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: await text("nbserver.css") }));
  const hub = makeModel({ key: "hub-1", lang: "en", scale: 1, control: false, ...traits });
  window.hub = hub;
  const life = new AbortController();
  const exports = await (await load("hub.js")).initialize({ model: hub, signal: life.signal });
  window.endHub = () => life.abort();
  const view = await load("view.js");
  window.show = async (name, host = { getWidget: async (ref) => ({ exports, ref }) }) => {
    const el = document.body.appendChild(document.createElement("div"));
    const controller = new AbortController();
    const model = makeModel({ hub: "anywidget:hub", view: name });
    const cleanUp = await view.render({ model, el, host, signal: controller.signal });
    window.hide = () => { controller.abort(); cleanUp?.(); };
  };
};
window.play = (message, body) => {
  if (told && message.now > told) now += 1000 * (message.now - told);
  told = message.now ?? told;
  const padded = bytesOf(btoa("xxx") + body); // the body begins inside a larger buffer, as it does in JupyterLab
  window.hub.fire("msg:custom", message, body ? [new DataView(padded.buffer, 3)] : []);
  return new Promise(requestAnimationFrame); // the views have asked for this frame before
};
