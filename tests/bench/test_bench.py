"""The benchmark really measures: one short run of it, from the command to the tables. No speed is asserted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
NUMBERS = {"echo10": "rate", "churn": "rate", "burst": "ms", "idle": "kib", "busy10": "p99"}
SERVERS = ["observed", "board"]


def bench(*options: str, **settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, RUN, *options], capture_output=True, text=True, timeout=110, **settings)


def is_running(pid: str) -> bool:
    """Whether a process lives; one that has ended and was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_every_number_is_measured(tmp_path):
    samples = tmp_path / "samples.json"
    short = ["--rounds", "1", "--seconds", "0.3", "--json", str(samples)]
    done = bench(*short, "--only", ",".join(NUMBERS), "--servers", ",".join(SERVERS))
    assert done.returncode == 0, done.stderr
    found = {(s["cell"], s["server"]): s["found"][NUMBERS[s["cell"]]] for s in json.loads(samples.read_text())}
    assert found.keys() == {(cell, server) for cell in NUMBERS for server in SERVERS}
    assert all(number > 0 for number in found.values()), found
    ratio, medians = done.stdout.split("### ")[1:3]
    assert "–" not in ratio + medians  # no cell of these tables is empty
    assert ratio.count("\n| ") == medians.count("\n| ") == len(NUMBERS) + 3  # two percentiles, the head, and its line


def test_what_fails_is_told_and_the_rest_is_measured():
    """A clone without nbserver: its server does not start."""
    done = bench("--rounds", "1", "--seconds", "0.1", "--only", "echo1", "--servers", "bare,observed@/dev/null")
    assert done.returncode == 1
    assert "there is no nbserver in /dev/null" in done.stderr
    assert "| bare | observed@/dev/null |" in done.stdout


@pytest.mark.parametrize("option", [("--only", "echo7"), ("--servers", "apache")])
def test_an_unknown_name_is_refused(option):
    done = bench(*option)
    assert done.returncode == 2
    assert f"{option[1]!r} is none of" in done.stderr


def test_an_interrupt_ends_what_was_started_and_shows_what_there_is():
    command = [sys.executable, RUN, "--only", "echo1", "--servers", "bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert "round 1/7" in run.stderr.readline()
        while not (children := Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()):
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        tables, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "| echo, 1 connection: messages/s ↑ |" in tables
    deadline = time.monotonic() + 20  # one that was just being started ends by itself: its stdin has ended
    while left := [child for child in children if is_running(child)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.01)  # between two looks; the condition, not the time, ends the wait


def test_without_a_compiler_it_says_what_is_missing(tmp_path):
    done = bench("--only", "echo1", env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "no cc" in done.stderr
