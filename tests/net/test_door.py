"""Who may connect: this machine, the network, who knows the token, this user."""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import stat
import subprocess
import sys
import threading
import time

import pytest

from nbserver import net, tokens
from nbserver.errors import UsageError
from nbserver.events import Kind
from nbserver.net import reach, unixpath
from nbserver.net.reach import Reach, Zone, bound_to, zone_of

TOKEN = "a-token-of-the-class"


# ── addresses ──


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("127.0.0.1", Zone.MACHINE),
        ("127.8.9.10", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("192.168.1.7", Zone.NETWORK),
        ("10.0.0.1", Zone.NETWORK),
        ("172.16.0.1", Zone.NETWORK),
        ("172.32.0.1", Zone.PUBLIC),
        ("169.254.3.4", Zone.NETWORK),
        ("100.64.0.1", Zone.NETWORK),  # shared by a provider's customers (RFC 6598)
        ("100.128.0.1", Zone.PUBLIC),
        ("::ffff:192.168.1.7", Zone.NETWORK),
        ("fe80::1%eth0", Zone.NETWORK),
        ("fd00::1", Zone.NETWORK),
        ("8.8.8.8", Zone.PUBLIC),
        ("::ffff:8.8.8.8", Zone.PUBLIC),
        ("2606:4700::1111", Zone.PUBLIC),
        ("2002:808:808::1", Zone.PUBLIC),  # 6to4 of 8.8.8.8
        ("224.0.0.1", Zone.PUBLIC),
        ("0.0.0.0", Zone.PUBLIC),
        ("example.org", Zone.PUBLIC),
        ("", Zone.PUBLIC),
    ],
)
def test_s06_where_an_address_is(host, zone):
    assert zone_of(host) is zone


@pytest.mark.parametrize(
    ("zone", "lan", "allow_public", "is_let_in"),
    [
        (Zone.MACHINE, False, False, True),
        (Zone.NETWORK, False, False, False),
        (Zone.NETWORK, True, False, True),
        (Zone.PUBLIC, False, False, False),
        (Zone.PUBLIC, True, False, False),
        (Zone.PUBLIC, True, True, True),
    ],
)
def test_s06_who_is_let_in_from_where(serve, connect, monkeypatch, zone, lan, allow_public, is_let_in):
    """A client on this machine cannot come from elsewhere: where it comes from is what is faked."""
    monkeypatch.setattr("nbserver.net.door.peer_zone", lambda request, peer: zone)
    server = serve(net.Echo, access=net.Access(lan, allow_public))
    client = connect(server)
    if is_let_in:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
    else:
        assert client.makefile().read() == (
            "only this network may connect\n" if lan else "only this machine may connect (lan=True lets more)\n"
        )
        assert not server.connections and server.observation.turned_away == 1


def test_s06_a_datagram_from_elsewhere_is_dropped_without_a_word(serve, connect, monkeypatch):
    server = serve(net.Echo, socketserver.ThreadingUDPServer)
    client = connect(server)
    client.send(b"from here")
    assert client.recv(100) == b"from here"
    monkeypatch.setattr("nbserver.net.door.peer_zone", lambda request, peer: Zone.NETWORK)
    client.send(b"from elsewhere")
    assert server.journal.wait_for(lambda: server.observation.turned_away, 5)
    monkeypatch.undo()
    client.send(b"from here again")
    assert client.recv(100) == b"from here again"


def own_address():
    """An address of this machine in a network; the loopback's where it is in none."""
    return next((address for address in reach.own_addresses() if ":" not in address), "127.0.0.1")


def test_s06_who_comes_by_an_address_of_this_machines_own_is_on_this_machine(serve):
    server = serve(net.Echo, address=("0.0.0.0", 0))
    with socket.create_connection((own_address(), server.address[1]), 5) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"


