"""The security recipes B1 to B6: what a peer sends, and what it calls itself, is shown and does nothing."""

from __future__ import annotations

import http.server
import json
import re
import socket
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from nbserver import net
from nbserver.events import Kind
from nbserver.text import safe_text

from .conftest import PATIENCE, Notebook, write_notebook
from .payloads import BEACONS, SCRIPT, SPOOF, TERMINAL, calling, marking
from .terminal import Terminal
from .test_board import board
from .test_tutorial import SECOND, reply_box

# A server and clients through which a text reaches every place that shows one: row, prompt, printed line, what was
# sent, error card; the clients' consoles; the name of a peer, and the note in its row; and the program of a client.
STAGE = """import pathlib, secrets, socket, socketserver, nbserver
class Reckless(socketserver.BaseRequestHandler):
    def handle(self):
        text = self.request.recv(65536).decode()
        print(text)
        self.request.sendall(text.encode())
        input(text)
        raise ValueError(text)
class Named(socketserver.BaseRequestHandler):
    def handle(self):
        raise ValueError(self.client_address.decode())
server = nbserver.serve(Reckless)
server"""
FLEET = "fleet = nbserver.clients(server, len(PAYLOADS))\nfleet"
NAMES = """named = nbserver.serve(Named, host=PATH, server_class=socketserver.ThreadingUnixStreamServer)
def call(name):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.bind(chr(0) + name[:100])
        peer.connect(named.address)
        peer.recv(1)
for payload in PAYLOADS:
    call(payload)
named"""
PROGRAM = """def program():
    with socket.create_connection(server.address) as peer:
        peer.sendall(PAYLOADS[0].encode())
        text = peer.recv(65536).decode()
    print(text)
    input(text)
    raise ValueError(text)
programs = nbserver.clients(program, 1)
programs"""

ACTIVE = """[data-commandlinker-command], [onerror], [onload], [onfocus], iframe, script, object, embed, img,
    form:not(.nbs-ruleform), base, link, style, meta, a, video, image, select:not(.nbs-select), .MathJax"""
# What the transcript of a connection shows, by the kind of its entries; null until it is drawn.
READ = """([number, most]) => {
    const log = document.querySelector(`.nbs-log[aria-label="Transcript of #${number}"]`);
    if (!log || log.childElementCount < most) return null;
    const texts = (selector) => [...log.querySelectorAll(selector)].map((each) => each.textContent);
    return {
        received: texts(".is-received .nbs-text"), sent: texts(".is-sent .nbs-text"),
        typed: texts(".is-typed .nbs-text"), printed: texts(".nbs-printed"),
        asked: texts(".nbs-asked > :last-child"), hex: texts(".nbs-hex"),
        error: texts(".nbs-errorline strong"), traceback: texts(".nbs-error pre"),
    };
}"""


# Another notebook in place of the one that is open, whose kernel ends: a third of the time of a JupyterLab of its own.
OPEN_INSTEAD = """async path => {
    const widget = window.jupyterapp.shell.currentWidget;
    await widget.sessionContext.shutdown();
    widget.dispose();
    delete window.__oracle;
    await window.jupyterapp.commands.execute("docmanager:open", { path });
}"""


