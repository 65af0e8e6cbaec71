"""A bare page with the board in it: a model and a host made up here play the kernel's messages to it."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nbserver import net
from nbserver.net import Server
from nbserver.widgets.pack import pack

WIDGETS = Path(__file__).resolve().parents[2] / "nbserver/widgets"
PATIENCE = 15_000  # milliseconds; a passing test never waits that long, a busy machine may
expect.set_options(timeout=PATIENCE)
ORIGIN = "http://nbserver.test/"
NOW = 1_760_000_000.0
SERVER = {
    "address": "127.0.0.1:8008",
    "kind": "ThreadingTCPServer",
    "state": "serving",
    "thread": "nbserver-serve-8008",
    "transport": "stream",
    "family": "AF_INET",
    "limit": "",
    "limits": {
        "max_connections": 1000,
        "transcript_bytes": 2**18,
        "transcripts_bytes": 2**26,
        "handshake_seconds": 10.0,
    },
    "reach": {"zone": "machine", "addresses": ["127.0.0.1:8008"], "wider": False, "qr": [], "token": ""},
    "link": None,
    "cell": "cell [3]",
}

FAKE = (Path(__file__).parent / "page.js").read_text("utf-8")


# The lowest contrast of any visible text with what is painted behind it.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const weights = [0.2126, 0.7152, 0.0722];
  const light = (rgb) => rgb.reduce((sum, value, i) => sum + weights[i] * linear(value / 255), 0);
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const found = [];
  for (const element of document.querySelectorAll(".nbs *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isText = hasText || element.matches("input:not([type=checkbox]), textarea");
    if (!isText || !element.checkVisibility()) continue;
    const behind = [];
    for (let node = element; node; node = node.parentElement) behind.unshift(getComputedStyle(node).backgroundColor);
    const ground = light(paint(["white", ...behind]));
    const text = light(paint(["white", ...behind, getComputedStyle(element).color]));
    found.push([ratio(ground, text), element.className, element.textContent.slice(0, 20)]);
  }
  return found.sort((x, y) => x[0] - y[0]).slice(0, 3);
}"""


def row(id: int, state: str = "running", **more: Any) -> list[Any]:
    """One row of a table, as the kernel sends it."""
    columns: dict[str, Any] = {
        "id": id,
        "state": state,
        "peer": f"127.0.0.1:{40000 + id}",
        "in": 0,
        "out": 0,
        "bytes_in": 0,
        "bytes_out": 0,
        "last": NOW,
        "preview": "",
        "prompt": None,
        "ask": 0,
        "opened": NOW,
        "note": "",
        "since": NOW if more.get("ask") else 0,
        "speaks": "",
        "link": 0,
        "sign": None,
    }
    assert more.keys() <= columns.keys()
    return list({**columns, **more}.values())


def waiting(id: int, ask: int, prompt: str = "Your answer? ", **more: Any) -> list[Any]:
    """The row of a connection whose handler is in its `ask`-th input()."""
    return row(id, "waiting", ask=ask, prompt=prompt, **more)