def test_who_can_reach_a_server_is_told():
    assert str(Reach.of(("127.0.0.1", 8008), True, False)) == "127.0.0.1:8008: this machine only"
    assert Reach.of(("0.0.0.0", 8008), False, False) == (Zone.MACHINE, ("0.0.0.0:8008",), True)
    lan = Reach.of(("0.0.0.0", 8008), True, False)
    assert lan.zone is Zone.NETWORK and all(text.endswith(":8008") for text in lan.addresses)
    assert "public addresses are turned away" in str(lan)
    assert Reach.of(("192.168.1.7", 80), True, True) == (Zone.PUBLIC, ("192.168.1.7:80",), False)
    assert Reach.of("/tmp/x", True, True).zone is Zone.MACHINE
    assert [bound_to(host) for host in ("", "0.0.0.0", "::", "localhost")] == [Zone.NETWORK] * 3 + [Zone.MACHINE]


# ── the class's token ──


@pytest.fixture
def guarded(serve):
    return serve(net.Echo, access=net.Access(token=TOKEN))


def test_s08_who_shows_the_token_is_let_in_and_the_token_is_nowhere_to_be_read(guarded, connect):
    client = connect(guarded)
    client.sendall(tokens.hello(TOKEN) + b"first words")
    assert client.recv(100) == b"first words"
    assert (guarded[1].bytes_in, guarded[1].messages_in) == (11, 1)
    shown = [*guarded.journal, guarded, guarded[1], guarded.access]
    assert TOKEN not in repr(shown)


def test_s08_who_proves_to_know_it_is_let_in(guarded, connect):
    client = connect(guarded)
    client.sendall(tokens.CHALLENGE_ME)
    nonce = tokens.nonce_in(client.recv(100))
    client.sendall(tokens.proof(TOKEN, nonce))
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"


@pytest.mark.parametrize(
    "line", [b"HELLO wrong\n", b"\n", b"x" * 256, b"GET / HTTP/1.1\r\n", tokens.CHALLENGE_ME + b"?\n"]
)
def test_s08_a_wrong_token(guarded, connect, line):
    client = connect(guarded, 1)
    client.sendall(line)
    guarded[1].wait_closed(5)
    assert client.makefile().read().endswith("wrong token: the first line must be HELLO and the token\n")
    assert guarded[1].note.startswith("wrong token") and guarded.observation.errors == 0
    assert not [e for e in guarded[1].transcript if e.kind is Kind.RECEIVED]


def test_s08_a_slow_token(guarded, connect, monkeypatch):
    monkeypatch.setattr("nbserver.net.door._TOKEN_SECONDS", 0.3)
    client = connect(guarded, 1)
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while not guarded[1].is_over and time.monotonic() < began + 5:
            client.send(b".")
            guarded.journal.wait_for(lambda: guarded[1].is_over, 0.05)
    assert guarded[1].note == "no token within 0.3 s"


def test_s08_three_tries_for_an_address(guarded, connect, monkeypatch):
    for number in range(1, 4):
        connect(guarded, number).sendall(b"HELLO guess\n")
        guarded[number].wait_closed(5)
    assert connect(guarded).makefile().read() == "too many wrong tokens from its address\n"
    monkeypatch.setattr(guarded.observation.door, "_forget_at", 0.0)  # a minute later
    client = connect(guarded)
    client.sendall(tokens.hello(TOKEN) + b"hello")
    assert client.recv(100) == b"hello"


def test_s08_wrong_tokens_from_any_number_of_addresses_fill_no_memory(guarded):
    door = guarded.observation.door
    for number in range(5000):
        door.wrong_token((f"fd00::{number:x}", 1, 0, 0))
    assert len(door._wrong) <= 1000


@pytest.mark.parametrize("token", ["short", "with blank inside", "line\nend in it", "x" * 201])
def test_s08_what_is_no_token_is_refused(token):
    with pytest.raises(UsageError, match="8 to 200"):
        net.Access(token=token)


