"""A tick looks at what happened and not at all there is, and the page ends on the true state all the same."""

from __future__ import annotations

import pytest

from nbserver import net
from nbserver.events import Kind, text_event
from nbserver.fleet import Fleet
from nbserver.net.traffic import CREDIT
from nbserver.states import Activity, ConnectionState
from nbserver.widgets import feed, rounds

from .test_feed import View


@pytest.fixture
def server():
    with net.listen(net.Echo, limits=net.Limits(max_connections=20_000)) as server:
        yield server
        for connection in server.observation.live:
            connection.end()  # no handler does, and stopping would wait for it


def crowd(server, count: int) -> list[net.Connection]:
    """So many connections, as accepting makes them, each blocked in recv(): rows without sockets and threads."""
    made = [server.observation.open(("127.0.0.1", 10_000 + n), None) for n in range(count)]
    for connection in made:
        connection.served()
        connection.activity = Activity.RECEIVING
    return made


def say(connection, text: bytes) -> None:
    connection.received(text, len(text))


def truth(server) -> dict:
    return {("connections", n): feed._connection_row(c, 0) for n, c in server.observation.connections.items()}


def test_a_tick_looks_at_what_happened_and_a_few_others(server):
    crowd(server, 10_000)
    watch = rounds.Rounds(server)
    assert len(watch.everything()) == 10_000
    for number in (7, 5000, 9999):
        say(server[number], b"x")
    due = watch.due()
    assert {7, 5000, 9999} <= due.keys() and len(due) < 300
    for _ in range(60):
        due |= watch.due()
    assert len(due) == 10_000


def test_everything_is_told_after_a_flood_that_went_by_faster_than_it_can_be_shown(server):
    made = crowd(server, 5000)
    view = View(feed.Feed(server, Fleet()))
    view.watch("connections", 4321)
    for tick in range(5):
        for connection in made:
            say(connection, b"message %d" % tick)
        message, body = view.feed.delta()
        view.apply(message, body)
        assert len(message["connections"]) < 1500
        assert view.rows["connections", 4321][8] == f"message {tick}", "the one that is looked at never waits"
    view.catch_up()
    assert view.rows == truth(server)
    assert view.counts["in"] == 25_000


def test_what_the_journal_has_forgotten_is_looked_for_in_all(server):
    made = crowd(server, 200)
    view = View(feed.Feed(server, Fleet()))
    for _ in range(120):
        for connection in made:
            say(connection, b"x")
    assert server.journal.last - len(server.journal) > 200
    view.catch_up()
    assert view.rows == truth(server) and view.counts["in"] == 24_000


def test_what_goes_on_without_a_fact_is_seen(server):
    """A recv() that begins or gives up is no fact: there is none on the path of a byte that need not be there."""
    made = crowd(server, 1000)
    view = View(feed.Feed(server, Fleet()))
    for activity in (Activity.RUNNING, Activity.SENDING, Activity.RECEIVING):
        for connection in made:
            connection.activity = activity
        for _ in range(8):
            if (delta := view.feed.delta()) is not None:
                view.apply(*delta)
        assert {row[1] for row in view.rows.values()} == {activity.value}


def test_a_state_that_comes_a_moment_after_its_fact_is_seen_in_the_next_tick(server):
    made = crowd(server, 5000)
    view = View(feed.Feed(server, Fleet()))
    for connection in made[:3]:
        connection._tell(text_event(Kind.EOF, 0.0, connection.number, ""))
    assert view.feed.delta() is None
    for connection in made[:3]:
        connection._state = ConnectionState.HALF_CLOSED
    view.catch_up()
    assert [view.rows["connections", n][1] for n in (1, 2, 3)] == ["half-closed"] * 3


def test_messages_that_are_only_counted_are_told_without_a_fact(server):
    made = crowd(server, 5000)
    view = View(feed.Feed(server, Fleet()))
    for connection in made[:3]:
        for _ in range(CREDIT):
            say(connection, b"x")
    view.catch_up()
    for connection in made[:3]:
        connection.messages_in += 1000  # as a socket does without credit
    view.catch_up()
    assert [view.rows["connections", n][3] for n in (1, 2, 3)] == [CREDIT + 1000] * 3


def test_a_new_row_is_there_whatever_else_happens(server):
    crowd(server, 3)
    view = View(feed.Feed(server, Fleet()))
    crowd(server, 4)
    view.catch_up()
    assert [number for _, number in view.rows] == list(range(1, 8))
    assert view.rows == truth(server)
