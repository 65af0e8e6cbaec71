"""What the tests of other people's packages share: their servers given to `nbserver.observe`, and what it saw."""

from __future__ import annotations

import contextlib

import pytest

import nbserver


@pytest.fixture(autouse=True)
def clean(nothing_left):
    """After each test no thread and no descriptor is left, and nothing was printed."""


@pytest.fixture
def observe():
    """Observes servers; stops them after the test, each in time, and each has its own class again."""
    with contextlib.ExitStack() as stack:

        def make(base):
            own_class = type(base)
            server = nbserver.observe(base)
            assert isinstance(base, own_class) and type(base) is not own_class
            stack.callback(stop, server, own_class)
            return server

        yield make


def stop(server, own_class):
    report = server.stop()
    assert not report.stragglers and report.seconds < 1
    assert type(server.base) is own_class
    assert server.observation.errors == 0 and not server.observation.trouble


def told(connection, kind):
    """What was told of this kind, each as text."""
    return [event.data.decode("utf-8", "backslashreplace") for event in connection.transcript if event.kind is kind]