# ── a Unix socket for this user alone ──


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
def test_s07_a_private_socket_is_open_to_its_user_only_and_goes_with_its_server(serve, connect):
    path = net.private_path()
    server = serve(net.Echo, socketserver.ThreadingUnixStreamServer, path, access=net.Access(same_user=True))
    folder = os.path.dirname(path)
    assert [stat.S_IMODE(os.stat(one).st_mode) for one in (folder, path)] == [0o700, 0o600]
    client = connect(server)
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"
    server.stop()
    assert not os.path.exists(folder)


AS_ANOTHER = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(sys.argv[1])
        print(client.recv(100).decode().strip())
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("is_folder_open", [False, True])
def test_s07_another_user_is_kept_out(serve, is_folder_open):
    path = net.private_path()
    server = serve(net.Echo, socketserver.ThreadingUnixStreamServer, path, access=net.Access(same_user=True))
    if is_folder_open:  # somebody opened the folder and the socket: the uid of who connects is checked all the same
        os.chmod(os.path.dirname(path), 0o755)
        os.chmod(path, 0o666)
    done = subprocess.run([sys.executable, "-c", AS_ANOTHER, path], capture_output=True, text=True, timeout=30)
    wanted = "only the user who started the server may connect" if is_folder_open else "PermissionError"
    assert (done.stdout.strip(), done.stderr) == (wanted, "")
    assert not server.connections


@pytest.mark.parametrize("uid", [0, None])
def test_s07_who_is_known_as_root_or_not_at_all_is_let_in(serve, connect, monkeypatch, uid):
    monkeypatch.setattr("nbserver.net.door.peer_uid", lambda sock: uid)
    server = serve(net.Echo, access=net.Access(same_user=True))
    client = connect(server)
    client.sendall(b"x")
    assert client.recv(1) == b"x"


def test_s07_a_file_that_others_can_open_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "umask", lambda mask: 0o022)  # a disk that knows no modes
    with pytest.raises(UsageError, match="lets others open"), unixpath.for_this_user_only(str(tmp_path / "s")):
        (tmp_path / "s").write_text("")
        (tmp_path / "s").chmod(0o755)


# ── what a client speaks ──


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
        (b"POST /reply HTTP/1.1\r\n", "HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"),
        (b"PROPFIND /dav HTTP/1.1\r\n", "HTTP"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"GET", ""),
        (b"GETTING there\n", ""),
        (b"hello\n", ""),
        (b"PUT it there, please", "HTTP"),
        (b"\x16\x03\x01", ""),
        (b"\x00" * 100, ""),
    ],
)
def test_fault_16_what_a_client_speaks_is_recognised_and_named(serve, connect, until, data, what):
    class Takes(socketserver.BaseRequestHandler):
        def handle(self):
            taken.append(self.request.recv(1000))
            done.wait(5)

    taken, done = [], threading.Event()
    server = serve(Takes)
    client = connect(server, 1)
    client.sendall(data)
    until(lambda: taken)
    assert server[1].speaks == what
    assert [e.data for e in server[1].transcript if e.kind is Kind.NOTICE] == (
        [f"speaks {what}".encode()] if what else []
    )
    assert not server[1].is_over, "a handler of the user's decides for itself"
    done.set()


@pytest.mark.parametrize("handler", [None, net.Echo, net.ChatRoom])
@pytest.mark.parametrize("data", [b"POST / HTTP/1.1\r\n\r\nquit\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_s10_our_own_handlers_hang_up_on_those_who_speak_something_else(serve, connect, handler, data):
    server = serve(handler)
    friend = connect(server, 1)
    client = connect(server, 2)
    client.sendall(data)
    assert client.recv(1000) == b""
    server[2].wait_closed(5)
    assert server[2].note == f"it speaks {server[2].speaks}, and is no client of this server's"
    assert not server[2].is_waiting and not server[1].is_over
    friend.settimeout(0.1)
    with pytest.raises(TimeoutError):
        friend.recv(100)  # in the chat room nobody hears of it
