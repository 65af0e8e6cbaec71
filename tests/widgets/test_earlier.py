"""Reading back in a transcript, the kernel's side: what is still kept comes in pages, and the rest is told as gone."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.session import json_packer

from nbserver.fleet import Fleet
from nbserver.net import Server
from nbserver.widgets import Hub
from nbserver.widgets.feed import Feed
from nbserver.widgets.hub import ENCODINGS


@pytest.fixture
def hub(server: Server) -> Iterator[Any]:
    """A hub whose messages are packed as the kernel packs them, and go nowhere."""
    hub: Any = Hub(server)
    hub.sent = []
    hub.send = lambda content, buffers=None: hub.sent.append((json.loads(json_packer(content)), buffers))
    hub._hurry = lambda: None  # published by the test, in its own thread
    yield hub
    hub.close()


def write(server: Server, first: int, last: int) -> None:
    for n in range(first, last + 1):
        server[1].write(f"line {n}\n")


def lines(message: dict[str, Any], body: bytes) -> list[tuple[int, str]]:
    entries = [(n, kind, body[at : at + length].decode()) for n, kind, _, at, length, _ in message["entries"]]
    return [(n, text) for n, kind, text in entries if kind == "printed"]


def test_pages_lead_back_to_the_first_entry_without_a_hole(server: Server, client: socket.socket) -> None:
    feed = Feed(server, Fleet())
    write(server, 1, 350)
    message, body = feed.watch("connections", 1)
    found = lines(message, body)
    assert len(found) == 200 and message["first"] == 1
    for _ in range(5):
        message, body = feed.earlier("connections", 1, message["entries"][0][0])
        assert len(message["entries"]) <= 100
        if not message["entries"]:
            break
        found = lines(message, body) + found
    assert [text for _, text in found] == [f"line {n}" for n in range(1, 351)]
    assert [n for n, _ in found] == list(range(found[0][0], found[-1][0] + 1))


def test_what_is_no_longer_kept_is_told_by_the_first_number(server: Server, client: socket.socket) -> None:
    feed = Feed(server, Fleet())
    write(server, 1, 1000)
    message, _ = feed.watch("connections", 1)
    oldest = server[1].transcript.read()[0][0]
    assert message["first"] == oldest > 1
    assert feed.earlier("connections", 1, oldest)[0]["entries"] == []
    page, _ = feed.earlier("connections", 1, oldest + 5)
    assert [entry[0] for entry in page["entries"]] == list(range(oldest, oldest + 5))
    assert feed.earlier("connections", 99, 5)[0] == {
        "t": "earlier", "table": "connections", "id": 99, "first": 0, "entries": []
    }  # fmt: skip


def test_a_page_is_read_without_being_watched(server: Server, client: socket.socket) -> None:
    """It is asked for of what is shown; alone it must not make the kernel send the transcript for ever."""
    feed = Feed(server, Fleet())
    feed.snapshot()
    feed.earlier("connections", 1, 3)
    write(server, 1, 3)
    delta = feed.delta()
    assert delta is None or "entries" not in delta[0]


def test_a_hub_answers_with_a_page(server: Server, client: socket.socket, hub: Any) -> None:
    write(server, 1, 5)
    hub.receive({"do": "earlier", "rid": "r", "table": "connections", "id": 1, "before": 4}, "comm")
    hub.tick()
    message, buffers = hub.sent[-1]
    assert message["t"] == "earlier" and [entry[0] for entry in message["entries"]] == [1, 2, 3] and buffers


@pytest.mark.parametrize("before", [None, -1, 1.5, "3", True, 2**60, [1]])
def test_s17_a_page_before_no_number_is_refused(server: Server, client: socket.socket, hub: Any, before: Any) -> None:
    refused = hub.refused
    hub.receive({"do": "earlier", "rid": "r", "table": "connections", "id": 1, "before": before}, "comm")
    hub.tick()
    assert hub.refused == refused + 1
    assert [message for message, _ in hub.sent if message["t"] == "earlier"] == []


def test_how_bytes_are_shown_can_be_set_from_python(server: Server, hub: Any) -> None:
    hub.encoding, hub.hex = "big5", True
    assert {key: hub.get_state()[key] for key in ("encoding", "hex")} == {"encoding": "big5", "hex": True}
    for wrong in ("utf-7", "__class__", None, 5):
        with pytest.raises(Exception, match="encoding"):
            hub.set_state({"encoding": wrong})
    assert hub.encoding == "big5" and "big5" in ENCODINGS