class Stage:
    """A notebook that shows hostile texts everywhere, and what its page did meanwhile."""

    def __init__(self, notebook, payloads: list[str]) -> None:
        self.notebook, self.page, self.payloads = notebook, notebook.page, payloads
        self.board = board(self.page).first
        self.dialogs: list[str] = []

    def note_dialog(self, dialog) -> None:
        if dialog.type != "beforeunload":  # JupyterLab's own question
            self.dialogs.append(dialog.message)
        dialog.accept()

    def say(self) -> None:
        """The clients send their payloads; each handler waits, then, with it as its prompt."""
        self.notebook.ask("[client.say(text) for client, text in zip(fleet, PAYLOADS)]")
        expect(self.board).to_contain_text(f"{len(self.payloads)} waiting", timeout=PATIENCE * SECOND)

    def answer(self) -> None:
        """The same texts are typed into the reply boxes; each handler fails, then, with its payload."""
        self.board.get_by_role("grid", name="Connections").press("Home")
        reply_box(self.board, 1).focus()
        for answered, text in enumerate(self.payloads, 1):
            self.page.keyboard.insert_text(text)
            self.page.keyboard.press("Enter")  # moves on to the next that waits
            expect(self.board).to_contain_text(f"{len(self.payloads) - answered} waiting")

    def walk(self, entries: int):
        """Selects one connection after the other; yields the payload, its row, and what its transcript shows."""
        self.board.get_by_role("grid", name="Connections").press("Home")
        for number, payload in enumerate(self.payloads, 1):
            row = self.board.get_by_role("row", name=f"Connection #{number}", exact=True)
            yield payload, row, self.page.wait_for_function(READ, arg=[number, entries]).json_value()
            self.page.keyboard.press("ArrowDown")

    def consoles_show_them(self) -> None:
        """The clients' consoles: what each has sent and got back."""
        for number, payload in enumerate(self.payloads, 1):
            console = self.page.get_by_role("region", name=f"Client {number}", exact=True)
            for kind in ("sent", "received"):
                assert console.locator(f".nbs-console.is-{kind} > :last-child").text_content() == payload

    def program_shows_it(self) -> None:
        """The console of a client's program: what it printed and asked, what was typed, and how it failed."""
        payload = self.payloads[0]
        console = self.page.get_by_role("region", name=f"Client {len(self.payloads) + 1}", exact=True)
        console.get_by_role("textbox").fill(payload)
        console.get_by_role("textbox").press("Enter")
        expect(console.locator(".nbs-clienthead .nbs-peer")).to_have_text(f"ValueError: {payload}")
        for place in (".is-printed", ".is-asked .nbs-prompt", ".nbs-typed"):
            assert console.locator(place).text_content() == payload
        assert console.locator(".nbs-errorline strong").text_content() == f"ValueError: {payload}"

    def names_show_them(self) -> None:
        """The peers' names, as the address of a row, and in the note that tells why its handler failed."""
        named = self.page.get_by_role("region", name=re.compile("named$"))
        named.get_by_role("grid", name="Connections").press("Home")
        for number, payload in enumerate(self.payloads, 1):
            name = payload[:100]
            row = named.get_by_role("row", name=f"Connection #{number}", exact=True)
            assert row.locator(".is-peer bdi").text_content() == f"@{safe_text(name)}"
            assert row.locator(".is-last bdi").text_content() == safe_text(f"ValueError: \0{name}", 200)
            self.page.keyboard.press("ArrowDown")

    def nothing_ran(self) -> None:
        """The oracle: no code ran, no dialogue opened, and no element was made of a text."""
        assert self.page.evaluate("() => window.__xss") is None
        assert self.dialogs == []
        assert self.page.locator(".nbs").locator(ACTIVE).evaluate_all("all => all.map((each) => each.outerHTML)") == []


@pytest.fixture(scope="module")
def window(lab, browser):
    """A JupyterLab for all these tests, one notebook after the other."""
    context = browser.new_context(viewport={"width": 1400, "height": 4500})  # a view out of sight does not draw
    write_notebook(lab.notebooks / "first.ipynb", [""], "python3")
    notebook = Notebook(lab, context.new_page(), "/lab/tree/first.ipynb")
    yield notebook
    notebook.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    context.close()
    assert not notebook.errors, notebook.errors


@pytest.fixture
def stage(window, lab, tmp_path):
    """Opens a notebook whose clients have connected, and will send these payloads."""
    stages: list[Stage] = []

    def stage(payloads: list[str], *more: str, first: str = "") -> Stage:
        given = f"PAYLOADS = {payloads!r}\nPATH = {str(tmp_path / 'named')!r}\n{first}"
        stages.append(Stage(window, payloads))
        window.page.on("dialog", stages[-1].note_dialog)
        window.path = f"{tmp_path.name}.ipynb"
        write_notebook(lab.notebooks / window.path, [given, STAGE, FLEET, *more], "python3")
        window.page.evaluate(OPEN_INSTEAD, window.path)
        window.wait_ready()
        window.run_all()
        expect(stages[-1].board).to_be_visible(timeout=PATIENCE * SECOND)
        window.wait_idle()
        return stages[-1]

    yield stage
    for opened in stages:
        window.page.remove_listener("dialog", opened.note_dialog)


def hex_of(dump: str) -> bytes:
    """The bytes of a hex dump."""
    return bytes.fromhex("".join(line[6:54] for line in dump.splitlines()))


def test_b1_script(stage):
    """First the oracle: in a widget that trusts its text the first payload runs."""
    payloads = marking("window.__xss=1", SCRIPT)
    here = stage(payloads, NAMES, PROGRAM, first="import ipywidgets\nipywidgets.HTML(PAYLOADS[0])")
    page = here.page
    page.wait_for_function("() => window.__xss === 1")
    page.evaluate("() => { delete window.__xss; }")
    here.say()
    for payload, row, shown in here.walk(5):
        assert row.locator(".is-last bdi").text_content() == safe_text(payload, 80)
        assert row.locator(".nbs-prompt").text_content() == safe_text(payload, 200)
        assert [shown[kind] for kind in ("received", "printed", "sent", "asked")] == [[payload]] * 4
    here.nothing_ran()
    here.answer()
    typed = []
    for payload, _, shown in here.walk(7):
        typed += shown["typed"]
        assert shown["error"] == [f"ValueError: {payload}"] and payload in shown["traceback"][0]
    assert sorted(typed) == sorted(payloads)  # in the order in which the handlers began to wait
    page.get_by_role("button", name="Show bytes as hex").first.click()
    for payload, _, shown in here.walk(7):
        assert [hex_of(dump).decode() for dump in shown["hex"][:2]] == [payload] * 2
    here.consoles_show_them()
    here.program_shows_it()
    here.names_show_them()
    here.nothing_ran()


