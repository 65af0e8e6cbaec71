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
    """Routing, while the test runs; afterwards the very same objects are back."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Does what `routed` promises; not in the fixture, since pytest replaces ``sys.stdout`` after the set-up."""
    if "routed" not in pyfuncitem.fixturenames:
        return (yield)
    before = places()
    console.acquire()
    try:
        result = yield
    finally:
        console.release()
    assert [now is then for now, then in zip(places(), before, strict=True)] == [True] * 5
    assert not console.is_routed()
    return result


@pytest.fixture
def one():
    """A console."""
    return console.Console(1, Journal())
