"""How quick the board is: `python tests/bench/board.py` in a real JupyterLab, as tables in Markdown.

Beside it stands a panel of HTML, Text and Button for each connection, made of ipywidgets alone. The connections are
those of `crowd.py`; the latency of a reply is that of a real client with a real socket. A machine that does something
else as well makes all of it slower: the first line of the output says how busy it was before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, TimeoutError, sync_playwright  # noqa: E402

from tests.conftest import CHROMIUM_ARGS, find_chromium  # noqa: E402
from tests.lab.conftest import Lab, Notebook, write_notebook  # noqa: E402

SHOWN_SECONDS = 60.0  # what is not drawn by then is not drawn
TRUE_SECONDS = 20.0
MOST_WIDGETS = 1000  # connections of the panel made of ipywidgets; of more it draws nothing within minutes
REPLIES = 15
STATES = {"idle": "", "asleep": "import time; time.sleep(600)", "computing": "while True:\n    pass"}
ROWS = {"board": ".nbs-row", "ipywidgets": ".jp-OutputArea-output .widget-box .widget-box"}

# Counts what comes over websockets, frames and long tasks, and notes when something is first on the screen.
PROBE = """
window.bench = { bytes: 0, messages: 0, frames: [], long: [0], keys: 0, seen: {} };
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener("message", ({ data }) => {
      bench.messages += 1;
      bench.bytes += data.byteLength ?? data.size ?? data.length;
    });
  }
};
new PerformanceObserver((list) => bench.long.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: "longtask" });
let before = 0;
const frame = (now) => {
  if (before) bench.frames.push(now - before);
  before = now;
  for (const [name, look] of Object.entries(bench.looks ?? {})) {
    if (!(name in bench.seen) && look()) bench.seen[name] = Date.now();
  }
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
addEventListener("keydown", (event) => {
  if (event.key === "Enter") bench.keys = Date.now();
}, true);
"""
LOOK = """([name, rows, text]) => {
  const textOf = () => document.querySelector(rows)?.textContent ?? "";
  bench.looks = { ...bench.looks, [name]: () => text ? textOf().includes(text) : textOf() !== "" };
}"""
WAITS = """is => (document.querySelector(".nbs-row")?.dataset.state === "waiting") === is"""
RESET = "() => Object.assign(bench, { bytes: 0, messages: 0, frames: [], long: [0] })"

Figures = dict[str, float]
TITLES = {
    "first": "first board, ms",
    "fps": "frames/s",
    "p95": "frame p95, ms",
    "long": "longest task, ms",
    "rows": "rows in page",
    "heap": "heap, MB",
    "rate": "messages/s",
    "kb": "kB each",
    "cpu": "publisher, % of a core",
    "true": "true after, ms",
    "done": "events/s made",
}
LATENCIES = {"idle": 15, "asleep": 50, "computing": 100}  # milliseconds, at most


class Bench:
    """One JupyterLab and one Chromium for all that is measured."""

    def __init__(self, lab: Lab, browser: Any) -> None:
        self.lab, self.browser = lab, browser

    @contextlib.contextmanager
    def notebook(self, cells: list[str]) -> Iterator[Notebook]:
        """A notebook in a fresh page with a kernel of its own."""
        context = self.browser.new_context(viewport={"width": 1400, "height": 1000})
        page = context.new_page()
        page.add_init_script(PROBE)
        name = f"{secrets.token_hex(4)}.ipynb"
        write_notebook(self.lab.notebooks / name, cells, "python3")
        notebook = Notebook(self.lab, page, f"/lab/tree/{name}")
        try:
            yield notebook
        finally:
            page.evaluate("async () => { await jupyterapp.shell.currentWidget?.sessionContext?.shutdown(); }")
            context.close()

    def load(self, kind: str, count: int, rates: list[int], seconds: float) -> Iterator[tuple[int, Figures]]:
        """The figures of one board of `count` connections at each of the rates, in events a second."""
        made = "Crowd" if kind == "board" else "Panel"
        setup = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tests.bench import crowd\nc = crowd.{made}({count})"
        )
        with self.notebook([setup, "c.show()"]) as notebook:
            page = notebook.page
            notebook.run(0)
            while not notebook.ask("'c' in globals()"):
                page.wait_for_timeout(100)
            base, rows = heap(page), ROWS[kind]
            page.evaluate(LOOK, ["shown", rows, ""])
            notebook.run(1)
            shown = seen(page, "shown", SHOWN_SECONDS)
            first = (shown - 1000 * notebook.ask("c.shown")) if shown else float("nan")
            page.wait_for_timeout(1500)
            for rate in rates:
                yield rate, {"first": first, **self.under_load(notebook, rows, rate, seconds, base)}
            notebook.ask("c.end()")

    def under_load(self, notebook: Notebook, rows: str, rate: int, seconds: float, base: float) -> Figures:
        """What is seen while events come at this rate, and after the last."""
        page, last = notebook.page, f"the end {secrets.token_hex(3)}"
        page.evaluate(LOOK, [last, rows, last])
        notebook.ask(f"c.talk({rate}, {seconds + 1}, {last!r})")
        page.wait_for_timeout(500)
        page.evaluate(RESET)
        began = time.monotonic()
        page.wait_for_timeout(1000 * seconds - 500)
        found = page.evaluate("() => ({ ...bench, looks: null })")
        passed = time.monotonic() - began
        is_true = seen(page, last, TRUE_SECONDS)
        busy, last_event, done = notebook.ask("[c.busy, c.last_event, c.done]")
        frames = sorted(found["frames"]) or [float("nan")]
        return {
            "fps": 1000 / median(frames),
            "p95": frames[int(0.95 * (len(frames) - 1))],
            "long": max(found["long"]),
            "rows": page.locator(rows).count(),
            "heap": heap(page) - base,
            "rate": found["messages"] / passed,
            "kb": found["bytes"] / 1000 / max(1, found["messages"]),
            "cpu": 100 * busy,
            "true": is_true - 1000 * last_event if is_true else float("nan"),
            "done": done / (seconds + 1),
        }

    def latencies(self) -> dict[str, list[float]]:
        """From Enter in a reply box to the bytes at a real client, in milliseconds, by what the kernel does."""
        cells = ["import nbserver\nserver = nbserver.serve()\nserver", *(code or "None" for code in STATES.values())]
        found: dict[str, list[float]] = {}
        with self.notebook(cells) as notebook:
            notebook.run(0)
            page = notebook.page
            notebook.wait_idle()
            with socket.create_connection(("127.0.0.1", notebook.ask("server.address[1]"))) as client:
                for index, state in enumerate(STATES, 1):
                    notebook.run(index)
                    if STATES[state]:
                        page.wait_for_function(
                            "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
                        )
                    found[state] = [self.latency(page, client) for _ in range(REPLIES)]
                    page.evaluate("() => { jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
                    notebook.wait_idle()
        return found

    def latency(self, page: Page, client: socket.socket) -> float:
        """One reply."""
        row = page.get_by_role("row", name="Connection #1", exact=True)
        page.wait_for_function(WAITS, arg=False)
        client.sendall(b"?")
        page.wait_for_function(WAITS, arg=True)
        box = row.get_by_role("textbox")
        box.fill("an answer")
        client.settimeout(TRUE_SECONDS)
        box.press("Enter", no_wait_after=True)
        client.recv(100)
        arrived = time.time()
        return float(1000 * arrived - page.evaluate("() => bench.keys"))


def seen(page: Page, name: str, seconds: float) -> float:
    """When it was first on the screen, in milliseconds since 1970; 0 if not within so many seconds."""
    try:
        page.wait_for_function("name => name in bench.seen", arg=name, timeout=1000 * seconds)
    except TimeoutError:
        return 0.0
    return float(page.evaluate("name => bench.seen[name]", name))


def heap(page: Page) -> float:
    """What the page's JavaScript holds after a collection, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1e6


def spread(values: list[float], digits: int = 0) -> str:
    """Median and quartiles, for people."""
    known = [value for value in values if value == value]
    if not known:
        return "–"
    low, middle, high = quantiles(known, n=4, method="inclusive") if len(known) > 1 else known * 3
    middle = median(known)
    return f"{middle:.{digits}f}" + (f" ({low:.{digits}f}–{high:.{digits}f})" if len(known) > 1 else "")


def tables(samples: list[dict[str, Any]]) -> str:
    """All that was measured, in Markdown: each cell a median, and with several rounds the quartiles."""
    loads: dict[tuple[str, int, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    replies: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        for name, value in sample["found"].items():
            if sample["what"] == "load":
                loads[sample["kind"], sample["count"], sample["rate"]][name].append(value)
            else:
                replies[name] += value
    lines = [
        "| shown by | connections | events/s | " + " | ".join(TITLES.values()) + " |",
        "|---|--:|--:|" + "--:|" * len(TITLES),
    ]
    for (kind, count, rate), figures in sorted(loads.items()):
        cells = [spread(figures[name], 1 if name in ("heap", "kb", "cpu") else 0) for name in TITLES]
        lines.append(f"| {kind} | {count} | {rate} | " + " | ".join(cells) + " |")
    if replies:
        lines += ["", "| the kernel | Enter to the client's bytes, ms | at most |", "|---|--:|--:|"]
        lines += [f"| {state} | {spread(replies[state], 1)} | {most} |" for state, most in LATENCIES.items()]
    return "\n".join(lines + ["", *verdicts(loads, replies)])


def verdicts(loads: Any, replies: dict[str, list[float]]) -> list[str]:
    """What must hold of the board, and whether it does."""
    found: list[tuple[str, bool]] = []
    for (kind, count, rate), figures in sorted(loads.items()):
        if kind != "board":
            continue
        middle = {name: median(values) for name, values in figures.items()}
        where = f"{count} connections, {rate} events/s"
        found.append(
            (
                f"first board within {1000 if count > 1000 else 500} ms",
                middle["first"] <= (1000 if count > 1000 else 500),
            )
        )
        found.append((f"{where}: < 200 rows, < 10 MB", middle["rows"] < 200 and middle["heap"] < 10))
        found.append((f"{where}: true within 100 ms", middle["true"] <= 100))
        if rate <= 5000:
            found.append((f"{where}: 60 frames/s, no task above 50 ms", middle["fps"] > 59 and middle["long"] <= 50))
        else:
            found.append((f"{where}: never under 30 frames/s", middle["p95"] <= 34))
        most = 2 if rate <= 100 else 15
        found.append((f"{where}: the publisher below {most} % of a core", middle["cpu"] < most))
    found += [
        (f"a reply within {most} ms, {state}", median(replies[state]) < most)
        for state, most in LATENCIES.items()
        if replies.get(state)
    ]
    return [f"- {'holds' if is_so else 'MISSED'}: {what}" for what, is_so in dict.fromkeys(found)]


def numbers(text: str) -> list[int]:
    """Numbers with commas between them."""
    return [int(part) for part in text.split(",")]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=numbers, default=[10, 1000, 10_000], help="default: 10,1000,10000")
    parser.add_argument("--rates", type=numbers, default=[100, 5000, 50_000], help="events/s; default: 100,5000,50000")
    parser.add_argument("--kinds", default="board,ipywidgets", help="default: board,ipywidgets")
    parser.add_argument("--seconds", type=float, default=4.0, help="of events, for each figure")
    parser.add_argument("--no-replies", action="store_true", help="leave out the latency of replies")
    parser.add_argument("--json", type=Path, help="where to keep the samples")
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    samples: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        try:
            measure(Bench(lab, browser), options, samples)
        except KeyboardInterrupt:
            print("interrupted: this is what there is", file=sys.stderr)
        finally:
            browser.close()
            lab.stop()
    if options.json:
        options.json.write_text(json.dumps(samples))
    print(tables(samples))


def measure(bench: Bench, options: argparse.Namespace, samples: list[dict[str, Any]]) -> None:
    """All rounds of all cells; what is found is added to `samples`."""
    for number in range(1, options.rounds + 1):
        for kind in options.kinds.split(","):
            for count in options.connections:
                if kind != "board" and count > MOST_WIDGETS:
                    continue
                for rate, found in bench.load(kind, count, options.rates, options.seconds):
                    print(f"round {number}: {kind} {count} {rate} {found}", file=sys.stderr, flush=True)
                    samples.append({"what": "load", "kind": kind, "count": count, "rate": rate, "found": found})
        if not options.no_replies:
            samples.append({"what": "replies", "found": bench.latencies()})


if __name__ == "__main__":
    main()
