// The whole of a thin view: store, drawing code and words come from the hub, so that they exist once in a page.

function complain(el, text) {
  const line = document.createElement("p");
  line.setAttribute("role", "alert");
  line.textContent = text;
  el.append(line);
}

async function render({ model, el, host, signal }) {
  if (!host?.getWidget) {
    complain(el, "nbserver: this page cannot show the board, its anywidget is older than 0.11 (no host.getWidget).");
    return undefined;
  }
  try {
    const { exports } = await host.getWidget(model.get("hub"));
    return exports.views[model.get("view")]({ el, signal });
  } catch (error) {
    complain(el, `nbserver: the board's hub cannot be reached (${error.message}). Run the cell again.`);
    return undefined;
  }
}

export default { render };
