"""The head of the board and what it opens: limits, who can reach the server, its address in a browser."""

from __future__ import annotations

from typing import Any

import pytest
import segno
from playwright.sync_api import Locator, expect

from .conftest import CONTRAST, SERVER, Board, row

ADDRESS = "192.168.1.7:8008"
NETWORK = {
    "zone": "network",
    "addresses": [ADDRESS, "[fd00::7]:8008"],
    "wider": False,
    "qr": ["".join(map(str, line)) for line in segno.make(ADDRESS, error="m", boost_error=False).matrix],
    "token": "seven-red-apples",
}
HTTP = {"port": 8008, "tls": False, "proxy": True}
STICKS_OUT = """panel => [...panel.querySelectorAll("*")]
  .filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1).map((each) => each.className)"""


def reach(board: Board) -> Locator:
    return board.page.get_by_role("button", name="Who can reach it")


def panel(board: Board) -> Locator:
    return board.page.get_by_role("region", name="Who can reach it", exact=True)


def test_a_server_of_this_machine_says_so_in_three_words(board: Board) -> None:
    board.start().snap(row(1))
    expect(reach(board)).to_have_text("this machine only")
    expect(panel(board)).to_be_hidden()
    reach(board).click()
    expect(panel(board)).to_contain_text("127.0.0.1:8008")
    expect(panel(board)).to_contain_text("Only programs on this machine can connect")
    for absent in (panel(board).get_by_role("img"), panel(board).get_by_text("HELLO")):
        expect(absent).to_be_hidden()


def test_the_panel_says_who_can_and_who_cannot(board: Board) -> None:
    board.start().snap(row(1))
    reach(board).click()
    rings = panel(board).get_by_role("listitem")
    expect(rings).to_have_text(["✓ this notebook", "✓ this machine", "✗ not the network"])
    expect(panel(board)).to_contain_text("127.0.0.1 always means the machine itself")
    board.delta(server={**SERVER, "reach": NETWORK})
    expect(rings.last).to_have_text("✓ the network")
    expect(panel(board)).not_to_contain_text("always means")