def test_b2_beacon(stage):
    """First the oracle: in a widget that trusts its text, the first payload calls; and a listener hears it."""
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(PATIENCE)
        payloads = calling(f"http://127.0.0.1:{canary.getsockname()[1]}", BEACONS)
        here = stage(
            payloads, NAMES, PROGRAM, first="import ipywidgets\ntrusting = ipywidgets.HTML(PAYLOADS[0])\ntrusting"
        )
        canary.accept()[0].close()
        here.notebook.ask("trusting.close()")
        left: list[str] = []
        here.page.on("request", lambda request: left.append(request.url))
        here.say()
        assert [shown["received"] for _, _, shown in here.walk(5)] == [[payload] for payload in payloads]
        here.answer()
        assert [shown["error"] for _, _, shown in here.walk(7)] == [[f"ValueError: {payload}"] for payload in payloads]
        here.consoles_show_them()
        here.program_shows_it()
        here.names_show_them()
        here.nothing_ran()
        assert [url for url in left if not url.startswith((here.notebook.lab.url, "blob:", "data:"))] == []
        canary.settimeout(0)
        with pytest.raises(BlockingIOError):  # nor a connection without a request, as of a preconnect
            canary.accept()


# Where the cells of a row that can be seen begin, from the left.
EDGES = """row => [...row.querySelectorAll(".nbs-cell")].filter((cell) => cell.checkVisibility())
    .map((cell) => cell.getBoundingClientRect().x)"""


def test_b3_spoof(stage, tmp_path):
    """What turns the direction of writing is a badge, and moves nothing outside its own text."""
    here = stage([SPOOF, "\u05e9\u05dc\u05d5\u05dd 123 \u05e2\u05d5\u05dc\u05dd", "plain.png"])
    here.say()
    spoof, hebrew, plain = (here.board.get_by_role("row", name=f"Connection #{n}", exact=True) for n in (1, 2, 3))
    here.board.get_by_role("grid", name="Connections").press("Home")
    here.page.wait_for_function(READ, arg=[1, 5])
    for shown in (spoof.locator(".is-last bdi"), spoof.locator(".nbs-prompt")):
        assert shown.text_content() == r"admin\u202egnp.exe"
    bubble = here.board.get_by_role("log").locator(".is-received .nbs-text")
    before, badge, after = bubble.locator("> *").all()
    assert [part.text_content() for part in (before, badge, after)] == ["admin", "RLO", "gnp.exe"]
    assert "is-bidi" in badge.get_attribute("class")
    edges = [part.bounding_box()["x"] for part in (before, badge, after)]
    assert edges == sorted(edges)
    texts = here.board.locator(".is-last bdi, .is-peer bdi, .nbs-prompt, .nbs-text bdi")
    isolation = texts.evaluate_all("all => all.map((each) => getComputedStyle(each).unicodeBidi)")
    assert len(isolation) > 10 and set(isolation) == {"isolate"}
    edges = [row.evaluate(EDGES) for row in (spoof, hebrew, plain)]
    assert len(edges[0]) > 4 and edges == [sorted(edges[0])] * 3
    here.board.screenshot(path=tmp_path / "spoof.png")


def test_b4_terminal(tmp_path):
    """First the oracle: printed raw, the same bytes change title and screen."""
    (tmp_path / "stage.py").write_text(f"RAW = {''.join(TERMINAL)!r}\n{STAGE.rpartition('server =')[0]}", "utf-8")
    terminal = Terminal(tmp_path)
    try:
        terminal.run("import stage, nbserver")
        terminal.run("print(stage.RAW)")
        assert {"title owned", "erase 2", "reset"} <= set(terminal.screen.told)
        terminal.run("server = nbserver.serve(stage.Reckless)")
        terminal.screen.told.clear()
        show_in(terminal, int(re.findall(r"\d+", terminal.run("server.address[1]"))[-2]))
        assert terminal.screen.told == []
    finally:
        terminal.stop()


def show_in(terminal: Terminal, port: int) -> None:
    raw = "".join(TERMINAL)
    terminal.run("'what stands there'")
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(raw.encode())
        assert peer.recv(65536) == raw.encode()
        before = terminal.text()
        terminal.listen(0.5)
        assert terminal.text() == before  # nothing of a peer is printed by itself (S5)
        assert "waiting" in terminal.run("server[1]")
        shown = terminal.run("server, server[1].prompt, server.connections, list(server[1].transcript)")
        assert "owned" in shown
        terminal.run("server.reply(1, stage.RAW)")
        terminal.run("server[1].wait_closed(5)")
    assert "ConnectionEnded" in terminal.run("server.reply(1, 'too late')")
    for code in ("print(server[1].note)", "server[1].transcript", "print(server, server[1])", "print(server.stop())"):
        terminal.run(code)
    assert "what stands there" in terminal.text() and "ValueError" in terminal.text()


