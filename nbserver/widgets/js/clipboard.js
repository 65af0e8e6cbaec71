// Text into the clipboard. A page that came over plain http from another machine has no navigator.clipboard.
import { h } from "./dom.js";

/** Copies by way of a text that is selected for a moment; what had the focus has it again. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const box = h("textarea", { readonly: true, style: "position: fixed; opacity: 0;" });
  box.value = text;
  document.body.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  focused?.focus({ preventScroll: true });
  return isCopied;
}

/** Returns whether the browser let it be copied. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    console.debug("nbserver: no clipboard for this page, copying by selection", error);
    return copyBySelection(text);
  }
}
