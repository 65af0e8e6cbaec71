"""The hub by itself; in a real kernel it is tested in tests/kernel/test_hub.py."""

from __future__ import annotations

import threading

import pytest

from nbserver.console import Program
from nbserver.fleet import Fleet
from nbserver.widgets import Hub


@pytest.fixture(autouse=True)
def clean(nothing_left):
    """After each test no thread is left, and nothing was printed."""


def test_what_ends_while_a_delta_is_made_is_told_by_the_next(monkeypatch):
    sent, release = [], threading.Event()
    monkeypatch.setattr(Hub, "send", lambda hub, message, buffers=None: sent.append(message))
    program = Program(1, release.wait, "a client's program")
    program.start()
    hub = Hub(None, Fleet([program]))
    hub._is_seen = True
    delta = hub._feed.delta

    def ends_meanwhile():
        made = delta()
        release.set()
        program.wait_ended(5)
        return made

    monkeypatch.setattr(hub._feed, "delta", ends_meanwhile)
    assert hub.tick(), "there is more to come"
    monkeypatch.setattr(hub._feed, "delta", delta)
    while hub.tick():  # it waits a moment, so as not to say too much at once
        assert program.has_ended
    assert [row[1] for message in sent for row in message.get("clients", ())] == ["running", "closed"]
    hub.close()
