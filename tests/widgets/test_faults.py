"""The fault lab: a card for each fault with its units and its line of Python, a chip with Undo for each that is set."""

from __future__ import annotations

import re
import socket
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from nbserver import net
from nbserver.net.faults import Faults, Lab
from tests.widgets.conftest import CONTRAST, SERVER, row

DELAY = [1, "delay", 0, "0.5 s of delay, both ways", 3, 4]
SPLIT = [2, "split", 2, "each message is split at byte 1, to the client", 1, 1]


def seen(*faults, is_datagram=False):
    """What the kernel tells of a server on which these are set."""
    lab = Lab(SimpleNamespace(is_datagram=is_datagram, connections={}))
    return {**Faults(lab).seen(), "faults": list(faults)}


@pytest.fixture
def lab(board):
    """Opens the lab of a server with three connections, on which some faults are set."""

    def open_lab(*faults, is_datagram=False, **traits):
        board.start(**traits)
        told = [sum(not fault[2] for fault in faults), sorted({fault[2] for fault in faults if fault[2]})]
        board.snap(row(1), row(2), row(3, "closed"), faults=told, transport="datagram" if is_datagram else "stream")
        board.page.get_by_role("tab").nth(6).click()
        board.wish("look", at="faults", connection=0)
        board.delta(looks=[["faults", 0, seen(*faults, is_datagram=is_datagram)]])
        return board

    return open_lab


def test_a_fault_is_set_for_all_and_for_one(lab):
    board = lab()
    page = board.page
    card = page.get_by_role("form", name="Delay")
    expect(card).to_contain_text("Everything arrives later.")
    expect(card).to_contain_text('server.faults.add("delay", seconds=0.5)')
    card.get_by_label("by").fill("1.5")
    card.get_by_label("way").select_option("to_client")
    expect(card).to_contain_text('server.faults.add("delay", direction="to_client", seconds=1.5)')
    card.get_by_role("button", name="Set: Delay").click()
    values = {"seconds": 1.5, "jitter": 0}
    wish = board.wish("add_fault", name="delay", connection=0, direction="to_client")
    assert wish["values"] == values
    board.accept(wish)
    board.row(2).click()
    page.get_by_role("button", name="#2 only").click()
    expect(card).to_contain_text("server[2].faults.add(")
    card.get_by_label("by").press("Enter")
    assert board.wish("add_fault", connection=2)["values"] == values


def test_what_cannot_be_had_is_not_sent(lab):
    board = lab()
    card = board.page.get_by_role("form", name="Split")
    for wrong in ("0", "-3", "1.5", ""):
        card.get_by_label("after").fill(wrong)
        card.get_by_role("button").click()
    assert board.wishes("add_fault") == []


def test_nobody_need_wonder_why_it_is_slow(lab):
    board = lab(SPLIT)
    page = board.page
    expect(board.row(2)).to_contain_text("⚡ fault")
    expect(board.row(1)).not_to_contain_text("⚡")
    board.delta(server={**SERVER, "faults": [1, [2]]})
    expect(board.row(1)).to_contain_text("⚡ fault")
    expect(board.row(3)).not_to_contain_text("⚡")  # it has ended
    page.get_by_role("tab", name="Fault lab").click()
    expect(page.get_by_role("form", name="Delay")).to_be_hidden()
    asked = len(board.wishes("look"))
    page.get_by_role("button", name="⚡ 2 faults set").click()
    page.wait_for_function("(asked) => window.wishes.filter((wish) => wish.do === 'look').length > asked", arg=asked)
    board.delta(looks=[["faults", 0, seen(DELAY, SPLIT)]])
    expect(page.get_by_role("form", name="Delay")).to_be_visible()


def test_undo_is_one_click_and_the_focus_stays_in_the_list(lab):
    board = lab(DELAY, SPLIT)
    page = board.page
    expect(page.locator(".nbs-faultset")).to_contain_text(
        ["Delay: 0.5 s of delay, both waysacted on 3 of 4", "#2Split"]
    )
    page.get_by_role("button", name="Undo fault 1").click()
    board.accept(board.wish("undo_fault", fault=1), looks=[["faults", 0, seen(SPLIT)]])
    expect(page.get_by_role("button", name="Undo fault 2")).to_be_focused()
    page.locator(".nbs-faultset").get_by_role("button", name="#2").click()
    expect(board.row(2)).to_have_attribute("aria-selected", "true")
    board.delta(looks=[["faults", 0, seen(DELAY, SPLIT)]])
    page.get_by_role("button", name="Undo all").click()
    board.accept(board.wish("undo_faults"), looks=[["faults", 0, seen()]])
    expect(page.get_by_text("No fault is set")).to_be_visible()


def test_what_is_done_at_once(lab):
    board = lab()
    board.page.get_by_role("button", name="Half-close").click()
    assert board.wish("half_close")["connections"] == [1, 2]
    board.page.get_by_role("button", name="#1 only").click()
    board.page.locator(".nbs-fault").get_by_role("button", name="Reset").click()
    assert board.wish("reset")["connection"] == 1


def test_datagrams_have_faults_of_their_own(lab):
    page = lab(is_datagram=True).page
    for name, is_there in (("Drop", True), ("Reorder", True), ("Delay", True), ("Split", False), ("Slow line", False)):
        expect(page.get_by_role("form", name=name)).to_have_count(int(is_there))
    expect(page.get_by_role("button", name="Half-close")).to_have_count(0)
    drop = page.get_by_role("form", name="Drop")
    drop.get_by_label("seed").fill("7")
    expect(drop).to_contain_text('server.faults.add("drop", share=0.3, seed=7)')


@pytest.mark.parametrize("is_datagram", [False, True])
def test_in_chinese_each_fault_has_its_words(lab, is_datagram):
    made = Faults(
        Lab(
            SimpleNamespace(
                is_datagram=is_datagram, datagram_socket=socket.socket, live=[], tell=lambda kind, text: None
            )
        )
    )
    made._lab._must_act = lambda connection: None
    kinds = [name for name, kind in net.KINDS.items() if (kind.datagrams if is_datagram else kind.streams)]
    for name in (*kinds, "delay"):
        for direction in net.KINDS[name].directions:
            made.add(name, direction=direction, **({"jitter": 0.1} if len(made) % 2 and name == "delay" else {}))
    page = lab(*made.seen()["faults"], is_datagram=is_datagram, lang="zh").page
    chips = page.locator(".nbs-faultsays")
    expect(chips).to_have_count(len(made))
    assert [text for text in chips.all_inner_texts() if re.search("[a-z]{2}", text)] == []
    cards = page.locator(".nbs-faults").inner_text()
    assert "fault." not in cards.replace(".faults.add", "") and "unit." not in cards


def test_it_can_be_read_and_breaks_no_rule_of_accessibility(lab):
    board = lab(DELAY, SPLIT)
    for scheme in ("light", "dark"):
        board.page.emulate_media(color_scheme=scheme)
        expect(board.page.locator(".nbs")).to_have_attribute("data-theme", scheme)
        assert board.page.evaluate(CONTRAST)[0][0] >= 4.5
    found = Axe().run(board.page, ".nbs").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