def test_the_panel_shows_the_address_large_the_code_and_the_token(board: Board) -> None:
    board.start().snap(row(1), address="0.0.0.0:8008", reach=NETWORK)
    expect(reach(board)).to_have_text(f"the same network: type {ADDRESS}")
    reach(board).click()
    large = panel(board).get_by_text(ADDRESS, exact=True)
    assert large.bounding_box()["height"] > 40, "to be read from the last row"
    expect(panel(board)).to_contain_text("or [fd00::7]:8008")
    expect(panel(board)).to_contain_text("Whoever is in the same network can connect")
    expect(panel(board)).to_contain_text("first line: HELLO seven-red-apples")
    expect(panel(board).get_by_role("img", name=ADDRESS, exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_camera_reads_the_code_in_every_theme(board: Board, read_code: Any, theme: str) -> None:
    board.page.evaluate("(theme) => { document.body.dataset.jpThemeLight = theme === 'light'; }", theme)
    board.start().snap(row(1), reach=NETWORK)
    reach(board).click()
    expect(board.page.locator(".nbs")).to_have_attribute("data-theme", theme)
    assert read_code(panel(board).get_by_role("img")) == ADDRESS


def test_the_panel_by_keyboard(board: Board) -> None:
    board.start().snap(row(1), reach=NETWORK)
    reach(board).focus()
    expect(reach(board)).to_have_attribute("aria-expanded", "false")
    reach(board).press("Enter")
    expect(reach(board)).to_have_attribute("aria-expanded", "true")
    assert reach(board).get_attribute("aria-controls") == panel(board).get_attribute("id")
    reach(board).press("Escape")
    expect(panel(board)).to_be_hidden()
    reach(board).press("Enter")
    panel(board).get_by_role("button", name="Close panel").press("Enter")
    expect(panel(board)).to_be_hidden()
    expect(reach(board)).to_be_focused()


def test_one_panel_at_a_time_and_the_same_in_two_views(board: Board) -> None:
    board.start().snap(row(1), reach=NETWORK)
    board.page.evaluate("window.show('board')")
    reach(board).first.click()
    expect(panel(board)).to_have_count(2)
    board.page.get_by_role("button", name="Limits").last.click()
    expect(panel(board)).to_have_count(0)
    expect(board.page.get_by_role("region", name="Limits", exact=True)).to_have_count(2)


def test_an_address_that_is_wider_than_who_is_let_in_is_explained(board: Board) -> None:
    board.start().snap(row(1), reach={**SERVER["reach"], "addresses": ["0.0.0.0:8008"], "wider": True})
    expect(reach(board)).to_have_text("this machine only")
    reach(board).click()
    expect(panel(board)).to_contain_text("127.0.0.1:8008")  # nobody can type 0.0.0.0
    expect(panel(board)).to_contain_text("bound to every address, but only this machine is let in: lan=True")


def test_a_network_without_an_address_and_the_public(board: Board) -> None:
    board.start().snap(row(1), reach={**NETWORK, "addresses": [], "qr": []})
    expect(reach(board)).to_have_text("the network, but this machine has no address in one")
    reach(board).click()
    expect(panel(board).get_by_role("img")).to_be_hidden()
    board.delta(server={**SERVER, "reach": {**NETWORK, "zone": "public", "token": ""}})
    expect(reach(board)).to_have_text(f"public: type {ADDRESS}")
    expect(panel(board)).to_contain_text("Everybody who can reach this machine can connect")


def test_limits_are_listed_in_words_and_follow_a_change(board: Board) -> None:
    board.start().snap(row(1))
    button = board.page.get_by_role("button", name="Limits", exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    shown = board.page.get_by_role("region", name="Limits", exact=True)
    expect(shown.get_by_role("listitem")).to_have_text(
        [
            "at most 1,000 connections",
            "TLS handshake within 10 s",
            "256 KiB of one transcript",
            "64 MiB of transcripts in all",
        ]
    )
    board.delta(server={**SERVER, "limits": {"max_connections": 2, "idle_seconds": 0.5}})
    expect(shown.get_by_role("listitem")).to_have_text(["at most 2 connections", "silent for at most 0.5 s"])
    board.page.get_by_role("button", name="Switch to Chinese").click()
    expect(board.page.get_by_role("region", name="限制")).to_contain_text("最多 2 个连接")


@pytest.mark.parametrize(
    ("limit", "english", "chinese"),
    [
        ("full 200 200 3", "200 of 200 connections: 3 wait in the backlog", "3 个在积压队列中等候"),
        ("full 200 200 0", "200 of 200 connections: the next ones wait in the backlog", "后来者在积压队列中等候"),
        (
            "away 12 it speaks plain HTTP, not TLS",
            "12 turned away, the last: it speaks plain HTTP, not TLS",
            "明文 HTTP",
        ),
        ("away 1 <img src=x>", "1 turned away, the last: <img src=x>", "<img src=x>"),
    ],
)
def test_a_limit_that_bites_is_a_line_in_words(board: Board, limit: str, english: str, chinese: str) -> None:
    board.start().snap(row(1), limit=limit)
    line = board.page.get_by_role("status").filter(has_text=english)
    expect(line).to_be_visible()
    board.page.get_by_role("button", name="Switch to Chinese").click()
    expect(board.page.get_by_role("status").filter(has_text=chinese)).to_be_visible()


# The bare page is not on this machine's own address: it stands for one that came from elsewhere.
def test_a_server_for_browsers_has_a_link_through_the_proxy(board: Board) -> None:
    board.page.evaluate("document.body.dataset.baseUrl = '/user/ada/'")
    board.start().snap(row(1), link=HTTP)
    link = board.page.get_by_role("link", name="Open in browser", exact=True)
    expect(link).to_have_attribute("href", "/user/ada/proxy/8008/")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    board.delta(server={**SERVER, "link": HTTP, "state": "stopped"})
    expect(link).to_have_count(0)


def test_a_link_that_leads_nowhere_says_why(board: Board) -> None:
    board.start().snap(row(1), link={**HTTP, "proxy": False})
    link = board.page.get_by_role("link", name="Open in browser", exact=True)
    expect(link).to_have_attribute("aria-disabled", "true")
    expect(link).not_to_have_attribute("href", "")
    assert "jupyter-server-proxy" in link.get_attribute("title")
    link.focus()
    expect(link).to_be_focused()


def test_a_server_that_speaks_no_http_has_no_link(board: Board) -> None:
    board.start().snap(row(1))
    expect(board.row(1)).to_be_visible()
    expect(board.page.get_by_role("link")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_at_twice_the_size_all_of_it_is_reachable_and_fits(board: Board, language: str) -> None:
    everything = {"address": "0.0.0.0:8008", "reach": NETWORK, "link": HTTP, "limit": "full 200 200 3"}
    board.start(scale=2, lang=language).snap(*(row(id, speaks="HTTP") for id in range(1, 20)), **everything)
    expect(board.page.locator(".nbs-row").first).to_be_visible()
    box = board.page.locator(".nbs").bounding_box()
    assert box["y"] + box["height"] <= 800
    for name in ("is-limits", "is-reach"):
        board.page.locator(f".nbs-fact.{name}").click()
        expect(board.page.locator(f".nbs-panel.{name}")).to_be_in_viewport(ratio=1)
        assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1280, 900, 640, 420])
def test_nothing_sticks_out_at_any_width(board: Board, width: int) -> None:
    board.page.set_viewport_size({"width": width, "height": 800})
    try:
        board.start().snap(row(1, speaks="SSH"), address="0.0.0.0:8008", reach=NETWORK, link=HTTP, limit="full 2 2 1")
        for name in ("is-limits", "is-reach"):
            board.page.locator(f".nbs-fact.{name}").click()
            shown = board.page.locator(f".nbs-panel.{name}")
            expect(shown).to_be_visible()
            assert shown.evaluate(STICKS_OUT) == []
            assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        board.page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("limit", ["full 2 2 1", "away 3 too many wrong tokens from its address"])
def test_contrast_of_the_head_and_its_panels(board: Board, theme: str, limit: str) -> None:
    board.page.evaluate(
        """(theme) => {
            document.body.dataset.jpThemeLight = theme === "light";
            document.body.style.background = theme === "light" ? "#fff" : "#111";
        }""",
        theme,
    )
    facts = {"reach": {**NETWORK, "wider": True}, "link": {**HTTP, "proxy": False}, "limit": limit}
    board.start().snap(row(1, speaks="TLS"), **facts)
    expect(board.page.locator(".nbs")).to_have_attribute("data-theme", theme)
    for name in ("is-limits", "is-reach"):
        board.page.locator(f".nbs-fact.{name}").click()
        expect(board.page.locator(f".nbs-panel.{name}")).to_be_visible()
        worst = board.page.evaluate(CONTRAST)
        assert worst[0][0] >= 4.5, worst
