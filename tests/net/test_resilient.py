"""The accept loop's state and the workers, by themselves."""

from __future__ import annotations

import contextvars
import socketserver
import threading

import pytest

from nbserver import net
from nbserver.net import resilient
from nbserver.net.resilient import Loop, Workers


def test_a_worker_is_used_again_and_context_variables_start_anew():
    variable = contextvars.ContextVar("variable", default="new")
    seen, done = [], threading.Semaphore(0)

    def job():
        seen.append((threading.current_thread(), variable.get()))
        variable.set("used")
        done.release()

    workers = Workers("worker", pytest.fail)
    for _ in range(10):
        workers.submit(job)
        assert done.acquire(timeout=5)
        while not workers._idle:  # until it is parked again
            pass
    assert len({thread for thread, _ in seen}) == 1
    assert {value for _, value in seen} == {"new"}
    workers.close()
    assert not seen[0][0].is_alive()


def test_every_job_is_done_though_workers_end_in_between(monkeypatch):
    monkeypatch.setattr(resilient, "_IDLE_SECONDS", 0.0)
    workers, done = Workers("worker", pytest.fail), threading.Semaphore(0)
    for _ in range(2000):
        workers.submit(done.release)
    for _ in range(2000):
        assert done.acquire(timeout=5)
    workers.close()


def test_jobs_after_the_close_are_done_too():
    workers, done = Workers("worker", pytest.fail), threading.Event()
    workers.close()
    workers.submit(done.set)
    assert done.wait(5)


def test_what_a_job_raises_is_told_and_the_worker_goes_on():
    told, done = [], threading.Event()
    workers = Workers("worker", told.append)
    workers.submit(lambda: 1 / 0)
    workers.submit(done.set)
    assert done.wait(5)
    workers.close()
    assert told == ["ZeroDivisionError in worker-1: division by zero"]


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
