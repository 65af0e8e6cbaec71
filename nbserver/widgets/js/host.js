// Which program shows this page. The kernel cannot know; its doctor() says what it is told.

const LONGEST = 60; // characters, as the kernel checks

/** What Jupyter's own pages say of themselves. */
function jupyterName(document) {
  try {
    const { appName = "", appVersion = "" } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
    return `${appName} ${appVersion}`.trim();
  } catch {
    return ""; // no page of Jupyter's
  }
}

export function hostName({ document, google } = globalThis) {
  const marks = document.body.dataset;
  if (marks.voila !== undefined) return "Voilà";
  if (marks.vscodeThemeKind !== undefined) return "VS Code";
  if (google?.colab) return "Colab";
  const name = jupyterName(document) || (marks.jpThemeName !== undefined || document.getElementById("jp-main-dock-panel") ? "JupyterLab" : "");
  return name.slice(0, LONGEST) || "unknown";
}
