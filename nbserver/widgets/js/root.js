// What every view shares: the outermost element with its theme, its size, its silence towards JupyterLab, and its notices.
import { attribute, attributes, h, text, whenVisible } from "./dom.js";
import { duration } from "./format.js";
import { followBoardKeys } from "./keys.js";
import { followKeys, setPresenting } from "./presenting.js";
import { reasonOf } from "./replybox.js";
import { followTheme } from "./theme.js";

/** Why what is shown may not be so, or "". */
function staleText(store, words) {
  if (store.fate) return words(`fate.${store.fate}`);
  if (!store.hasSnapshot) return words("waitingKernel");
  return store.isStale() ? words("stale", { time: duration(store.silence()) }) : "";
}

/** Lines that every view may have to say: the kernel is silent, a wish was refused. */
function makeNotices(hub) {
  const stale = h("div", { class: "nbs-stale", role: "status", hidden: true });
  const reason = h("span");
  const dismiss = h("button", { class: "nbs-discard", type: "button", onClick: () => hub.desk.set({ notice: null }) }, "×");
  const refused = h("div", { class: "nbs-notice", role: "alert", hidden: true }, reason, dismiss);
  return {
    elements: [stale, refused],
    show(words) {
      const { store, desk } = hub;
      attribute(stale, "hidden", store.hasSnapshot && !store.isStale());
      text(stale, staleText(store, words));
      attribute(refused, "hidden", !desk.notice);
      text(reason, desk.notice ? words(desk.notice.ok ? "partly" : "refused", { reason: reasonOf(desk.notice, words) }) : "");
      attribute(dismiss, "aria-label", words("dismiss"));
    },
  };
}

/** `show(words)` draws the view's own part and returns its accessible name. Returns the function that asks for a drawing. */
export function makeRoot(hub, el, signal, children, show) {
  const { store, settings } = hub;
  const notices = makeNotices(hub);
  const content = h("div", { class: "nbs-content" }, ...notices.elements, ...children);
  // Lumino, which runs JupyterLab's keyboard shortcuts, looks for this attribute before it takes a key.
  const root = h("div", { class: "nbs", role: "region", "data-lm-suppress-shortcuts": "true" }, content);
  let [look, isHigh] = [() => {}, settings.isHighContrast()];
  followBoardKeys(root, hub);
  followKeys(root, () => hub.desk.set({}));
  for (const name of ["keydown", "keyup", "keypress"]) root.addEventListener(name, (event) => event.stopPropagation());

  function draw() {
    const words = settings.words();
    attributes(root, { lang: settings.language() === "zh" ? "zh-CN" : "en", style: `--nbs-scale: ${settings.scale()}` });
    root.classList.toggle("is-stale", store.hasSnapshot && store.isStale());
    root.classList.toggle("is-empty", !store.hasSnapshot);
    if (isHigh !== settings.isHighContrast()) { isHigh = !isHigh; look(); }
    notices.show(words);
    attribute(root, "aria-label", show(words));
  }

  const ask = whenVisible(root, signal, draw);
  hub.onChange(ask, signal);
  el.append(root);
  look = followTheme(root, signal, settings.isHighContrast);
  signal.addEventListener("abort", () => { setPresenting(root, false); root.remove(); });
  draw();
  return ask;
}