class Board:
    """The kernel's side of a page: says what it would say, and knows what it was asked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.q = 0
        self.now = NOW
        self.n: dict[tuple[str, int], int] = {}

    def start(self, view: str = "board", **traits: Any) -> Board:
        self.page.evaluate("(traits) => window.start(traits)", traits)
        self.page.evaluate("(view) => window.show(view)", view)
        return self

    def play(self, message: dict[str, Any], body: bytes = b"") -> None:
        """Say it, and wait until the page has drawn it: keys and the pointer act on what is seen."""
        self.page.evaluate(
            "([message, body]) => window.play(message, body)", [message, base64.b64encode(body).decode()]
        )

    def snap(self, *connections: list[Any], clients: tuple[list[Any], ...] = (), **server: Any) -> Board:
        self.q += 1
        facts = {"v": 1, "ep": "life-1", "q": self.q, "now": self.now, "server": {**SERVER, **server}}
        self.play({"t": "snap", **facts, "counts": counts(connections), "connections": connections, "clients": clients})
        return self

    def delta(self, *connections: list[Any], body: bytes = b"", **more: Any) -> Board:
        self.q += 1
        self.now += 0.1
        rows = {"connections": connections} if connections else {}
        self.play({"t": "delta", "ep": "life-1", "q": self.q, "now": self.now, **rows, **more}, body)
        return self

    def lines(self, table: str, id: int, *entries: tuple[Any, ...]) -> tuple[list[list[Any]], bytes]:
        """Entries (kind, bytes) or (kind, bytes, true size) as rows and one body."""
        rows, body = [], b""
        for kind, data, *size in entries:
            self.n[table, id] = self.n.get((table, id), 0) + 1
            rows.append([self.n[table, id], kind, self.now, len(body), len(data), *(size or [len(data)])])
            body += data
        return rows, body

    def transcript(self, id: int, *entries: tuple[Any, ...], table: str = "connections") -> Board:
        """Answers the view's wish to watch a transcript."""
        self.wish("watch", table=table, id=id)
        rows, body = self.lines(table, id, *entries)
        self.play({"t": "transcript", "table": table, "id": id, "entries": rows}, body)
        return self

    def said(self, id: int, *entries: tuple[Any, ...], table: str = "connections") -> Board:
        rows, body = self.lines(table, id, *entries)
        return self.delta(entries=[[table, id, *line] for line in rows], body=body)

    def wishes(self, do: str) -> list[dict[str, Any]]:
        return [wish for wish in self.page.evaluate("window.wishes") if wish["do"] == do]

    def wish(self, do: str, **values: Any) -> dict[str, Any]:
        """The newest wish of a kind with these values; waits until there is one."""
        find = """([name, values]) => window.wishes.findLast((wish) => wish.do === name
            && Object.entries(values).every(([key, value]) => wish[key] === value))"""
        return self.page.wait_for_function(find, arg=[do, values], timeout=PATIENCE).json_value()

    def accept(self, wish: dict[str, Any], *connections: list[Any], **more: Any) -> Board:
        return self.delta(*connections, acks=[{"rid": wish["rid"], "ok": True}], **more)

    def refuse(self, wish: dict[str, Any], code: str, error: str, *connections: list[Any]) -> Board:
        return self.delta(*connections, acks=[{"rid": wish["rid"], "ok": False, "code": code, "error": error}])

    def row(self, id: int) -> Any:
        return self.page.get_by_role("row", name=f"Connection #{id}", exact=True)

    def reply_box(self, id: int) -> Any:
        return self.row(id).get_by_role("textbox", name=f"Reply to #{id}", exact=True)

    def log(self, id: int) -> Any:
        return self.page.get_by_role("log", name=f"Transcript of #{id}", exact=True)


def counts(rows: Any) -> dict[str, int]:
    """The totals that the kernel tells beside its rows."""
    closed = sum(line[1] in ("closed", "reset", "failed") for line in rows)
    sums = {
        name: sum(line[at] for line in rows) for at, name in ((3, "in"), (4, "out"), (5, "bytes_in"), (6, "bytes_out"))
    }
    return {
        "open": len(rows) - closed,
        "waiting": sum(line[1] == "waiting" for line in rows),
        "closed": closed,
        **sums,
        "errors": 0,
    }


@pytest.fixture
def server() -> Iterator[Server]:
    """A real one, whose connections are answered by hand."""
    with net.listen() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[socket.socket]:
    """Its first client, accepted."""
    with socket.create_connection(server.address) as client:
        client.settimeout(5)
        server.wait_for_connections(1, 5)
        yield client


@cache
def sources() -> dict[str, tuple[str, str]]:
    """What the page loads: name → type and text."""
    return {
        "": ("text/html", f"<!doctype html><meta charset=utf-8><body><script>{FAKE}</script>"),
        "hub.js": ("text/javascript", pack(WIDGETS / "hub.js")),
        "view.js": ("text/javascript", (WIDGETS / "view.js").read_text("utf-8")),
        "nbserver.css": ("text/css", (WIDGETS / "nbserver.css").read_text("utf-8")),
    }


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Page]:
    """One tab for all tests: loading a page anew costs a tenth of a new context."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
    for name, (kind, text) in sources().items():
        tab.route(
            ORIGIN + name,
            lambda route, *, kind=kind, text=text: route.fulfill(content_type=f"{kind}; charset=utf-8", body=text),
        )
    yield tab
    tab.close()


@pytest.fixture
def browser_page(tab: Page) -> Iterator[Page]:
    """A page with the widgets' code in it, and every error in it a failure."""
    faults: list[str] = []

    def note(error: Any) -> None:
        faults.append(str(error))

    tab.on("pageerror", note)
    tab.emulate_media(reduced_motion="reduce", color_scheme="light")  # a colour on its way is no colour to be judged
    tab.goto(ORIGIN)
    yield tab
    tab.remove_listener("pageerror", note)
    assert faults == []


@pytest.fixture
def board(browser_page: Page) -> Board:
    """The page's clock goes on with the kernel's messages alone, unless the test takes `passing_time` too."""
    return Board(browser_page)


@pytest.fixture
def passing_time(board: Board) -> None:
    """The page's clock goes as in life: for what is drawn anew or comes about with time, and no message."""
    board.page.evaluate("window.letTimePass()")
