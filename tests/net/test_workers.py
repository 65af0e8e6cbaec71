"""The workers, by themselves."""

from __future__ import annotations

import contextvars
import queue
import threading

import pytest

from nbserver.net import workers as module
from nbserver.net.workers import Workers


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
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.0)
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
    told, done = queue.SimpleQueue(), threading.Event()
    workers = Workers("worker", told.put)
    workers.submit(lambda: 1 / 0)
    workers.submit(done.set)
    assert done.wait(5)
    assert told.get(timeout=5) == "ZeroDivisionError in worker-1: division by zero"
    workers.close()
    assert told.empty()
