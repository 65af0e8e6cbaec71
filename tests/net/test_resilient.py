"""The accept loop's state, by itself."""

from __future__ import annotations

import socketserver
import threading

import pytest

from nbserver import net
from nbserver.net.resilient import Loop


def test_a_loop_is_run_by_one_thread():
    loop = Loop()
    loop.wake()  # nobody to wake
    assert loop.begin()
    with pytest.raises(RuntimeError, match="served already"):
        loop.begin()
    loop.end()
    loop.stop = True
    assert not loop.begin()
    assert loop.begin()


def test_service_actions_are_called_between_connections(serve):
    called = threading.Event()

    class Counts(socketserver.TCPServer):
        def service_actions(self):
            called.set()

    serve(net.Echo, Counts)
    assert called.wait(5)


def test_ctrl_c_in_the_main_thread_ends_the_loop():
    class Interrupted(socketserver.TCPServer):
        def service_actions(self):
            raise KeyboardInterrupt

    with net.observed_class(Interrupted)(("127.0.0.1", 0), net.Echo) as server, pytest.raises(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.01)
