"""The board and the consoles in a bare page: a model and a host made up here play the kernel's messages to them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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
    "cell": "cell [3]",
}

# What anywidget gives to a widget: a model with traits and messages, and a host that finds another widget's exports.
FAKE = """
const text = (name) => fetch(name).then((answer) => answer.text());
const load = async (name) => {
  const url = URL.createObjectURL(new Blob([await text(name)], { type: "text/javascript" }));
  return (await import(url)).default;
};
function makeModel(traits) {
  const listeners = [];
  return {
    get: (name) => traits[name],
    set(name, value) { traits[name] = value; this.fire(`change:${name}`); },
    save_changes() { this.saved = { ...traits }; },
    on: (name, listener) => listeners.push([name, listener]),
    off() {},
    fire(name, ...values) { for (const [wanted, listener] of listeners) if (wanted === name) listener(...values); },
    send: (request) => window.wishes.push({ ...request, via: "comm" }),
  };
}
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.wishes = [];
window.start = async (traits) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: await text("nbserver.css") }));
  const hub = makeModel({ key: "hub-1", lang: "en", scale: 1, control: false, ...traits });
  window.hub = hub;
  const life = new AbortController();
  const exports = await (await load("hub.js")).initialize({ model: hub, signal: life.signal });
  window.endHub = () => life.abort();
  const view = await load("view.js");
  window.show = async (name, host = { getWidget: async (ref) => ({ exports, ref }) }) => {
    const el = document.body.appendChild(document.createElement("div"));
    const controller = new AbortController();
    const model = makeModel({ hub: "anywidget:hub", view: name });
    const cleanUp = await view.render({ model, el, host, signal: controller.signal });
    window.hide = () => { controller.abort(); cleanUp?.(); };
  };
};
window.play = (message, body) => {
  const padded = bytesOf(btoa("xxx") + body); // the body begins inside a larger buffer, as it does in JupyterLab
  window.hub.fire("msg:custom", message, body ? [new DataView(padded.buffer, 3)] : []);
};
"""


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
    tab.goto(ORIGIN)
    yield tab
    tab.remove_listener("pageerror", note)
    assert faults == []


@pytest.fixture
def board(browser_page: Page) -> Board:
    return Board(browser_page)


def test_names_and_roles(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), row(3, "closed"))
    page = board.page
    region = page.get_by_role("region", name="nbserver 127.0.0.1:8008", exact=True)
    expect(region).to_be_visible()
    expect(region.get_by_role("grid", name="Connections", exact=True)).to_have_attribute("aria-rowcount", "4")
    for id in (1, 2, 3):
        expect(board.row(id)).to_be_visible()
    expect(board.row(1)).to_have_attribute("aria-selected", "true")
    expect(board.reply_box(2)).to_be_visible()
    expect(board.log(1)).to_be_visible()
    expect(page.get_by_role("textbox", name="Message to all", exact=True)).to_be_enabled()
    for name in ("Send to all", "Disconnect #1", "Stop server", "Add client"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_enabled()


def test_reply_in_the_row_and_on_to_the_next(board: Board) -> None:
    board.start().snap(waiting(1, ask=3), waiting(2, ask=1), waiting(3, ask=2), row(4))
    expect(board.row(2)).to_contain_text("Your answer?")
    board.reply_box(2).fill("first")
    board.reply_box(2).press("Enter")
    wish = board.wish("reply")
    assert (wish["connection"], wish["text"], wish["ask"]) == (2, "first", 1)
    expect(board.reply_box(3)).to_be_focused()
    board.accept(wish, row(2))
    expect(board.reply_box(2)).to_have_count(0)
    board.page.keyboard.type("second")
    board.page.keyboard.press("Enter")
    assert board.wish("reply", connection=3)["ask"] == 2
    expect(board.reply_box(1)).to_be_focused()


def test_two_enters_are_one_answer(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    for _ in range(2):
        board.reply_box(1).press("Enter")
    assert [wish["text"] for wish in board.wishes("reply")] == [""], "an empty answer is one, and it is sent once"
    expect(board.reply_box(1)).to_be_focused()


def test_the_box_that_is_typed_in_stays_when_its_row_goes_on(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.page.get_by_role("button", name="Waiting for you 1").click()
    board.reply_box(1).fill("hello")
    board.reply_box(1).press("Enter")
    board.accept(board.wish("reply"), row(1))
    expect(board.reply_box(1)).to_be_focused()
    board.delta(waiting(1, ask=2))
    board.page.keyboard.type("again")
    board.page.keyboard.press("Enter")
    assert board.wish("reply", text="again")["ask"] == 2


def test_reply_in_the_detail_works_without_a_question(board: Board) -> None:
    board.start().snap(row(1))
    # The last: while a text is being typed, the row of the list has a box for it, too.
    box = board.page.get_by_role("textbox", name="Reply to #1", exact=True).last
    box.press("Enter")
    box.fill("hello")
    board.page.get_by_role("button", name="Send", exact=True).click()
    assert [(wish["text"], wish["ask"]) for wish in board.wishes("reply")] == [("hello", 0)]
    expect(box).to_have_value("")


def test_enter_of_an_input_method_does_not_send(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    board.reply_box(1).fill("nihao")
    for init in ({"key": "Enter", "isComposing": True}, {"key": "Enter", "keyCode": 229}):
        board.reply_box(1).dispatch_event("keydown", {**init, "bubbles": True})
    assert board.wishes("reply") == []
    expect(board.reply_box(1)).to_have_value("nihao")


def test_a_key_held_down_answers_one_question(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2))
    board.reply_box(1).focus()
    for _ in range(2):
        board.page.keyboard.down("Enter")
    expect(board.reply_box(2)).to_be_focused()
    assert len(board.wishes("reply")) == 1
    board.page.keyboard.up("Enter")


def test_leaving_sends_nothing_and_the_draft_stays(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), *(row(id) for id in range(2, 500)))
    board.reply_box(1).fill("half an ans")
    grid = board.page.get_by_role("grid")
    grid.focus()
    grid.press("End")
    expect(board.row(499)).to_be_visible()
    expect(board.row(1)).to_have_count(0)
    board.delta(waiting(1, ask=1, preview="more"))
    grid.press("Home")
    expect(board.reply_box(1)).to_have_value("half an ans")
    assert board.wishes("reply") == []


def test_the_box_that_is_typed_in_survives_scrolling(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), *(row(id) for id in range(2, 500)))
    board.reply_box(1).focus()
    board.page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 5000; }")
    board.delta(row(250, preview="x"))
    board.page.keyboard.type("still here")
    board.page.keyboard.press("Enter")
    assert board.wish("reply")["text"] == "still here"


def test_a_refused_text_stays_with_the_reason(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.reply_box(1).fill("precious")
    board.reply_box(1).press("Enter")
    board.refuse(board.wish("reply"), "busy", "The handler is sending.")
    expect(board.row(1).get_by_role("alert")).to_contain_text("the handler is in the middle of sending")
    expect(board.reply_box(1)).to_have_value("precious")
    expect(board.reply_box(1)).to_be_editable()


def test_the_draft_of_an_ended_connection_stays_until_it_is_discarded(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.reply_box(1).fill("too late")
    board.delta(row(1, "closed", note="the client closed"))
    expect(board.row(1).get_by_role("alert")).to_contain_text("Not sent: the connection has ended")
    expect(board.reply_box(1)).to_have_value("too late")
    expect(board.reply_box(1)).not_to_be_editable()
    board.row(1).get_by_role("button", name="Discard draft of #1").click()
    expect(board.row(1).get_by_role("alert")).to_have_count(0)


def test_arrows_bring_earlier_replies_back(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), waiting(2, ask=2))
    board.reply_box(1).fill("yes")
    board.reply_box(1).press("Enter")
    box = board.reply_box(2)
    box.fill("draft")
    box.press("ArrowUp")
    expect(box).to_have_value("yes")
    box.press("ArrowDown")
    expect(box).to_have_value("draft")


def test_keyboard_in_the_list(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), *(row(id) for id in range(3, 101)))
    grid = board.page.get_by_role("grid")
    grid.focus()
    grid.press("ArrowDown")
    expect(board.row(2)).to_have_attribute("aria-selected", "true")
    expect(board.log(2)).to_be_visible()
    grid.press("Enter")
    expect(board.reply_box(2)).to_be_focused()
    board.reply_box(2).press("Escape")
    expect(grid).to_be_focused()
    for key, id in (("End", 100), ("ArrowUp", 99), ("Home", 1)):
        grid.press(key)
        expect(board.row(id)).to_have_attribute("aria-selected", "true")
    grid.press("PageDown")
    expect(board.row(1)).to_have_attribute("aria-selected", "false")
    grid.press("Home")
    grid.press("Enter")
    expect(board.page.get_by_role("textbox", name="Reply to #1", exact=True)).to_be_focused()


def test_no_key_reaches_the_page_behind(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1))
    board.page.evaluate("window.leaked = []; document.addEventListener('keydown', (event) => leaked.push(event.key))")
    button = board.page.get_by_role("button", name="Add client")
    for place in (board.log(1), button, board.reply_box(2), board.page.get_by_role("grid")):
        place.focus()
        for key in ("d", "Control+s", "Escape", "ArrowDown"):
            board.page.keyboard.press(key)
    assert board.page.evaluate("window.leaked") == []


def test_filters_count_and_choose(board: Board) -> None:
    board.start().snap(row(1), waiting(2, ask=1), row(3, "closed"), row(4, "reset"))
    for name, ids in (("All 4", [1, 2, 3, 4]), ("Waiting for you 1", [2]), ("Open 2", [1, 2]), ("Closed 2", [3, 4])):
        board.page.get_by_role("button", name=name, exact=True).click()
        for id in (1, 2, 3, 4):
            expect(board.row(id)).to_have_count(int(id in ids))


def test_transcript_folds_what_was_typed_into_what_was_sent(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(
        1, ("opened", b"127.0.0.1:40001"), ("received", b"hi\r\n"), ("printed", b"got hi\n"), ("asked", b"Reply? ")
    )
    board.said(1, ("answered", b"hello\n"), ("sent", b"hello\n"), ("sent", b"unasked"), ("eof", b""))
    log = board.log(1)
    expect(log.locator(".nbs-bubble.is-sent")).to_have_count(2)
    expect(log.locator(".nbs-bubble.is-sent").first).to_contain_text("you")
    expect(log.locator(".nbs-bubble.is-received .nbs-chip")).to_have_text(["\\r\\n"])
    expect(log.locator(".nbs-printed")).to_have_text("got hi")
    expect(log).to_contain_text("The other end has closed its side")


def test_error_card_shows_its_last_line_first(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("error", b'Traceback (most recent call last):\n  File "x"\nValueError: <b>no</b>\n'))
    card = board.log(1).locator(".nbs-error")
    expect(card.locator("strong")).to_have_text("ValueError: <b>no</b>")
    expect(card.locator("pre")).to_be_hidden()
    card.locator("summary").click()
    expect(card.locator("pre")).to_contain_text("Traceback")


def test_half_a_character_waits_for_its_other_half(board: Board) -> None:
    board.start().snap(row(1))
    first, second = "你好".encode()[:4], "你好".encode()[4:]
    board.transcript(1, ("received", first))
    half = board.log(1).locator(".nbs-chip.is-half")
    expect(half).to_have_text("\\xe5")
    board.said(1, ("sent", b"meanwhile"), ("received", second))
    expect(half).to_have_count(0)
    expect(board.log(1).locator(".is-received .nbs-text")).to_have_text(["你↴", "好"])


def test_hex_and_encodings(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", "你好".encode("gbk")))
    expect(board.log(1).locator(".nbs-chip.is-raw")).to_have_count(1)
    board.page.get_by_role("combobox", name="Encoding").select_option("gbk")
    expect(board.log(1)).to_contain_text("你好")
    board.page.get_by_role("button", name="Show bytes as hex").click()
    expect(board.log(1)).to_contain_text("0000  c4 e3 ba c3")


HOSTILE = [
    b"<img src=x onerror=window.__pwned=1>",
    b"<script>window.__pwned=1</script>",
    b"<svg onload=window.__pwned=1><iframe srcdoc='<script>parent.__pwned=1</script>'>",
    b"${window.__pwned=1} {{constructor.constructor('window.__pwned=1')()}} javascript:window.__pwned=1",
    b"\x1b[2J\x1b]0;title\x07\x08\x00\x7f\x9b",
    "\u202eevil\u202c \u2066x\u2069 zw\u200bsp \u2060 \ufeff so\u00adft \U000e0041 \ue000".encode(),
    ("Z" + "\u0302\u036b" * 400).encode(),
    b"\xff\xfe\xc3( \xf0\x9f\x98 \xed\xa0\x80",
    b"A" * 4096,
    b"\x00" * 4096,
]


def test_hostile_bytes_stay_text(board: Board) -> None:
    markup = "<img src=x onerror=window.__pwned=1>\u202e"
    board.start(scale=1).snap(
        waiting(1, ask=1, prompt=markup, peer=markup, preview=markup),
        row(2, "closed", note=markup),
        kind=markup,
        thread=markup,
        cell=markup,
        address="127.0.0.1:8008",
        clients=(waiting(1, ask=2, prompt=markup, peer=markup),),
    )
    kinds = ("received", "sent", "answered", "asked", "printed", "error", "opened", "closed")
    lines = [(kind, data, 1_048_576) for data in HOSTILE for kind in kinds]
    board.transcript(1, *lines)
    board.transcript(1, *lines, table="clients")
    expect(board.log(1).locator(".nbs-chip.is-bidi").first).to_be_visible()
    for button in ("Show bytes as hex", "Show bytes as hex", "… +"):
        board.page.get_by_role("button", name=button).first.click()
    board.reply_box(1).fill(markup)
    board.reply_box(1).press("Enter")
    board.refuse(board.wish("reply"), "refused", markup)
    expect(board.row(1).get_by_role("alert")).to_contain_text("<img")
    active = "img, iframe, script, object, a, [onerror], [onload]"
    made = board.page.locator(active).evaluate_all("all => all.map((each) => each.textContent.trim().slice(0, 18))")
    assert made == ["const text = (name"], "only the test's own"
    assert board.page.evaluate("window.__pwned") is None
    bodies = board.page.locator(
        ".nbs-text, .nbs-printed, .nbs-asked, .nbs-console, .nbs-error, .nbs-remark"
    ).all_inner_texts()
    raw = {
        character
        for text in bodies
        for character in text
        if character in "\u202e\u202c\u2066\u2069\u200b\u2060\ufeff\u00ad\x1b\x00\x07"
    }
    assert len(bodies) > 50
    assert raw == set()


@pytest.mark.parametrize("number", [1_000, 10_000])
def test_many_connections_few_rows(board: Board, number: int) -> None:
    board.start().snap(*(row(id) for id in range(1, number + 1)))
    rows = board.page.locator(".nbs-row")
    expect(board.page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(number + 1))
    assert 5 < rows.count() < 40
    board.page.get_by_role("grid").press("End")
    expect(board.row(number)).to_be_visible()
    assert rows.count() < 40
    board.delta(*(waiting(id, ask=id) for id in range(1, number, 10)))
    expect(board.page.get_by_role("button", name=f"Waiting for you {number // 10}", exact=True)).to_be_visible()
    expect(board.row(number)).to_be_visible()
    board.page.get_by_role("grid").press("Home")
    expect(board.reply_box(1)).to_be_visible()
    assert rows.count() < 40


def test_rows_above_do_not_move_the_row_in_sight(board: Board) -> None:
    board.start().snap(*(row(id) for id in range(1, 301)))
    board.page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 4000; }")
    shown = board.row(150)
    expect(shown).to_be_visible()
    before = shown.bounding_box()
    board.delta(*(waiting(id, ask=id) for id in range(1, 100)))
    expect(board.page.get_by_role("button", name="Waiting for you 99", exact=True)).to_be_visible()
    assert abs(shown.bounding_box()["y"] - before["y"]) < 2


def test_a_flood_is_drawn_in_part_and_counted(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", b"0"))
    bubbles = board.log(1).locator(".nbs-bubble")
    expect(bubbles).to_have_count(1)
    board.said(1, *(("received", str(n).encode()) for n in range(1, 51)))
    expect(bubbles).to_have_count(13)
    board.page.get_by_role("button", name="… +38", exact=True).click()
    expect(bubbles).to_have_count(51)


def test_a_hole_in_the_numbers_is_told(board: Board) -> None:
    board.start().snap(row(1))
    board.n["connections", 1] = 7
    board.transcript(1, ("received", b"late"))
    expect(board.log(1)).to_contain_text("7 more, not kept")


def test_transcript_follows_its_end_unless_scrolled_back(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, *(("received", f"line {n}".encode()) for n in range(40)))
    log = board.log(1)
    expect(log.get_by_text("line 39", exact=True)).to_be_in_viewport()
    log.evaluate("log => { log.scrollTop = 0; }")
    newer = board.page.get_by_role("button", name="↓ new")
    board.page.wait_for_function("document.querySelector('.nbs-log').scrollTop === 0")
    board.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    board.said(1, ("received", b"the newest"))
    expect(newer).to_be_visible()
    expect(log.get_by_text("the newest")).not_to_be_in_viewport()
    newer.click()
    expect(log.get_by_text("the newest")).to_be_in_viewport()
    expect(newer).to_be_hidden()


def test_wishes_of_the_buttons(board: Board) -> None:
    board.start().snap(row(1), row(2))
    for name, wanted in (
        ("Add client", {"do": "add_client"}),
        ("Disconnect #1", {"do": "disconnect", "connection": 1}),
        ("Stop server", {"do": "stop"}),
    ):
        board.page.get_by_role("button", name=name, exact=True).click()
        wish = board.wish(wanted["do"])
        assert wanted.items() <= wish.items()
    board.refuse(wish, "refused", "It does not want to stop.")
    expect(board.page.get_by_role("alert")).to_contain_text("It does not want to stop.")
    board.page.get_by_role("textbox", name="Message to all").fill("hello all")
    board.page.get_by_role("button", name="Send to all").click()
    assert board.wish("broadcast")["text"] == "hello all"


def test_a_stopped_server_can_still_be_read(board: Board) -> None:
    board.start().snap(row(1))
    board.transcript(1, ("received", b"the last word"))
    board.delta(row(1, "closed"), server={**SERVER, "state": "stopped"})
    expect(board.page.get_by_text("stopped", exact=True)).to_be_visible()
    for name in ("Stop server", "Add client", "Disconnect #1", "Send to all"):
        expect(board.page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(board.log(1)).to_contain_text("the last word")


def test_a_limit_that_bites_is_told(board: Board) -> None:
    board.start().snap(row(1), limit="full 200 200")
    expect(board.page.get_by_text("200 of 200 connections")).to_be_visible()
    board.delta(server=SERVER)
    expect(board.page.get_by_text("200 of 200 connections")).to_be_hidden()


def test_clients_have_consoles(board: Board) -> None:
    board.start("clients").snap(clients=(row(1), waiting(2, ask=1, prompt="Name? ")))
    page = board.page
    console = page.get_by_role("region", name="Client 2", exact=True)
    log = console.get_by_role("log", name="Transcript of client 2", exact=True)
    box = console.get_by_role("textbox", name="Input of client 2", exact=True)
    board.transcript(2, ("printed", b"welcome\n"), ("asked", b"Name? "), table="clients")
    box.fill("Anna")
    box.press("Enter")
    wish = board.wish("input")
    assert (wish["client"], wish["text"], wish["ask"]) == (2, "Anna", 1)
    board.accept(wish)
    board.said(2, ("answered", b"Anna"), table="clients")
    expect(log.locator(".is-asked")).to_have_text("Name? Anna")
    expect(box).to_be_focused()
    box.fill("kept")
    board.delta(clients=[row(2)])
    box.press("Enter")
    board.refuse(board.wish("input", text="kept"), "refused", "No.")
    expect(box).to_have_value("kept")
    expect(console.get_by_role("alert")).to_contain_text("No.")
    page.get_by_role("button", name="Close client 2", exact=True).click()
    assert board.wish("close_client")["client"] == 2
    board.delta(clients=[row(2, "closed")])
    expect(box).to_be_disabled()


def test_clients_of_a_server_are_below_its_board(board: Board) -> None:
    board.start().snap(row(1), clients=(row(1),))
    expect(board.page.get_by_role("region", name="Client 1", exact=True)).to_be_visible()
    board.delta(gone={"clients": [1]})
    expect(board.page.get_by_role("region", name="Client 1", exact=True)).to_have_count(0)


def test_two_views_show_the_same(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2))
    board.page.evaluate("window.show('board')")
    boxes = board.reply_box(1)
    expect(boxes).to_have_count(2)
    boxes.first.fill("seen twice")
    expect(boxes.last).to_have_value("seen twice")
    board.page.get_by_role("grid").first.press("End")
    expect(board.row(2).last).to_have_attribute("aria-selected", "true")


def test_a_view_that_is_taken_away_leaves_nothing(board: Board) -> None:
    board.start().snap(row(1))
    expect(board.log(1)).to_be_visible()
    board.page.evaluate("window.hide()")
    assert board.page.locator(".nbs").count() == 0
    board.delta(row(1, preview="nobody looks"))
    board.page.evaluate("window.endHub()")


def test_a_view_out_of_sight_does_not_draw(board: Board) -> None:
    board.start().snap(row(1))
    expect(board.row(1)).to_be_visible()
    board.page.evaluate("document.querySelector('.nbs').style.marginTop = '5000px'")
    board.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    board.delta(row(1, preview="unseen"))
    board.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert "unseen" not in board.page.locator(".nbs-row").inner_text()
    board.page.evaluate("document.querySelector('.nbs').style.marginTop = ''")
    expect(board.row(1)).to_contain_text("unseen")


def test_silence_of_the_kernel_is_told_and_ends(board: Board) -> None:
    board.page.evaluate("""() => {
        const now = performance.now.bind(performance);
        window.later = 0;
        performance.now = () => now() + window.later;
    }""")
    board.start()
    expect(board.page.get_by_text("Waiting for the kernel")).to_be_visible()
    board.snap(row(1))
    expect(board.page.get_by_text("Waiting for the kernel")).to_be_hidden()
    board.page.evaluate("window.later = 6000")
    silence = board.page.get_by_text("No word from the kernel for")
    expect(silence).to_be_visible()
    board.delta()
    expect(silence).to_be_hidden()


def test_a_gap_asks_for_a_snapshot(board: Board) -> None:
    board.start().snap(row(1))
    assert len(board.wishes("hello")) == 1
    board.q += 1
    board.delta(row(2))
    assert len(board.wishes("hello")) == 2
    board.snap(row(1), row(2))
    expect(board.row(2)).to_be_visible()


def test_language_and_size_are_the_hubs(board: Board) -> None:
    board.start(lang="").snap(row(1))
    board.page.get_by_role("button", name="Switch to Chinese").click()
    expect(board.page.get_by_role("grid", name="连接列表")).to_be_visible()
    board.page.get_by_role("button", name="放大文字").click()
    assert board.page.evaluate("[hub.saved.lang, hub.saved.scale]") == ["zh", 1.2]
    board.page.evaluate("hub.set('lang', 'en')")
    expect(board.page.get_by_role("grid", name="Connections")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_twice_the_size_fits_a_projector(board: Board, language: str) -> None:
    board.start(scale=2, lang=language).snap(*(row(id) for id in range(1, 20)), waiting(20, ask=1))
    expect(board.page.locator(".nbs-row").first).to_be_visible()
    box = board.page.locator(".nbs").bounding_box()
    assert box["y"] + box["height"] <= 800
    assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in board.page.locator(".nbs-main button:visible, .nbs-main input:visible").all():
        place = control.bounding_box()
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= 1280


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
    const isText = hasText || element.tagName === "INPUT";
    if (!isText || !element.checkVisibility()) continue;
    const behind = [];
    for (let node = element; node; node = node.parentElement) behind.unshift(getComputedStyle(node).backgroundColor);
    const ground = light(paint(["white", ...behind]));
    const text = light(paint(["white", ...behind, getComputedStyle(element).color]));
    found.push([ratio(ground, text), element.className, element.textContent.slice(0, 20)]);
  }
  return found.sort((x, y) => x[0] - y[0]).slice(0, 3);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_in_both_themes(board: Board, theme: str) -> None:
    board.page.evaluate(
        """(theme) => {
            document.body.dataset.jpThemeLight = theme === "light";
            document.body.style.background = theme === "light" ? "#fff" : "#111";
        }""",
        theme,
    )
    states = ("accepted", "running", "receiving", "sending", "half-closed", "closed", "reset", "failed")
    board.start().snap(
        waiting(1, ask=1),
        *(row(id, state, preview="x") for id, state in enumerate(states, 2)),
        limit="descriptors",
        clients=(waiting(1, ask=2),),
    )
    board.transcript(
        1, *((kind, b"x\x00\xff\n") for kind in ("received", "sent", "answered", "asked", "printed", "error", "opened"))
    )
    expect(board.log(1).locator(".nbs-error")).to_be_visible()
    expect(board.page.locator(".nbs")).to_have_attribute("data-theme", theme)
    worst = board.page.evaluate(CONTRAST)
    assert worst[0][0] >= 4.5, worst


def test_high_contrast_is_a_second_fact(board: Board) -> None:
    board.page.evaluate(
        "Object.assign(document.body.dataset, { jpThemeLight: 'false', jpThemeName: 'JupyterLab Dark High Contrast' })"
    )
    board.start().snap(row(1))
    root = board.page.locator(".nbs")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-contrast", "high")
    board.page.evaluate(
        "Object.assign(document.body.dataset, { jpThemeLight: 'true', jpThemeName: 'JupyterLab Light' })"
    )
    expect(root).to_have_attribute("data-theme", "light")


def test_a_host_that_cannot_show_it_says_so(board: Board) -> None:
    board.start()
    board.page.evaluate("window.show('board', {})")
    expect(board.page.get_by_role("alert").filter(has_text="host.getWidget")).to_be_visible()
    board.page.evaluate("window.show('board', { getWidget: async () => { throw new Error('no such model'); } })")
    expect(board.page.get_by_role("alert").filter(has_text="no such model")).to_be_visible()


def test_pack_tells_what_is_not_there(tmp_path: Path) -> None:
    entry = tmp_path / "entry.js"
    for text, error in (
        ('import { a } from "./gone.js";', FileNotFoundError),
        ('import a from "lodash";', ValueError),
        ('import "./entry.js";', ValueError),
    ):
        entry.write_text(text)
        with pytest.raises(error, match="entry.js"):
            pack(entry)


def test_pack_keeps_modules_apart(board: Board, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/one.js").write_text('const NAME = "one</script>";\nexport const one = () => NAME;\n')
    (tmp_path / "two.js").write_text(
        'import {\n  one,\n} from "./sub/one.js";\nconst NAME = "two";\nexport const both = () => one() + NAME;\n'
    )
    (tmp_path / "entry.js").write_text(
        'import { both } from "./two.js";\nimport { one } from "./sub/one.js";\nexport default [both(), one()];\n'
    )
    packed = pack(tmp_path / "entry.js")
    load = "async (text) => (await import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))).default"
    assert "</script>" not in packed
    assert board.page.evaluate(load, packed) == ["one</script>two", "one</script>"]
