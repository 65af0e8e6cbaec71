"""The board in a real JupyterLab: what it shows, what it does, and that it is whole again after anything."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .test_tutorial import SECOND, answer_while_busy, reply_box, row_with, say, tutorial_cells

START = "import nbserver\nserver = nbserver.serve()\nserver"


def board(page):
    return page.get_by_role("region", name=re.compile(r"^nbserver 127\.0\.0\.1:\d+$"))


@pytest.fixture
def started(open_notebook):
    """A notebook whose cells have run: a server that replies by hand, and its board."""

    def started(*cells: str):
        notebook = open_notebook([START, *cells])
        notebook.run_all()
        expect(board(notebook.page).first).to_be_visible(timeout=PATIENCE * SECOND)
        notebook.wait_idle()
        return notebook

    return started


def test_an_answer_arrives_while_a_cell_runs_on_the_oldest_ipykernel(lab, open_notebook, old_kernel):
    cells = [*tutorial_cells(), "import time; time.sleep(60)", "while True:\n    pass"]
    notebook = open_notebook(cells, old_kernel)
    for index in range(3):
        notebook.run(index)
    expect(notebook.page.get_by_role("textbox", name="Input of client 3")).to_be_visible(timeout=PATIENCE * SECOND)
    assert notebook.ask("__import__('ipykernel').__version__") == "6.29.5"
    for cell in (3, 4):
        answer_while_busy(notebook, cell)
        notebook.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
        notebook.wait_idle()
        for client in (1, 2, 3):
            expect(notebook.page.get_by_role("region", name=f"Client {client}", exact=True)).to_contain_text("waiting")


@pytest.fixture
def old_kernel(lab, old_python) -> str:
    """The name of a kernel with the oldest ipykernel that is supported."""
    folder = lab.folder / "jupyter_data_dir" / "kernels" / "oldest"
    folder.mkdir(parents=True, exist_ok=True)
    argv = [old_python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "oldest", "language": "python"}))
    return "oldest"


def test_add_client_reply_send_to_all_disconnect_and_stop(started):
    notebook = started()
    page = notebook.page
    for number in (1, 2):
        page.get_by_role("button", name="Add client").click()
        expect(page.get_by_role("region", name=f"Client {number}", exact=True)).to_be_visible()
    say(page, 1, "from the first")
    box = reply_box(page, 1)
    box.fill("only for you")
    box.press("Enter")
    expect(page.get_by_role("log", name="Transcript of client 1", exact=True)).to_contain_text("only for you")
    page.get_by_role("textbox", name="Message to all").fill("to everybody")
    page.get_by_role("button", name="Send to all").click()
    for number in (1, 2):
        expect(page.get_by_role("log", name=f"Transcript of client {number}", exact=True)).to_contain_text(
            "to everybody"
        )
    assert "only for you" not in page.get_by_role("log", name="Transcript of client 2", exact=True).inner_text()
    page.get_by_role("row", name="Connection #2", exact=True).click()
    page.get_by_role("button", name="Disconnect #2").click()
    expect(page.get_by_role("row", name="Connection #2", exact=True)).to_contain_text("closed")
    expect(page.get_by_role("region", name="Client 2", exact=True)).to_contain_text("closed")
    page.get_by_role("button", name="Stop server").click()
    expect(board(page)).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Stop server")).to_be_disabled()
    assert notebook.ask("server.state.value, nbserver.servers()") == ["stopped", []]


def test_finding_in_whole_conversations_and_a_text_for_those_found(started):
    notebook = started("fleet = nbserver.clients(server, 4, ['a red apple'])")
    page = notebook.page
    expect(row_with(page, "a red apple")).to_have_count(4)
    for number in (1, 3):
        notebook.ask(f"server.reply({number}, 'noted'), fleet[{number - 1}].hear(5)")
    expect(row_with(page, "noted")).to_have_count(2)
    notebook.ask("(fleet[0].say('green'), fleet[2].say('green'))")
    expect(row_with(page, "green")).to_have_count(2)
    find = page.get_by_role("searchbox", name="Find", exact=True)
    find.fill("red ap")
    rows = board(page).get_by_role("row", name=re.compile(r"^Connection #"))
    expect(row_with(page, "earlier")).to_have_count(2)
    expect(rows).to_have_count(4)
    assert notebook.ask("[server.find('RED AP'), server.find('noted')]") == [[1, 2, 3, 4], [1, 3]]
    find.fill("noted")
    expect(rows).to_have_count(2)
    page.get_by_role("grid", name="Connections").press("Control+a")
    page.get_by_role("textbox", name="Message to selected", exact=True).fill("for those who were noted")
    page.get_by_role("button", name="Send to selected", exact=True).click()
    assert notebook.ask("[fleet[n].hear(5) for n in (0, 2)]") == ["for those who were noted"] * 2
    page.get_by_role("button", name="Reset selected").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Reset").click()
    expect(row_with(page, "closed")).to_have_count(2)
    notebook.ask("[fleet[n].wait_ended(5) for n in (0, 2)]")
    assert notebook.ask("['reset' in str([e.data for e in fleet[n].transcript]) for n in (0, 2)]") == [True, True]
    assert notebook.ask("[len(server.observation.live), server.find('for those')]") == [2, [1, 3]]


def test_what_was_typed_for_a_client_that_left_is_refused_and_kept(started):
    page = started().page
    page.get_by_role("button", name="Add client").click()
    say(page, 1, "hello")
    box = reply_box(page, 1)
    box.fill("too late")
    page.get_by_role("button", name="Stop client 1", exact=True).click()
    row = page.get_by_role("row", name="Connection #1", exact=True)
    expect(row).to_contain_text("closed")
    expect(box).to_have_value("too late")
    expect(row.get_by_role("alert")).to_contain_text("the connection has ended")
    page.get_by_role("button", name="Discard draft of #1", exact=True).first.click()
    expect(box).to_have_count(0)


def test_after_a_reload_the_board_is_whole_again(started):
    notebook = started("fleet = nbserver.clients(server, 3, ['hello from a script'])")
    page = notebook.page
    expect(row_with(page, "hello from a script")).to_have_count(3)
    notebook.save()
    notebook.open()
    expect(row_with(page, "hello from a script")).to_have_count(3, timeout=PATIENCE * SECOND)
    page.get_by_role("row", name="Connection #2", exact=True).click()
    expect(page.get_by_role("log", name="Transcript of #2")).to_contain_text("hello from a script")
    reply_box(page, 2).fill("after the reload")
    reply_box(page, 2).press("Enter")
    expect(page.get_by_role("row", name="Connection #2", exact=True)).to_contain_text("after the reload")
    assert notebook.ask("[client.hear(5) for client in fleet if client._heard]") == ["after the reload"]


def test_a_new_view_and_a_second_tab_show_the_same(started):
    notebook = started("fleet = nbserver.clients(server, 2, ['seen everywhere'])")
    page = notebook.page
    expect(row_with(page, "seen everywhere")).to_have_count(2)
    notebook.save()
    second = page.context.new_page()
    second.set_viewport_size({"width": 1400, "height": 2200})
    second.goto(page.url)
    expect(row_with(second, "seen everywhere")).to_have_count(2, timeout=PATIENCE * SECOND)
    reply_box(second, 1).fill("from the second tab")
    reply_box(second, 1).press("Enter")
    for one in (page, second):
        expect(one.get_by_role("row", name="Connection #1", exact=True)).to_contain_text("from the second tab")
    page.evaluate(
        """() => {
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0;
            window.jupyterapp.commands.execute("notebook:create-output-view");
        }"""
    )
    expect(board(page)).to_have_count(2)
    for one in board(page).all():
        expect(one.get_by_role("row", name="Connection #2", exact=True)).to_contain_text("seen everywhere")
    second.close()


def test_20000_events_in_a_second_end_on_the_true_state(started):
    notebook = started(
        """import socket, threading
