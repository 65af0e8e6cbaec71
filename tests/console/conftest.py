"""What the tests of the console share."""

from __future__ import annotations

import builtins
import getpass
import logging
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from nbserver import console, context
from nbserver.journal import Journal


def places():
    """All that routing replaces."""
    logs = logging.Logger.callHandlers, logging.Handler.handleError, logging.StreamHandler.__init__
    return builtins.input, getpass.getpass, sys.stdout, sys.stderr, sys.stdin, warnings._showwarnmsg, *logs


@pytest.fixture
def routed(nothing_left):
    """Routing, while the test runs; afterwards the very same objects are back."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Does what `routed` promises; not in the fixture, since pytest replaces ``sys.stdout`` after the set-up."""
    if "routed" not in pyfuncitem.fixturenames:
        return (yield)
    before, filters = places(), list(logging.lastResort.filters)
    console.acquire()
    try:
        result = yield
    finally:
        console.release()
    assert [now for now, then in zip(places(), before, strict=True) if now is not then] == []
    assert logging.lastResort.filters == filters
    assert not console.is_routed()
    return result


@pytest.fixture
def one():
    """A console."""
    return console.Console(1, Journal())


@pytest.fixture
def inside(one):
    """Runs a function in a thread that speaks to the console; gives its future."""
    with ThreadPoolExecutor(4) as pool:

        def submit(function, *args, **options):
            def run():
                with context.speaking_to(one):
                    return function(*args, **options)

            return pool.submit(run)

        yield submit
