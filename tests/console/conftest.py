"""What the tests of the console share."""

from __future__ import annotations

import builtins
import getpass
import sys

import pytest

from nbserver import console
from nbserver.journal import Journal


def places():
    """All that routing replaces."""
    return builtins.input, getpass.getpass, sys.stdout, sys.stderr, sys.stdin


@pytest.fixture
def routed(nothing_left):
    """Routing, for the time of a test; afterwards the very same objects are back."""
    before = places()
    console.acquire()
    yield
    console.release()
    assert all(now is then for now, then in zip(places(), before, strict=True))
    assert not console.is_routed()


@pytest.fixture
def one():
    """A console."""
    return console.Console(1, Journal())
