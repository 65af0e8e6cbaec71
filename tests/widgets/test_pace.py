"""A hub says at most so much in any second, whatever pages ask for, and says all that is so in the end."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from itertools import count

import pytest

from nbserver import net
from nbserver.fleet import Fleet
from nbserver.widgets import Hub
from nbserver.widgets.feed import Feed
from nbserver.widgets.pace import Pace

from .test_feed import View


def most_in_a_second(times: list[float]) -> int:
    window: deque[float] = deque()
    most = 0
    for time_ in times:
        window.append(time_)
        while window[0] <= time_ - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def test_a_pace_allows_a_few_at_once_and_then_so_many_a_second():
    pace, taken = Pace(5, 50), []
    began = time.monotonic()
    while time.monotonic() < began + 0.3:
        if pace.allows:
            pace.count()
            taken.append(time.monotonic() - began)
    assert taken[4] < 0.02
    assert 17 <= len(taken) <= 20


@pytest.fixture
def shown(monkeypatch, nothing_left):
    """A server with 100 connections, its hub, and what the hub sends: when, and what."""
    sent: list[tuple[float, dict]] = []

    def send(hub, message, buffers=None):
        now = time.monotonic()
        sent.extend((now, one) for one in message.get("messages", [message]))

    monkeypatch.setattr(Hub, "send", send)
    with net.listen(net.Echo) as server:
        clients = [socket.create_connection(server.address) for _ in range(100)]
        server.wait_for_connections(100, 5)
        hub = Hub(server, Fleet())
        yield server, hub, sent, clients
        for client in clients:
            client.close()
        for connection in server.observation.live:
            connection.wait_closed(5)
    hub.close()


def test_a_flood_of_requests_and_events_is_answered_with_20_messages_in_a_second_at_most(shown):
    server, hub, sent, clients = shown
    hub.receive({"do": "hello", "rid": "first"}, "comm")
    rids, is_over = count(), threading.Event()

    def hostile(make):
        while not is_over.is_set():
            hub.receive({"rid": f"{make.__name__} {next(rids)}", **make(next(rids))}, "control")

    def hello(n):
        return {"do": "hello"}

    def watch(n):
        return {"do": "watch", "table": "connections", "id": n % 300}

    def reply(n):
        return {"do": "reply", "connection": 1 + n % 100, "text": "x", "ask": 0}

    def bogus(n):
        return {"do": "bogus"}

    def talk(n):
        clients[n % 100].sendall(b"hello")
        return {"do": "disconnect", "connection": 10_000}

    threads = [threading.Thread(target=hostile, args=[make]) for make in (hello, watch, reply, bogus, talk)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    while time.monotonic() < began + 2.5:
        is_over.wait(0.1)
    is_over.set()
    for thread in threads:
        thread.join()
    asked = next(rids)
    hub.receive({"do": "bogus", "rid": "the last"}, "control")
    _until(lambda: any(ack["rid"] == "the last" for _, m in sent for ack in m.get("acks", ())))
    times = sorted({when for when, _ in sent})
    assert asked > 2000 and most_in_a_second(times) <= 20
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert max(gaps) < 3, "else a page that does nothing wrong says that the kernel is silent"
    kinds = {message["t"] for _, message in sent}
    assert kinds == {"snap", "delta", "transcript"}
    rids_of_acks = [ack["rid"] for _, message in sent for ack in message.get("acks", ())]
    assert len(rids_of_acks) == len(set(rids_of_acks)) > 1000
    _until(lambda: _rows(sent) == View(Feed(server, Fleet())).rows)


def _rows(sent) -> dict:
    """What a page has on its screen after these messages."""
    rows: dict = {}
    for _, message in list(sent):
        rows = {} if message["t"] == "snap" else rows
        for table in ("connections", "clients"):
            rows.update({(table, row[0]): row for row in message.get(table, ()) if message["t"] != "transcript"})
    return rows


def _until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # between two looks; the condition, not the time, ends the wait


def test_who_walks_down_the_list_sees_the_last_first(shown):
    _, hub, sent, _ = shown
    hub.receive({"do": "hello", "rid": "first"}, "comm")
    with hub._sending:  # nothing is told before all have been asked for
        for number in range(1, 101):
            hub.receive({"do": "watch", "rid": f"watch {number}", "table": "connections", "id": number}, "comm")
    _until(lambda: not hub._wanted)
    told = [message["id"] for _, message in sent if message["t"] == "transcript"]
    assert 100 in told[:32] and 64 <= len(told) < 100


def test_ten_thousand_rows_are_not_sent_again_and_again(shown, monkeypatch):
    _, hub, sent, _ = shown
    snapshot = hub._feed.snapshot

    def slow_snapshot():
        time.sleep(0.1)  # as long as 10 000 rows take
        return snapshot()

    monkeypatch.setattr(hub._feed, "snapshot", slow_snapshot)
    began = time.monotonic()
    rids = count()
    while time.monotonic() < began + 1.2:
        hub.receive({"do": "hello", "rid": str(next(rids))}, "comm")
    assert 1 <= sum(message["t"] == "snap" for _, message in sent) <= 3
