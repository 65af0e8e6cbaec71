"""Fixtures for the tests of what is seen of both ends."""

from __future__ import annotations

import pytest

from nbserver.fleet import enlist


@pytest.fixture
def start(fleet):
    """Makes a client, or a program, and starts it."""

    def start(make):
        client = enlist(make)
        fleet.add(client)
        client.start()
        return client

    return start
