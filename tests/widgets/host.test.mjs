// Which program shows the page, by the marks that each leaves there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostName } from "../../nbserver/widgets/js/host.js";

const named = (dataset, { config, dock, ...more } = {}) => hostName({
  document: {
    body: { dataset },
    getElementById: (id) => ({ "jupyter-config-data": config === undefined ? null : { textContent: config }, "jp-main-dock-panel": dock ?? null })[id],
  },
  ...more,
});

test("each host is known by its marks", () => {
  const lab = JSON.stringify({ appName: "JupyterLab", appVersion: "4.6.6" });
  assert.equal(named({ jpThemeName: "JupyterLab Light" }, { config: lab }), "JupyterLab 4.6.6");
  assert.equal(named({}, { config: '{"appName": "Jupyter Notebook", "appVersion": "7.6.5"}' }), "Jupyter Notebook 7.6.5");
  assert.equal(named({ jpThemeName: "JupyterLab Dark" }), "JupyterLab");
  assert.equal(named({}, { dock: {} }), "JupyterLab");
  assert.equal(named({ voila: "voila", jpThemeName: "JupyterLab Light" }, { config: lab }), "Voilà");
  assert.equal(named({ vscodeThemeKind: "vscode-dark" }), "VS Code");
  assert.equal(named({}, { google: { colab: {} } }), "Colab");
});

test("what is no host of ours is unknown, and no name is too long for the kernel", () => {
  assert.equal(named({}), "unknown");
  assert.equal(named({}, { config: "no JSON" }), "unknown");
  assert.equal(named({}, { config: JSON.stringify({ appName: "x".repeat(100) }) }).length, 60);
});
