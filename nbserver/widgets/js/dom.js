// The only ways in which this board makes elements. Text from a peer comes in as text nodes and as attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function apply(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value);
    else attribute(element, name, value);
  }
}

/** An element with attributes, listeners (`onClick`) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, properties);
  element.append(...children);
  return element;
}

export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, properties);
  element.append(...children);
  return element;
}

/** Sets an attribute if it is not so already; true means present, false and null absent. */
export function attribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== (value === true ? "" : String(value))) element.setAttribute(name, value === true ? "" : value);
}

/** Sets the text if it is not so already: an unchanged node costs no layout and says nothing to a screen reader. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** Sets several attributes at once. */
export function attributes(element, values) {
  for (const [name, value] of Object.entries(values)) attribute(element, name, value);
}

/** Text from the other end: its direction of writing stays its own. */
export const peerText = (value, properties = {}) => h("bdi", { dir: "auto", ...properties }, value);

/** Tokens of text.js as nodes. `words` explains each chip. */
export function tokenNodes(tokens, words) {
  return tokens.map((token) => {
    if (token.kind === "text") return peerText(token.text);
    if (token.kind === "break") return h("br");
    const key = ["half", "joined", "raw"].includes(token.kind) ? token.kind : `chip.${token.kind}`;
    return h("span", { class: `nbs-chip is-${token.kind}`, title: words(key) }, token.text);
  });
}

/** Runs `draw` at most once a frame, and only while `element` can be seen. Returns the function that asks for a drawing. */
export function whenVisible(element, signal, draw) {
  let [isVisible, isWanted, frame] = [true, false, 0];
  const run = () => {
    frame = 0;
    if (!isVisible || signal.aborted) return;
    isWanted = false;
    draw();
  };
  const ask = () => {
    isWanted = true;
    if (isVisible && !frame) frame = requestAnimationFrame(run);
  };
  const observer = new IntersectionObserver((entries) => {
    isVisible = entries.at(-1).isIntersecting;
    if (isVisible && isWanted) ask();
  }, { rootMargin: "200px" });
  observer.observe(element);
  signal.addEventListener("abort", () => { observer.disconnect(); cancelAnimationFrame(frame); });
  return ask;
}