POST = """async url => {
    const asked = fetch(url, { method: "POST", mode: "no-cors", body: "quit\\n" });
    const answer = asked.then(() => "answered", () => "closed");
    const patience = new Promise((done) => setTimeout(() => done("still open"), 5000));
    return Promise.race([answer, patience]);
}"""


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """A page of another origin, on the person's own machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *args) -> None:
        """Not to stderr."""


def test_b5_cross_protocol(page):
    """A browser that is made to talk to a raw port is recognised and named; nobody is asked about what it says."""
    with net.listen() as server, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere:
        thread = threading.Thread(target=elsewhere.serve_forever)
        thread.start()
        try:
            page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
            assert page.evaluate(POST, f"http://{server.address_text}/") == "closed"
        finally:
            elsewhere.shutdown()
            thread.join()
        spoken = [connection for connection in server.connections.values() if connection.bytes_in]
        assert spoken
        for connection in spoken:  # but for one that a browser may open in advance
            connection.wait_closed(5)
            facts = [event for event in connection.transcript if event.kind is not Kind.RECEIVED]
            assert any("HTTP" in text for text in (connection.note, *(event.data.decode() for event in facts)))
            assert [event.kind for event in facts if event.kind in (Kind.ASKED, Kind.ERROR)] == []


TRUSTING = """from IPython.display import HTML
HTML("<img class=oracle src=x onerror=window.__oracle=1>")"""
SHOWN = """server[1], server[1].note
list(server[1].transcript)
print(list(server.connections.values()), server.stop())
server.reply(1, 'too late')"""
TALK = """for number, payload in enumerate(PAYLOADS, 1):
    fleet[number - 1].say(payload)
    server[number].wait_waiting(5)
    server.reply(number, payload)
    server[number].wait_closed(5)"""
IS_TRUSTED = "() => window.jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted"
# JupyterLab makes links of the paths in a traceback; an export has scripts of its own where widgets were.
REPLAYED = """active => [...document.querySelectorAll(".jp-OutputArea-output")]
    .flatMap((output) => [...output.querySelectorAll(active)])
    .filter((each) => !each.matches(".oracle, script, a:not([href^=javascript])") || /__xss/.test(each.text))
    .map((each) => each.outerHTML)"""


def test_b6_replay(stage, lab):
    """Saved with its widgets, opened untrusted and trusted, and exported: a cell that trusts runs in the latter two."""
    payloads = marking("window.__xss=1", SCRIPT)
    here = stage(payloads, TALK, TRUSTING, *SHOWN.splitlines())  # the last raises
    notebook, page = here.notebook, here.page
    page.evaluate("() => window.jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')")
    notebook.save()
    file = lab.notebooks / notebook.path
    saved = json.loads(file.read_text("utf-8"))
    kinds = {kind for cell in saved["cells"] for output in cell["outputs"] for kind in output.get("data", {})}
    assert kinds == {"application/vnd.jupyter.widget-view+json", "text/plain", "text/html"}
    assert "application/vnd.jupyter.widget-state+json" in saved["metadata"]["widgets"]
    saved["cells"][0]["source"] += "# not as it was signed"
    untrusted = file.with_name(f"untrusted-{file.name}")
    untrusted.write_text(json.dumps(saved), "utf-8")
    for name, is_trusted in ((untrusted.name, False), (file.name, True)):
        page.evaluate(OPEN_INSTEAD, name)
        notebook.wait_ready()
        assert page.evaluate(IS_TRUSTED) is is_trusted
        nothing_runs_again(page, is_trusted)
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", file]
    subprocess.run(command, check=True, env=lab.env, capture_output=True)
    exported = page.context.new_page()
    exported.route("**", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    exported.goto(file.with_suffix(".html").as_uri())
    nothing_runs_again(exported, is_trusted=True)
    assert here.dialogs == []


def nothing_runs_again(page, is_trusted: bool) -> None:
    """The oracles of B1 for outputs; the one cell that trusts its text has run, or not, as the page should have it."""
    expect(page.locator(".jp-OutputArea-output", has_text="ConnectionEnded")).to_be_visible()
    expect(page.locator(".oracle")).to_have_count(1)
    if is_trusted:
        page.wait_for_function("() => window.__oracle === 1")
    assert page.evaluate("() => [window.__oracle ?? 0, window.__xss ?? 0]") == [int(is_trusted), 0]
    assert page.evaluate(REPLAYED, ACTIVE) == []
