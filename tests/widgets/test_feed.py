"""What a hub tells its views, against PROTOCOL.md: a view that applies every message ends on the true state."""

from __future__ import annotations

import contextlib
import socket

import pytest

from nbserver import net
from nbserver.fleet import Client, Fleet, Target, enlist
from nbserver.widgets.feed import Feed
from nbserver.widgets.requests import Desk


class View:
    """Applies messages as PROTOCOL.md tells a view to."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.rows: dict[tuple[str, int], list] = {}
        self.entries: dict[tuple[str, int], list[tuple[int, str, bytes]]] = {}
        self.number = 0
        self.apply(feed.snapshot())

    def apply(self, message: dict, body: bytes = b"") -> None:
        assert message["t"] == "snap" or message["q"] == self.number + 1
        self.number = message["q"]
        self.counts = message.get("counts", getattr(self, "counts", None))
        self.server = message.get("server", getattr(self, "server", None))
        for table in ("connections", "clients"):
            self.rows.update({(table, row[0]): row for row in message.get(table, [])})
            for number in message.get("gone", {}).get(table, []):
                del self.rows[table, number]
        for table, number, n, kind, _, offset, length, _ in message.get("entries", []):
            self.entries[table, number].append((n, kind, body[offset : offset + length]))

    def catch_up(self) -> None:
        while (delta := self.feed.delta()) is not None:
            self.apply(*delta)

    def watch(self, table: str, number: int) -> None:
        message, body = self.feed.watch(table, number)
        self.entries[table, number] = [(n, k, body[o : o + size]) for n, k, _, o, size, _ in message["entries"]]


@pytest.fixture
def server():
    with net.listen() as server:
        yield server


@pytest.fixture
def fleet(server):
    fleet = Fleet()
    yield fleet
    fleet.close()


def add(server, fleet) -> Client:
    client = Desk(server, fleet).add_client()
    server.wait_for_connections(len(fleet), 5)
    return client


def test_rows_counts_and_entries_follow_what_happens(server, fleet):
    view = View(Feed(server, fleet))
    client = add(server, fleet)
    view.watch("connections", 1)
    client.say("hello")
    assert server[1].wait_waiting(5)
    view.catch_up()
    row = view.rows["connections", 1]
    assert row[1] == "waiting" and row[8] == "hello" and row[9] == "reply > " and row[10] == server[1].question.number
    assert view.counts["waiting"] == view.counts["open"] == view.counts["in"] == 1
    server[1].reply("hi")
    assert client.hear(5) == "hi"
    client.say("again")
    assert server[1].wait_waiting(5)
    view.catch_up()
    entries = view.entries["connections", 1]
    told = [(kind, data) for _, kind, data in entries if kind not in ("opened", "asked", "printed")]
    assert told == [("received", b"hello"), ("answered", b"hi"), ("sent", b"hi"), ("received", b"again")]
    assert [n for n, _, _ in entries] == list(range(1, len(entries) + 1))
    client.close()
    server[1].wait_closed(5)
    client.wait_ended(5)
    view.catch_up()
    assert view.rows["connections", 1][1] == "closed" and view.rows["clients", client.number][1] == "closed"
    assert (view.counts["open"], view.counts["closed"], view.counts["waiting"]) == (0, 1, 0)


def test_nothing_is_told_when_nothing_has_changed(server, fleet):
    feed = Feed(server, fleet)
    View(feed).catch_up()
    assert feed.delta() is None


def test_a_snapshot_in_between_leaves_nothing_out(server, fleet):
    feed = Feed(server, fleet)
    first = View(feed)
    client = add(server, fleet)
    second = View(feed)  # another tab: its snapshot is the next message for the first one, too
    first.apply(feed.snapshot())
    second.number = first.number
    client.say("hello")
    assert server[1].wait_waiting(5)
    while (delta := feed.delta()) is not None:
        first.apply(*delta)
        second.apply(*delta)
    assert first.rows == second.rows and first.rows["connections", 1][1] == "waiting"


def test_connections_that_the_server_forgets_stay_in_the_counts(fleet):
    with net.listen(net.Echo) as server:
        view = View(Feed(server, fleet))
        for number in range(1, 1012):
            client = Client(1, Target(server.address))
            client.start()
            client.say("x")
            client.hear(5)
            client.close()
            server[number].wait_closed(5)
            if number % 100 == 0:
                view.catch_up()
            client.wait_ended(5)
        view.catch_up()
        assert len(view.rows) == 1000 and ("connections", 1) not in view.rows
        assert (view.counts["closed"], view.counts["in"], view.counts["bytes_out"]) == (1011, 1011, 1011)
        assert View(Feed(server, fleet)).counts == view.counts


def test_a_busy_transcript_is_cut_and_the_numbers_tell(server, fleet):
    view = View(Feed(server, fleet))
    add(server, fleet)
    view.watch("connections", 1)
    for n in range(300):
        server[1].write(f"line {n}\n")
    view.catch_up()
    numbers = [n for n, _, _ in view.entries["connections", 1]]
    assert numbers[-1] == server[1].transcript.last and len(numbers) < 100
    assert view.entries["connections", 1][-1][2] == b"line 299"


def test_a_full_server_says_so(fleet):
    with net.listen(net.Echo, limits=net.Limits(max_connections=1)) as server:
        view = View(Feed(server, fleet))
        client = add(server, fleet)
        view.catch_up()
        assert view.server["limit"] == "full 1 1 0"
        client.close()
        server[1].wait_closed(5)
        view.catch_up()
        assert view.server["limit"] == ""


def test_peer_text_in_a_row_is_printable(server, fleet):
    view = View(Feed(server, fleet))
    client = add(server, fleet)
    client.say("<b>\x1b[31m\u202e\u200b</b>\n")
    assert server[1].wait_waiting(5)
    view.catch_up()
    row = view.rows["connections", 1]
    assert row[8].isprintable() and "<b>" in row[8]


def test_enlisted_clients_of_the_board_have_numbers_of_their_own(server, fleet):
    mine = enlist(lambda number: Client(number, Target(server.address)))
    mine.start()
    assert add(server, fleet).number != mine.number
    mine.close()
    mine.wait_ended(5)


def test_consoles_that_are_shown_stay_watched_however_many_rows_are_clicked(server, fleet):
    view = View(Feed(server, fleet))
    client = add(server, fleet)
    view.watch("clients", client.number)
    with contextlib.ExitStack() as others:
        for _ in range(70):
            others.enter_context(socket.create_connection(server.address))
        server.wait_for_connections(71, 5)
        for number in range(1, 72):
            view.watch("connections", number)
        client.say("still shown")
        assert server[1].wait_waiting(5)
        view.catch_up()
    assert ("sent", b"still shown") in [entry[1:] for entry in view.entries["clients", client.number]]
