"""The front door's options, from a script: TLS, the network, a token, a Unix socket. Cells are in tests/kernel."""

from __future__ import annotations

import os
import socket
import socketserver
import ssl
import stat
import time

import pytest

import nbserver
from nbserver import console
from nbserver.errors import NotListening, UsageError


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1000):
            self.request.sendall(data)


@pytest.fixture(autouse=True)
def clean(nothing_left):
    yield
    nbserver.stop_all(0.5)
    deadline = time.monotonic() + 5
    while console.is_routed() and time.monotonic() < deadline:
        time.sleep(0.005)  # between two looks: a handler that ends lets go
    assert not console.is_routed(), "input() and print() are as they were"


@pytest.fixture
def fleet():
    """Makes clients, and closes them after the test."""
    made = []

    def make(*args, **options):
        made.append(nbserver.clients(*args, **options))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


def is_echoed(client, text="hello"):
    client.say(text)
    return client.hear() == text


def test_clients_of_a_tls_server_trust_its_throwaway_certificate(fleet):
    certificate = nbserver.throwaway_certificate()
    server = nbserver.serve(Echo, tls=certificate)
    assert all(is_echoed(client) for client in fleet(server, 3))
    by_address = fleet(server.address, 1, tls=certificate)[0]
    by_address.say("x" * 50_000)
    heard = 0
    while heard < 50_000:
        heard += len(by_address.hear())
    assert is_echoed(by_address)
    with pytest.raises(UsageError, match="certificate verify failed"):
        fleet(server.address, 1, tls=ssl.create_default_context())


def test_a_context_of_ones_own_speaks_tls_too(fleet):
    server = nbserver.serve(Echo, tls=nbserver.throwaway_certificate().server)
    assert is_echoed(fleet(server, 1)[0])
    assert "TLS handshake done" in str([event.data for event in server[1].transcript])


def test_clients_of_a_server_with_a_token_show_it(fleet, monkeypatch):
    server = nbserver.serve(Echo, token=True, tls=nbserver.throwaway_certificate())
    assert len(server.token) == 32
    assert all(is_echoed(client) for client in fleet(server, 2))
    plain = nbserver.serve(Echo, token="our-class-token")
    assert is_echoed(fleet(plain.address, 1, token="our-class-token")[0])
    wrong = fleet(plain.address, 1, token="another-token")[0]
    assert wrong.hear().startswith("wrong token")
    monkeypatch.setattr("nbserver.fleet.client._CONNECT_SECONDS", 0.5)
    certificate = nbserver.throwaway_certificate()
    for tls in (None, certificate):
        with pytest.raises(UsageError, match="not asked for a token|did not ask for a token"):
            fleet(nbserver.serve(tls=tls).address, 1, token="our-class-token", tls=tls)


def test_a_private_unix_socket(fleet):
    server = nbserver.serve(Echo, unix=True)
    folder = os.path.dirname(server.address)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert is_echoed(fleet(server, 2)[1])
    datagrams = nbserver.serve(nbserver.Echo, unix=True, server_class=socketserver.ThreadingUnixDatagramServer)
    assert is_echoed(fleet(datagrams, 1)[0])
    server.stop()
    datagrams.stop()
    assert not os.path.exists(folder)


def test_the_network_is_let_in_when_that_is_said(fleet):
    server = nbserver.serve(Echo, lan=True)
    assert server.address[0] == "0.0.0.0"
    assert server.access.lan and not server.access.allow_public
    assert (server.limits.max_per_peer, server.limits.first_byte_seconds) == (20, 60)
    assert nbserver.serve(Echo, lan=True, max_per_peer=3).limits.max_per_peer == 3
    assert is_echoed(fleet(server, 1)[0])
    with pytest.raises(UsageError, match="say lan=True"):
        nbserver.serve(Echo, host="0.0.0.0")


def test_a_server_of_somebody_elses_on_every_address_lets_this_machine_in(fleet):
    base = socketserver.ThreadingTCPServer(("0.0.0.0", 0), Echo)
    server = nbserver.observe(base)
    assert is_echoed(fleet(("127.0.0.1", server.address[1]), 1)[0])
    assert server.reach.is_wider and server.reach.zone.value == "machine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lan": 1}, "lan is True or False"),
        ({"allow_public": True}, "goes with lan=True"),
        ({"token": 5}, "token is a text"),
        ({"token": "short"}, "8 to 200"),
        ({"tls": "cert.pem"}, "ssl.SSLContext of a server"),
        ({"host": "192.0.2.1"}, "say lan=True"),
        ({"limit": 5}, "there is no limit 'limit'"),
        ({"token": True, "server_class": socketserver.UDPServer}, "for streams"),
    ],
)
def test_what_cannot_be_had_is_refused_and_nothing_is_bound(options, words):
    with pytest.raises(UsageError, match=words):
        nbserver.serve(nbserver.Echo, **options)
    assert nbserver.servers() == []


def test_a_certificate_is_for_names():
    with pytest.raises(UsageError, match="host names and addresses"):
        nbserver.throwaway_certificate("no name at all!")
    certificate = nbserver.throwaway_certificate("example.org")
    assert certificate.authority.startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_token_for_a_place_where_nobody_listens():
    with socket.socket() as bound, pytest.raises(NotListening):
        bound.bind(("127.0.0.1", 0))
        nbserver.client(bound.getsockname(), token="our-class-token")
