"""The time line in a bare page: read in its text alternative, and steered by keyboard and mouse."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import CONTRAST, NOW, Board, row, waiting

pytestmark = pytest.mark.usefixtures("passing_time")
PAST = {
    "t": "lanes",
    "loop": [[NOW - 15, "selecting"], [NOW - 5, "serving 1"]],
    "queue": [],
    "lanes": [
        [1, [[NOW - 4.9, "receiving"], [NOW - 3, "waiting"]], [[NOW - 3.1, 1, 0]]],
        [2, [[NOW - 9, "running"]], []],
    ],
}
FRAME = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""
# So many that a time line that is seen is drawn in some of them.
FRAMES = """async () => { for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame); }"""
# How many pixels of the canvas have the colour of a token, in a stripe from one share of its width to another.
PIXELS = """([token, from, to]) => {
  const canvas = document.querySelector(".nbs-lanecanvas");
  const probe = canvas.closest(".nbs").appendChild(document.createElement("i"));
  probe.style.color = `var(--nbs-${token})`;
  const wanted = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  const x = Math.floor(canvas.width * from);
  const { data } = canvas.getContext("2d").getImageData(x, 0, Math.floor(canvas.width * to) - x, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) found += wanted.every((value, j) => Math.abs(value - data[i + j]) < 3);
  return found;
}"""


class Line:
    """What a test does with the time line of a page."""

    def __init__(self, board: Board) -> None:
        self.board, self.page = board, board.page

    @property
    def lanes(self):
        return self.page.get_by_role("group", name=re.compile("^Lanes"))

    @property
    def table(self):
        return self.page.get_by_role("table", name="Time line", exact=True)

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def tell(self, **past) -> Line:
        self.board.wish("lanes")
        self.board.play({**PAST, **past})
        return self

    def as_table(self) -> Line:
        self.page.get_by_text("As a table", exact=True).click()
        self.board.delta()
        return self

    def rows(self) -> list[list[str]]:
        return [line.locator("th, td").all_inner_texts()[:2] for line in self.table.locator("tbody tr").all()]

    def pixels(self, token: str, start: float = 0.4, end: float = 1.0) -> int:
        self.page.evaluate(FRAME)
        return self.page.evaluate(PIXELS, [token, start, end])

    def wait_pixels(self, token: str, start: float = 0.4, end: float = 1.0) -> None:
        self.page.wait_for_function(f"(asked) => ({PIXELS})(asked) > 0", arg=[token, start, end])


@pytest.fixture
def line(board: Board) -> Line:
    board.start("timeline").snap(waiting(1, ask=1, since=NOW - 3), row(2), row(3, "receiving"))
    return Line(board).tell()


def test_names_roles_and_the_text_alternative(line: Line) -> None:
    expect(line.page.get_by_role("region", name="Time line of 127.0.0.1:8008", exact=True)).to_be_visible()
    line.as_table()
    expect(line.table.locator("tbody tr")).to_have_count(4)
    assert line.rows() == [
        ["nbserver-serve-8008", "serving #1 itself"],
        ["#1 :40001", "waiting for you"],
        ["#2 :40002", "running Python"],
        ["#3 :40003", "blocked in recv()"],
    ]
    expect(line.page.get_by_role("img")).to_have_attribute(
        "aria-label",
        "accept loop serving #1 itself, 1 waiting for you, 1 running Python, 1 blocked in recv()",
    )


@pytest.mark.parametrize("view", ["board", "timeline"])
def test_it_breaks_no_rule_of_accessibility(board: Board, view: str) -> None:
    board.start(view).snap(waiting(1, ask=1), row(2), row(3, "closed"))
    line = Line(board)
    if view == "board":
        line.button("Time line").click()
    line.tell().as_table()
    expect(line.table).to_contain_text("waiting for you")
    found = Axe().run(board.page, ".nbs-timelinepart" if view == "board" else ".nbs").response["violations"]
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found] == []


def test_who_waits_in_the_backlog_has_a_lane_that_goes_on_when_accepted(line: Line) -> None:
    line.as_table()
    now = line.board.now
    line.board.delta(lanes={"queue": [["127.0.0.1:40004", now - 3], ["127.0.0.1:40005", now - 2]]})
    expect(line.table).to_contain_text("backlog :40004in the backlog, not accepted")
    expect(line.table).to_contain_text("backlog :40005")
    four = row(4, "receiving", opened=now, last=now)
    line.board.delta(four, lanes={"queue": [["127.0.0.1:40005", now - 2]], "waited": [[4, now - 3]]})
    expect(line.table).not_to_contain_text("backlog :40004")
    expect(line.table).to_contain_text("#4 :40004blocked in recv()")


def test_bars_have_their_colours_where_they_belong_and_follow_the_theme(line: Line) -> None:
    for token in ("run", "wait", "receive"):
        line.wait_pixels(token)
    assert line.pixels("run", 0.2, 0.4) == 0, "nobody ran before that"
    light = line.page.evaluate("getComputedStyle(document.querySelector('.nbs')).getPropertyValue('--nbs-run')")
    line.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    line.page.wait_for_function(
        "(light) => getComputedStyle(document.querySelector('.nbs')).getPropertyValue('--nbs-run') !== light", arg=light
    )
    line.wait_pixels("run")
    assert min(found[0] for found in line.page.evaluate(CONTRAST)) >= 4.5


def test_zoom_by_button_key_and_wheel(line: Line) -> None:
    span = line.page.locator(".nbs-span")
    expect(span).to_have_text("20 s")
    line.button("Zoom in").click()
    expect(span).to_have_text("10 s")
    line.lanes.press("-")
    line.lanes.press("-")
    expect(span).to_have_text("30 s")
    line.lanes.press("+")
    line.page.locator(".nbs-lanecanvas").hover()
    line.page.keyboard.down("Control")
    line.page.mouse.wheel(0, 100)
    line.page.keyboard.up("Control")
    expect(span).to_have_text("30 s")
    for _ in range(10):
        line.lanes.press("-")
    expect(span).to_have_text("10 min")
    expect(line.button("Zoom out")).to_be_disabled()


def test_pause_look_back_and_come_back_to_the_present(line: Line) -> None:
    line.wait_pixels("run", 0.9)
    line.lanes.press(" ")
    expect(line.button("Now")).to_be_visible()
    for _ in range(7):
        line.lanes.press("ArrowLeft")
    assert line.pixels("run") == 0, "17 s back nothing had run yet"
    assert "until" in line.page.locator(".nbs-span").inner_text()
    line.button("Now").click()
    expect(line.button("Pause")).to_be_visible()
    line.wait_pixels("run", 0.9)
    box = line.page.locator(".nbs-lanecanvas").bounding_box()
    line.page.mouse.move(box["x"] + 600, box["y"] + 60)
    line.page.mouse.down()
    line.page.mouse.move(box["x"] + 900, box["y"] + 60, steps=4)
    line.page.mouse.up()
    expect(line.button("Now")).to_be_visible()
    line.lanes.press("n")
    expect(line.button("Pause")).to_be_visible()
    line.lanes.press("ArrowRight")
    expect(line.button("Pause")).to_be_visible(), "there is nothing after the present"


def test_a_lane_is_chosen_by_keyboard_and_said(line: Line) -> None:
    line.lanes.press("Home")
    line.lanes.press("ArrowDown")
    expect(line.page.get_by_role("status").last).to_contain_text("#1 127.0.0.1:40001: waiting for you, since")
    line.lanes.press("End")
    expect(line.page.get_by_role("status").last).to_contain_text("#3 127.0.0.1:40003: blocked in recv()")


def test_the_tool_tip_says_what_a_lane_did_and_for_how_long(line: Line) -> None:
    box = line.page.locator(".nbs-lanecanvas").bounding_box()
    tip = line.page.locator(".nbs-tip")
    line.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 66)
    expect(tip).to_contain_text(re.compile(r"^#1 127\.0\.0\.1:40001: waiting for you, since [\d:.]+, for \d"))
    line.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 40)
    expect(tip).to_contain_text("nbserver-serve-8008: serving #1 itself")
    line.page.mouse.move(5, 900)
    expect(tip).to_be_hidden()


def test_only_open_lanes(line: Line) -> None:
    line.as_table()
    line.board.delta(row(2, "closed"))
    expect(line.table).to_contain_text("#2 :40002closed")
    line.button("Only open").click()
    expect(line.button("Only open")).to_have_attribute("aria-pressed", "true")
    line.board.delta()
    expect(line.table).not_to_contain_text("#2 :40002")


def test_in_the_board_it_opens_at_the_foot_and_shares_the_selection(board: Board) -> None:
    board.start().snap(waiting(1, ask=1), row(2), row(3, "receiving"))
    line = Line(board)
    assert board.wishes("lanes") == [], "nothing is asked for before somebody looks"
    fold = line.button("Time line")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    line.tell()
    canvas = board.page.locator(".nbs-lanecanvas")
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 60, "y": 90})
    expect(board.row(2)).to_have_attribute("aria-selected", "true")
    board.row(3).click()
    canvas.scroll_into_view_if_needed()
    line.wait_pixels("chosen", 0.0, 0.2)
    fold.click()
    expect(canvas).to_be_hidden()


def test_a_second_view_opens_with_the_first_and_shows_the_same(board: Board) -> None:
    board.start().snap(waiting(1, ask=1))
    board.page.evaluate("window.show('board')")
    line = Line(board)
    line.button("Time line").first.click()
    line.tell()
    expect(line.button("Time line").last).to_have_attribute("aria-expanded", "true")
    assert len(board.wishes("lanes")) == 1
    for summary in board.page.get_by_text("As a table", exact=True).all():
        summary.click()
    board.delta()
    expect(line.table.locator("tbody tr")).to_have_count(4)
    first, second = (re.sub(" · .*", "", table.inner_text()) for table in line.table.all())  # but for how long
    assert first == second and "waiting for you" in first


def test_ten_thousand_lanes_scroll(board: Board) -> None:
    board.start("timeline").snap(*(row(id, "receiving") for id in range(1, 10_001)))
    line = Line(board).tell(lanes=[])
    line.lanes.press("End")
    expect(line.page.get_by_role("status").last).to_contain_text("#10000 127.0.0.1:50000")
    assert line.page.locator(".nbs *").count() < 200
    line.as_table()
    expect(line.page.get_by_text("9801 more lanes")).to_be_visible()


def test_a_hidden_time_line_does_not_draw(line: Line) -> None:
    line.page.evaluate("""() => {
      window.drawings = 0;
      const context = document.querySelector(".nbs-lanecanvas").getContext("2d");
      const draw = context.setTransform;
      context.setTransform = (...values) => { window.drawings += 1; draw.apply(context, values); };
    }""")
    line.page.wait_for_function("window.drawings > 2")
    line.page.evaluate("document.querySelector('.nbs').parentElement.style.marginTop = '5000px'")
    line.page.evaluate(FRAMES)  # in one of them the observer has told it
    before = line.page.evaluate("window.drawings")
    line.board.delta(row(3, "running"))
    line.page.evaluate(FRAMES)
    assert line.page.evaluate("window.drawings") == before


def test_in_chinese(board: Board) -> None:
    board.start("timeline", lang="zh").snap(waiting(1, ask=1))
    line = Line(board).tell()
    expect(line.page.get_by_role("region", name="127.0.0.1:8008 的时间线", exact=True)).to_be_visible()
    expect(line.page.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("^接受循环亲自服务 #1，1 等待你回复")
    )