echo = nbserver.serve(nbserver.Echo)
def talk():
    with socket.create_connection(echo.address) as s:
        for n in range(1, 2501):
            s.sendall(b"message %d" % n)
            s.recv(100)
        hold.wait(30)
hold = threading.Event()
talkers = [threading.Thread(target=talk) for _ in range(4)]
echo""",
    )
    page = notebook.page
    notebook.ask("[t.start() for t in talkers]")
    rows = board(page).nth(1).get_by_role("grid", name="Connections").get_by_role("row")
    for number in range(1, 5):
        row = rows.and_(page.get_by_role("row", name=f"Connection #{number}", exact=True))
        expect(row).to_contain_text("2500 / 2500", timeout=PATIENCE * SECOND)
        expect(row).to_contain_text("message 2500")
    assert notebook.ask("[(c.messages_in, c.messages_out) for c in echo.connections.values()]") == [[2500, 2500]] * 4
    notebook.ask("hold.set()")
    expect(rows.filter(has_text="closed")).to_have_count(4)


def test_300_handlers_that_print_and_wait_are_all_on_the_board(started):
    notebook = started("fleet = nbserver.clients(server, 300, ['here I am'])")
    page = notebook.page
    expect(board(page)).to_contain_text("300 waiting", timeout=PATIENCE * SECOND)
    assert page.get_by_role("grid", name="Connections").get_by_role("row").count() < 60
    notebook.ask("server.broadcast('for all')")
    assert notebook.ask("sorted({client.hear(10) for client in fleet})") == ["for all"]
    expect(board(page)).to_contain_text("0 waiting")
    assert "ZMQError" not in notebook.outputs()


SINK = """import socketserver
class Sink(socketserver.BaseRequestHandler):
    def handle(self):
        while self.request.recv(65536):
            pass
