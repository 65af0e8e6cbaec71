"""The benchmark of the board measures what it says; itself it is run by hand, since it takes a quarter of an hour."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nbserver.fleet import Fleet
from nbserver.widgets.feed import Feed
from tests.bench import board, crowd

GOOD = {name: 1.0 for name in board.TITLES} | {"fps": 60.0, "p95": 17.0}


@pytest.mark.parametrize("made", [crowd.Crowd, crowd.Panel])
def test_a_crowd_talks_as_fast_as_it_is_told_and_ends_with_the_last_word(made):
    c = made(50)
    try:
        shown = c.show()
        feed = Feed(c.server, Fleet())
        assert len(feed.snapshot()["connections"]) == 50
        c.talk(2000, 0.3, "the end")
        deadline = time.monotonic() + 20
        while not c.last_event:
            assert time.monotonic() < deadline
            time.sleep(0.01)  # between two looks; the condition, not the time, ends the wait
        rows = feed.snapshot()["connections"]
        assert rows[0][8] == "the end" and sum(row[3] + row[4] for row in rows) == c.done + 1
        assert 0 < c.done <= 600
        if made is crowd.Panel:
            deadline = time.monotonic() + 20
            while "the end" not in shown.children[0].children[0].value:
                assert time.monotonic() < deadline
                time.sleep(0.01)
    finally:
        c.end()


def test_the_tables_show_medians_with_quartiles_and_what_was_missed():
    samples = [
        {"what": "load", "kind": "board", "count": 10, "rate": 100, "found": {**GOOD, "cpu": cpu}}
        for cpu in (1.0, 2.0, 9.0)
    ]
    samples.append({"what": "replies", "found": {"idle": [10.0, 12.0, 14.0], "asleep": [60.0], "computing": []}})
    text = board.tables(samples)
    assert "| board | 10 | 100 |" in text and "2.0 (1.5–5.5)" in text and "12.0 (11.0–13.0)" in text
    assert "- MISSED: 10 connections, 100 events/s: the publisher below 2 % of a core" in text
    assert "- MISSED: a reply within 50 ms, asleep" in text and "- holds: a reply within 15 ms, idle" in text
    assert "- holds: 10 connections, 100 events/s: 60 frames/s, no task above 50 ms" in text


def test_what_was_never_seen_is_no_number_and_holds_nothing():
    samples = [{"what": "load", "kind": "board", "count": 10, "rate": 100, "found": {**GOOD, "true": float("nan")}}]
    assert "- MISSED: 10 connections, 100 events/s: true within 100 ms" in board.tables(samples)
    assert "| – |" in board.tables(samples)


def test_it_says_how_it_is_run():
    done = subprocess.run([sys.executable, board.__file__, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "--connections" in done.stdout
