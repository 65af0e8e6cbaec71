// A view that fills the page, for the last row of the classroom. It goes to the browser's top layer where it stands: what
// JupyterLab puts around a cell (`contain`, windowing) would clip anything that is only positioned, and a view that is moved
// in the page would lose its focus and what is typed in it.

const FOCUSABLE = "button, input, select, textarea, summary, a[href], [tabindex='0']";

const rootOf = (element) => element.closest(".nbs");

export const isPresenting = (element) => rootOf(element)?.classList.contains("is-presenting") ?? false;

export function setPresenting(element, isOn) {
  const root = rootOf(element);
  if (!root || isOn === isPresenting(root)) return;
  root.classList.toggle("is-presenting", isOn);
  if (!root.showPopover) return; // an old browser: the style sheet does what it can
  if (isOn) {
    root.popover = "manual"; // a light one would close at a click beside it
    root.showPopover();
  } else {
    root.hidePopover();
    root.removeAttribute("popover"); // which hides an element that is not shown as one
  }
}

/** The element that Tab leads to, if that would leave a view that fills the page: what is behind it cannot be seen. */
function wrapped(root, event) {
  const found = [...root.querySelectorAll(FOCUSABLE)].filter((each) => !each.disabled && each.tabIndex >= 0 && each.checkVisibility());
  const [edge, other] = event.shiftKey ? [found[0], found.at(-1)] : [found.at(-1), found[0]];
  return event.target === edge ? other : null;
}

/** Escape ends it, and Tab stays inside. `changed` asks for a drawing. */
export function followKeys(root, changed) {
  root.addEventListener("keydown", (event) => {
    if (!isPresenting(root) || event.defaultPrevented) return;
    if (event.key === "Escape") {
      setPresenting(root, false);
      changed();
    } else if (event.key === "Tab") {
      const next = wrapped(root, event);
      if (!next) return;
      next.focus();
    } else return;
    event.preventDefault();
  });
}