sink = nbserver.serve(Sink)
sink"""
HOSTILE = [
    "<img src=x onerror=\"window.__ran='img'\">",
    "<script>window.__ran='script'</script>",
    "<svg onload=\"window.__ran='svg'\"></svg>",
    "<iframe srcdoc=\"<script>parent.__ran='iframe'</script>\"></iframe>",
    "control \x00\x07\x1b[31m bytes",
    "admin\u202egnp.exe",
    "half \u4f60",
    "</textarea><b>bold</b>",
]


def test_hostile_bytes_are_text_and_nothing_runs(started):
    """Promise 9. First the oracle: in a widget that trusts its text, the same bytes run."""
    notebook = started(
        f"HOSTILE = {HOSTILE!r}\nimport ipywidgets\nipywidgets.HTML(HOSTILE[0])",
        "fleet = nbserver.clients(server, len(HOSTILE) + 1)",
        SINK,
        "nbserver.client(sink, ['A' * 1_000_000, ''.join(HOSTILE)])",
    )
    page = notebook.page
    page.wait_for_function("() => window.__ran === 'img'")
    page.evaluate("() => { delete window.__ran; }")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.ask("[client.say(text) for client, text in zip(fleet, HOSTILE)]")
    notebook.ask("fleet[-1]._socket.sendall('一'.encode()[:2])")
    size = len(HOSTILE) + 1
    everything = board(page).nth(1)
    expect(everything).to_contain_text("1.0 MB", timeout=PATIENCE * SECOND)
    assert notebook.ask("sink[1].bytes_in") == 1_000_000 + len("".join(HOSTILE).encode())
    assert everything.locator("img, script, iframe, [onerror], [onload]").count() == 0
    page_board = board(page).first
    expect(page_board).to_contain_text(f"{size} waiting", timeout=PATIENCE * SECOND)
    page_board.get_by_role("grid", name="Connections").press("Home")
    for number in range(1, size + 1):
        expect(page_board.get_by_role("log", name=f"Transcript of #{number}", exact=True)).to_be_visible()
        page.keyboard.press("ArrowDown")
    page_board.get_by_role("grid", name="Connections").press("Home")
    expect(row_with(page_board, "<script>window")).to_have_count(1)
    assert "\u202e" not in page_board.inner_text() and "\x1b" not in page_board.inner_text()
    nodes = page_board.locator("img, script, iframe, [onerror], [onload], textarea + b").count()
    assert nodes == 0 and dialogs == []
    assert page.evaluate("() => window.__ran") is None
    reply_box(page_board, 1).focus()
    for answered, text in enumerate(HOSTILE, 1):
        page.keyboard.insert_text(text.replace("\x00", ""))  # what a person can paste
        page.keyboard.press("Enter")  # moves on to the next that waits
        expect(page_board).to_contain_text(f"{size - answered} waiting")
    assert page.evaluate("() => window.__ran") is None
    sizes = [len(text.encode()) for text in HOSTILE] + [2]
    assert notebook.ask("[c.bytes_in for c in server.connections.values()]") == sizes


def test_typing_in_the_board_leaves_the_notebooks_cells_alone(started):
    notebook = started()
    page = notebook.page
    page.get_by_role("button", name="Add client").click()
    say(page, 1, "ddabxcvm")
    page.get_by_role("row", name="Connection #1", exact=True).click()
    page.keyboard.type("ddabxm")
    reply_box(page, 1).press("Shift+Enter")
    assert page.locator(".jp-Cell").count() == 1
    assert notebook.ask("get_ipython().execution_count") == 2
