"""Looks: told while somebody asks for them, when they have changed, and forgotten after that."""

from __future__ import annotations

import pytest

from nbserver.widgets import looks
from nbserver.widgets.looks import LOOKS, Looks


@pytest.fixture
def seen(monkeypatch):
    """What the look "chain" gives, by the connection's number; and a clock that stands still until it is moved."""
    seen: dict[int, object] = {}
    seen_at = [100.0]
    monkeypatch.setitem(LOOKS, "chain", lambda about, number: seen[number])
    monkeypatch.setattr(looks.time, "monotonic", lambda: seen_at[0])
    seen[-1] = lambda seconds: seen_at.__setitem__(0, seen_at[0] + seconds)
    return seen


def test_a_look_is_told_once_and_again_when_it_has_changed(seen):
    seen[3] = {"step": 1}
    one = Looks("the server")
    assert list(one.fresh()) == []
    one.ask("chain", 3, False)
    assert list(one.fresh()) == [["chain", 3, {"step": 1}]]
    assert list(one.fresh()) == []
    seen[3] = {"step": 2}
    assert list(one.fresh()) == [["chain", 3, {"step": 2}]]


def test_who_has_it_already_is_not_told_again_and_a_new_page_is(seen):
    seen[3] = None
    one = Looks("the server")
    one.ask("chain", 3, False)
    assert len(list(one.fresh())) == 1
    one.ask("chain", 3, True)
    assert list(one.fresh()) == []
    one.ask("chain", 3, False)
    assert list(one.fresh()) == [["chain", 3, None]]


def test_nobody_asks_any_more_and_it_is_not_made_again(seen):
    seen[3] = 1
    one = Looks("the server")
    one.ask("chain", 3, False)
    assert len(list(one.fresh())) == 1
    seen[-1](60)
    seen[3] = 2
    assert list(one.fresh()) == []
