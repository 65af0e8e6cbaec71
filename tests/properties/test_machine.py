"""A server's life as a state machine: whatever clients and people do, in whatever order, every promise is kept.

Of the promises in the design these are 1 to 3, 5 to 7, 10, 11, and of the fourth that one server is left. That the core
needs nothing but Python, and that no byte is parsed as HTML, knows no order.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import threading
import time
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from nbserver import net
from nbserver.errors import AlreadyAnswered, ConnectionEnded
from nbserver.events import Kind
from nbserver.fleet import Fleet
from nbserver.net import watch
from nbserver.states import CONNECTION_TRANSITIONS, ConnectionState, ServerState
from nbserver.text import encoded
from nbserver.widgets.feed import Feed

HOOKS = ["verify_request", "process_request", "process_request_thread", "finish_request"]
CLOSING = ["shutdown_request", "close_request"]
MOST_PEERS = 6
CLOSED, RESET = ConnectionState.CLOSED, ConnectionState.RESET


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not become so within 5 s"
        time.sleep(0.001)  # between two looks; the condition, not the time, ends the wait


def descriptors():
    return len(os.listdir("/dev/fd"))


def reachable(state):
    """The states that may come after this one, sooner or later, and itself."""
    return {state}.union(*map(reachable, CONNECTION_TRANSITIONS[state]))


# --- the server, as a user writes one ---


class Talks(socketserver.StreamRequestHandler):
    """Echoes a line; one that begins with "?" is answered by a person, and "fail" fails."""

    def setup(self):
        self.server.note(self.request, "setup")
        super().setup()

    def handle(self):
        self.server.note(self.request, "handle")
        for line in self.rfile:
            if line == b"fail\n":
                raise ValueError("as it was told")
            self.wfile.write(encoded(input(line.decode("latin-1"))) + b"\n" if line.startswith(b"?") else line)

    def finish(self):
        super().finish()
        self.server.note(self.request, "finish")


class Hooked(socketserver.ThreadingTCPServer):
    """Notes which hooks are called for which connection."""

    def __init__(self, *args):
        super().__init__(*args)
        self.called = {}

    def note(self, request, name):
        self.called.setdefault(request.connection.number, []).append(name)


def noting(name):
    def hook(self, request, *args):
        self.note(request, name)
        return getattr(super(Hooked, self), name)(request, *args)

    return hook


for name in HOOKS + CLOSING:
    setattr(Hooked, name, noting(name))


# --- what is expected of it ---


class Peer:
    """A client, and what is to be expected of its connection."""

    def __init__(self, server, socket):
        self.server = server
        self.socket = socket
        self.connection = server[server.accepted]
        self.sent = self.taken = 0  # bytes; how many of them the handler has certainly taken
        self.lines = []  # sent, and not reached by the handler
        self.partial = b""
        self.expected = bytearray()
        self.heard = bytearray()
        self.prompt = self.question = None  # what is asked, and its number
        self.answered = []  # the numbers of questions
        self.typed = []
        self.seen = {ConnectionState.ACCEPTED}
        self.is_half_closed = self.has_left = False
        self.end = None  # state and note, when it has ended
        self.parting = b""  # half a line, which the handler echoes to one that has left

    @property
    def is_over(self):
        return self.end is not None

    @property
    def can_send(self):
        return not (self.is_over or self.has_left or self.is_half_closed)

    def send(self, data):
        self.socket.sendall(data)
        self.sent += len(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        self.lines += [line + b"\n" for line in lines]
        self.go_on()

    def go_on(self):
        """What the handler does now: it takes line after line, up to one that asks."""
        if self.is_half_closed and self.partial:
            self.lines, self.partial = [*self.lines, self.partial], b""
        while self.prompt is None and self.lines:
            line = self.lines.pop(0)
            if line.startswith(b"?"):
                self.prompt = line.decode("latin-1")
            elif line == b"fail\n":
                self.ends(ConnectionState.FAILED, "ValueError: as it was told")
                return
            else:
                self.expected += line
        if self.prompt is None:
            self.taken = self.sent
            if self.is_half_closed:
                self.ends(CLOSED, "the client closed")

    def answer(self, text):
        self.typed.append(text.encode("utf-8", "backslashreplace"))
        self.expected += encoded(text)
        if self.prompt is not None:
            self.expected += b"\n"
            self.answered.append(self.question)
            self.prompt = None
            self.go_on()

    def ends(self, state, note):
        if self.end is None:
            is_reading = self.prompt is None and not self.partial.startswith(b"?")
            if is_reading and not self.is_half_closed and (self.has_left or note == "reset by you") and state is CLOSED:
                self.parting = self.partial
            self.end, self.prompt = (state, note), None

    # ── compared with what is ──

    def hear(self):
        """Read what is to come; more does not come."""
        while len(self.heard) < len(self.expected):
            data = self.socket.recv(len(self.expected) - len(self.heard))
            assert data, f"{self.connection}: the end, after {bytes(self.heard)!r} of {bytes(self.expected)!r}"
            self.heard += data
        assert self.heard == self.expected
        if self.is_over:
            self.hear_the_end()

    def hear_the_end(self):
        try:
            rest = b"".join(iter(lambda: self.socket.recv(100), b""))
        except ConnectionResetError:  # the server broke off, or had not read everything
            assert self.taken < self.sent or self.end[1] == "reset by you"
        else:
            assert rest in (b"", self.parting)

    def check(self):
        connection = self.connection
        if not self.has_left:
            self.hear()
        self.check_state(connection)
        until(lambda: connection.bytes_out - len(self.expected) in (0, len(self.parting)))
        until(lambda: self.taken <= connection.bytes_in <= self.sent)
        for record in (connection.transcript, self.server.journal):
            mine = [
                event.data for event in record if (event.kind, event.connection) == (Kind.ANSWERED, connection.number)
            ]
            assert mine == self.typed

    def check_state(self, connection):
        if self.is_over:
            until(lambda: connection.is_over)
            assert (connection.state, connection.note) == self.end
        elif self.prompt is not None:
            until(lambda: connection.is_waiting)
            self.question = connection.question.number
            until(lambda: (connection.state is ConnectionState.HALF_CLOSED) == self.is_half_closed)
        else:
            until(lambda: connection.status == "receiving")
        assert connection.prompt == self.prompt
        assert connection.state in set.intersection(*map(reachable, self.seen))
        self.seen.add(connection.state)


# --- what may happen ---

text = st.one_of(
    st.sampled_from(["", "yes", "\n", "?", "你好", "\x1b[2J", "\ud83d"]), st.text(st.characters(), max_size=10)
)
line = st.one_of(
    st.sampled_from([b"hello\n", b"\n", b"half a li", b"fail\n"]),
    st.sampled_from([b"?\n", b"? what\n", b"? half"]),
    st.binary(max_size=20).map(lambda data: data.replace(b"?", b"!") + b"\n"),
)
message = st.lists(line, min_size=1, max_size=4).map(b"".join)


class Life(RuleBasedStateMachine):
    peers = Bundle("peers")

    def __init__(self):
        super().__init__()
        self.threads, self.descriptors = set(threading.enumerate()), descriptors()
        self.all = []
        self.begin()

    def begin(self):
        self.server = net.listen(Talks, server_class=Hooked).start()
        self.board, self.rows = Feed(self.server, Fleet()), {}
        self.apply(self.board.snapshot())

    @property
    def mine(self):
        """The peers of the server that serves now."""
        return [peer for peer in self.all if peer.server is self.server]

    @property
    def live(self):
        return [peer for peer in self.mine if not peer.is_over]

    # ── what clients do ──

    @precondition(lambda self: len(self.live) < MOST_PEERS)
    @rule(target=peers)
    def connect(self):
        client = socket.create_connection(self.server.address, 5)
        self.server.wait_for_connections(len(self.mine) + 1, 5)
        self.all.append(Peer(self.server, client))
        return self.all[-1]

    @rule(peer=peers, data=message)
    def send(self, peer, data):
        if peer.can_send:
            peer.send(data)

    @rule(peer=peers, data=st.sampled_from([b"?\n", b"? and you\n? and then\n"]))
    def send_what_asks(self, peer, data):
        if peer.can_send:
            peer.send(data)

    @rule(peer=peers)
    def half_close(self, peer):
        if peer.can_send:
            peer.socket.shutdown(socket.SHUT_WR)
            peer.is_half_closed = True
            peer.go_on()

    @rule(peer=peers)
    def leave(self, peer):
        peer.socket.close()
        peer.has_left = True
        peer.ends(CLOSED, "the client closed")

    @rule(peer=peers)
    def reset_by_client(self, peer):
        if not peer.has_left:
            doing = "while its handler waited for a person" if peer.prompt is not None else None
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.socket.close()
            peer.has_left = True
            peer.ends(RESET, f"the peer vanished {doing or 'while waiting for it (ConnectionResetError)'}")

    # ── what people do ──

    @rule(peer=peers, text=text)
    def reply(self, peer, text):
        try:
            peer.connection.reply(text)
        except ConnectionEnded:
            assert peer.is_over
            return
        assert not peer.is_over
        peer.answer(text)

    @rule(peer=peers, other=peers, text=text)
    def answer_twice(self, peer, other, text):
        """An answer to a question that has been answered, or was asked by another, is no answer."""
        asked_elsewhere = [other.question] if other is not peer and other.prompt is not None else []
        for number in peer.answered[-1:] + asked_elsewhere:
            with pytest.raises(ConnectionEnded if peer.is_over else AlreadyAnswered):
                peer.connection.reply(text, ask=number)

    @rule(text=text)
    def broadcast(self, text):
        assert self.server.broadcast(text) == {}
        for peer in self.live:
            peer.answer(text)

    @rule(peer=peers)
    def kick(self, peer):
        peer.connection.close()
        peer.ends(CLOSED, "closed by you")

    @rule(peer=peers)
    def break_off(self, peer):
        peer.connection.reset()
        peer.ends(CLOSED, "reset by you")

    @precondition(lambda self: len(self.mine) > 2)
    @rule()
    def stop(self):
        self.check_stopped(len(self.live))
        for peer in self.live:
            peer.ends(CLOSED, "the server was stopped")
        self.check_peers()
        self.begin()

    # ── what holds after each step ──

    @invariant()
    def check(self):
        self.check_peers()
        self.check_server()
        self.check_hooks()
        self.check_boards()

    def check_peers(self):
        for peer in self.mine:
            peer.check()

    def check_server(self):
        assert net.servers() == [self.server]
        fails = sum(peer.is_over and peer.end[0] is ConnectionState.FAILED for peer in self.mine)
        assert (self.server.observation.errors, self.server.observation.trouble) == (fails, "")
        until(lambda: {c.number for c in self.server.observation.live} == {p.connection.number for p in self.live})
        self.check_journal({p.connection.number for p in self.mine if p.is_over})

    def check_journal(self, ended):
        told = [event for event in self.server.journal if event.connection]
        assert Counter(e.connection for e in told if e.kind is Kind.OPENED) == dict.fromkeys(self.server.connections, 1)
        assert Counter(e.connection for e in told if e.kind is Kind.CLOSED) == dict.fromkeys(ended, 1)

    def check_hooks(self):
        for peer in self.mine:
            calls = HOOKS + ["setup", "handle"] + (["finish", *CLOSING] if peer.is_over else [])
            assert self.server.base.called[peer.connection.number] == calls

    def check_boards(self):
        """A board that has seen everything, and one that is opened now, show the same."""

        def are_alike():
            while (delta := self.board.delta()) is not None:
                self.apply(delta[0])
            fresh = Feed(self.server, Fleet()).snapshot()
            shown = [fresh[name] for name in ("server", "counts")] + [{row[0]: row for row in fresh["connections"]}]
            return shown == [self.shown["server"], self.shown["counts"], self.rows]

        until(are_alike)

    def apply(self, message):
        self.rows.update((row[0], row) for row in message.get("connections", ()))
        self.shown = {**getattr(self, "shown", {}), **message}

    def check_stopped(self, ended):
        report = self.server.stop(grace=5)
        assert self.server.stop() is report
        assert (report.ended, report.stragglers) == (ended, ()) and report.seconds < 2
        assert self.server.state is ServerState.STOPPED and net.servers() == []

    def teardown(self):
        try:
            self.check_stopped(len(self.live))
            for peer in self.live:
                peer.ends(CLOSED, "the server was stopped")
            self.check_peers()
            self.check_journal(set(self.server.connections))
        finally:
            for peer in self.all:
                peer.socket.close()
        # No more than before: what a test before this one had left over may end meanwhile.
        until(lambda: set(threading.enumerate()) <= self.threads and descriptors() <= self.descriptors)


@pytest.mark.timeout(600)  # it takes seconds; to find the shortest order that breaks a promise takes minutes
def test_every_promise_is_kept_in_every_order(nothing_left, monkeypatch):
    monkeypatch.setattr(watch, "_IDLE", 0.02)  # its thread ends soon after the last who is watched
    monkeypatch.setattr(watch, "_LOOK_AGAIN", 0.02)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=120,
            stateful_step_count=30,
            deadline=None,
            print_blob=True,
            derandomize="CI" in os.environ,
        ),
    )
