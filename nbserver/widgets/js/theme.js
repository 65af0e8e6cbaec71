// Light or dark, and whether the contrast is to be high: two facts, because a dark page may be either.

function fromLuminance(element) {
  for (let node = element; node; node = node.parentElement) {
    const [red, green, blue, alpha = 1] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (alpha > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** What the page says about its theme: JupyterLab, Visual Studio Code, Colab, or else the colour behind us. */
export function readTheme(element) {
  const { body, documentElement } = document;
  const { jpThemeLight, jpThemeName = "", vscodeThemeKind } = body.dataset;
  const isHigh = /high contrast/i.test(jpThemeName) || /high-contrast/.test(vscodeThemeKind ?? "") || matchMedia("(prefers-contrast: more)").matches;
  if (jpThemeLight) return { isDark: jpThemeLight === "false", isHigh };
  if (vscodeThemeKind) return { isDark: !/light/.test(vscodeThemeKind), isHigh };
  const theme = documentElement.getAttribute("theme");
  return { isDark: theme ? theme === "dark" : fromLuminance(element.parentElement), isHigh };
}

/** Keeps `data-theme` and `data-contrast` of an element up to date; `isHighChosen()` is what the person chose. Returns the function that looks again. */
export function followTheme(element, signal, isHighChosen) {
  const apply = () => {
    const { isDark, isHigh } = readTheme(element);
    element.dataset.theme = isDark ? "dark" : "light";
    element.dataset.contrast = isHigh || isHighChosen() ? "high" : "normal";
  };
  const observer = new MutationObserver(apply);
  for (const node of [document.body, document.documentElement]) observer.observe(node, { attributes: true });
  for (const query of ["(prefers-contrast: more)", "(prefers-color-scheme: dark)"]) matchMedia(query).addEventListener("change", apply, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  apply();
  return apply;
}
