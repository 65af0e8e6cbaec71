"""What being watched costs: `python tests/bench/run.py` compares servers and prints tables in Markdown.

In each round every server is measured at everything, one after another, each time in a process of its own; the order is
another in each round. A ratio is taken within its round, so that a machine that is slow for a while is slow for all.
How to read the tables stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT = 90  # seconds that a measurement may take beyond its own time
SERVERS = ["bare", "bare-1024", "observed", "board", "asyncio", "gevent", "c"]


class Cell(NamedTuple):
    """One thing that is measured."""

    mode: str  # of load.c
    count: int  # of connections
    times: int = 1  # so many times --seconds
    options: tuple[str, ...] = ()  # of servers.py


class Line(NamedTuple):
    """One line of the tables: which cell, which of its numbers, and how a reader calls it."""

    cell: str
    key: str
    title: str


CELLS = {
    "echo1": Cell("echo", 1),
    "echo10": Cell("echo", 10),
    "echo100": Cell("echo", 100),
    "echo1000": Cell("echo", 1000),
    "churn": Cell("churn", 50),
    "burst": Cell("burst", 200),
    "idle": Cell("idle", 500),
    "busy10": Cell("paced", 10, 3, ("--busy",)),
}
LINES = [
    Line("echo1", "rate", "echo, 1 connection: messages/s ↑"),
    Line("echo10", "rate", "echo, 10 connections: messages/s ↑"),
    Line("echo100", "rate", "echo, 100 connections: messages/s ↑"),
    Line("echo1000", "rate", "echo, 1000 connections: messages/s ↑"),
    Line("churn", "rate", "connect, echo, close, 50 in flight: connections/s ↑"),
    Line("burst", "ms", "200 connect at once, until all are echoed: ms ↓"),
    Line("idle", "kib", "memory per idle connection: KiB ↓"),
    Line("busy10", "p50", "100 echoes/s, 10 connections, a thread computes: p50, µs ↓"),
    Line("busy10", "p99", "100 echoes/s, 10 connections, a thread computes: p99, µs ↓"),
]


class Failed(Exception):
    """A measurement has no result; the message says why."""


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


# ── processes ──


@contextlib.contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A child that is ended with the block, however the block ends; what it complains about is raised if it fails.

    In a session of its own: a Ctrl-C is ours, and we end it.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        with subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes) as child:
            try:
                yield child
            except (Failed, OSError, ValueError) as error:
                complaints.seek(0)
                raise Failed(f"{' '.join(command)}: {error} {complaints.read()[-1000:]}".strip()) from error
            finally:
                child.kill()


def answer(child: subprocess.Popen[str]) -> dict[str, float]:
    """The next line of JSON that a child prints."""
    line = child.stdout.readline()
    if not line:
        raise Failed("it has ended without a result:")
    return json.loads(line)


def server_command(name: str, load: str, options: tuple[str, ...]) -> list[str]:
    """How to start a server. `observed@/another/clone` is that of another clone."""
    if name == "c":
        return [load, "serve"]
    kind, _, clone = name.partition("@")
    return [sys.executable, str(HERE / "servers.py"), kind, clone or str(ROOT), *options]


def build(folder: str) -> str:
    """Compiles the load generator; returns its path."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise Failed("The load generator is a C program, and there is no cc: install one (Debian: gcc libc6-dev).")
    load = f"{folder}/load"
    done = subprocess.run(
        [compiler, "-O2", "-std=c11", "-Wall", "-Wextra", "-o", load, str(HERE / "load.c")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Failed(f"load.c does not compile:\n{done.stdout}")
    return load


# ── one measurement ──


def resident(pid: int) -> float:
    """Memory of a process, in KiB, once it has come to rest."""
    last, deadline = -1.0, time.monotonic() + 5
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        now = next(float(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        if now == last or time.monotonic() > deadline:
            return now
        last = now
        time.sleep(0.25)  # a board looks ten times a second


def echo_once(port: int) -> None:
    """So that what the first connection loads is not counted."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"x")
        client.recv(1)


def memory(pid: int, port: int, load_command: list[str], count: int) -> dict[str, float]:
    """What `count` idle connections cost in the server, each echoed once."""
    echo_once(port)
    before = resident(pid)
    with process(load_command) as load:
        answer(load)
        return {"kib": (resident(pid) - before) / count}


def measure(name: str, cell: Cell, load: str, seconds: float) -> dict[str, float]:
    """One number or more, of one server at one thing."""
    with process(server_command(name, load, cell.options)) as server:
        port = int(answer(server)["port"])
        seconds *= cell.times
        command = [load, cell.mode, str(port), str(server.pid), str(cell.count), str(seconds)]
        if cell.mode == "idle":
            return memory(server.pid, port, command, cell.count)
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT + 2 * seconds)
        if done.returncode:
            raise Failed(done.stderr.strip() + ":")
        result = json.loads(done.stdout)
        return {**result, "ms": 1000 * result["seconds"]}


# ── rounds ──


class Sample(NamedTuple):
    """What one measurement has found, or {} when it failed."""

    round: int
    cell: str
    server: str
    found: dict[str, float]


def rounds(options: argparse.Namespace, load: str, samples: list[Sample]) -> None:
    """Measures everything; what is found is in `samples` even if it is interrupted."""
    for number in range(options.rounds):
        turn = number % len(options.servers)
        for cell in options.only:
            for server in options.servers[turn:] + options.servers[:turn]:
                if server == "c" and CELLS[cell].options:
                    continue  # it has no interpreter that could compute beside it
                found = {}
                try:
                    found = measure(server, CELLS[cell], load, options.seconds)
                except (Failed, subprocess.TimeoutExpired) as error:
                    say(f"FAILED: {cell} of {server}: {error}")
                samples.append(Sample(number, cell, server, found))
                numbers = " ".join(f"{line.key} {found.get(line.key, 0):.5g}" for line in LINES if line.cell == cell)
                trouble = f", {found['errors']:g} errors" if found.get("errors") else ""
                say(f"round {number + 1}/{options.rounds} {cell:>8} {server:<10} {numbers}{trouble}")


# ── tables ──


def values(samples: list[Sample], cell: str, key: str, server: str) -> dict[int, float]:
    """What was found in each round."""
    return {s.round: s.found[key] for s in samples if (s.cell, s.server) == (cell, server) and key in s.found}


def number_text(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}".replace(",", " ")


def star(samples: list[Sample], cell: str, *servers: str) -> str:
    """Marks what is better than it was, since some connections failed; `footnotes` says how many."""
    return r"\*" if any(any(values(samples, cell, "errors", server).values()) for server in servers) else ""


def median_text(samples: list[Sample], cell: str, key: str, server: str) -> str:
    found = values(samples, cell, key, server)
    return number_text(median(found.values())) + star(samples, cell, server) if found else "–"


def ratio_text(samples: list[Sample], cell: str, key: str, server: str, base: str) -> str:
    """The median, and the quartiles, of the ratios of each round in which both were measured."""
    above, below = values(samples, cell, key, server), values(samples, cell, key, base)
    found = [above[number] / below[number] for number in above if below.get(number)]
    if not found:
        return "–"
    middle = f"{median(found):.3g}{star(samples, cell, server, base)}"
    if len(found) == 1:
        return middle
    low, _, high = quantiles(found, n=4, method="inclusive")
    return f"{middle} ({low:.3g}–{high:.3g})"


def footnotes(samples: list[Sample]) -> list[str]:
    """How many connections failed, and where."""
    notes = []
    for cell, server in dict.fromkeys((s.cell, s.server) for s in samples):
        failed = [f"{errors:g}" for errors in values(samples, cell, "errors", server).values() if errors]
        if failed:
            notes.append(
                rf"\* {cell} of {server}: reset, or not served within 20 s, in each round: {', '.join(failed)}"
            )
    return notes


def table(title: str, servers: list[str], lines: list[Line], text: Callable[[Line, str], str]) -> str:
    """A table in Markdown: a line for each thing that is measured, a column for each server."""
    rows = [["", *servers], ["---", *["---:" for _ in servers]]]
    rows += [[line.title, *[text(line, server) for server in servers]] for line in lines]
    return f"### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def circumstances(samples: list[Sample], options: argparse.Namespace) -> str:
    """Where this was measured, and how much of the machine others had."""
    others = [sample.found["others_cpu"] for sample in samples if "others_cpu" in sample.found]
    busy = f"; others used {median(others):.2g} of a core (median; at most {max(others):.2g})" if others else ""
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.release()}"
    return f"{python}, {os.cpu_count()} cores{busy}. {options.rounds} rounds of {options.seconds:g} s."


def report(samples: list[Sample], options: argparse.Namespace) -> str:
    """All tables."""
    cells = {sample.cell for sample in samples}
    lines = [line for line in LINES if line.cell in cells]
    short = [line._replace(title=line.title.split(":")[0]) for line in lines if line.key in ("rate", "ms", "p50")]
    each = [line for line in short if line.key == "rate"]
    servers, base = options.servers, options.servers[0]

    def medians(key: str = "") -> Callable[[Line, str], str]:
        return lambda line, server: median_text(samples, line.cell, key or line.key, server)

    def compared(key: str = "") -> Callable[[Line, str], str]:
        return lambda line, server: ratio_text(samples, line.cell, key or line.key, server, base)

    tables = [
        table(f"Ratio to {base} within each round: median (quartiles)", servers[1:], lines, compared()),
        table("Medians", servers, lines, medians()),
        table("The server's CPU for each message or connection, in µs: medians", servers, each, medians("cpu_each")),
        table(f"The same, ratio to {base}: median (quartiles)", servers[1:], each, compared("cpu_each")),
        table("The load generator's share of a core: medians", servers, short, medians("load_cpu")),
    ]
    return "\n\n".join([circumstances(samples, options), *tables, *footnotes(samples)])


# ── the command ──


def arguments() -> argparse.Namespace:
    def names(allowed):
        def split(text):
            for name in (chosen := text.split(",")):
                if name.partition("@")[0] not in allowed:
                    raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(allowed)}")
            return chosen

        return split

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--only", type=names(list(CELLS)), default=list(CELLS), help=",".join(CELLS))
    servers_help = "the others are compared to the first; observed@/path is that of another clone: "
    parser.add_argument("--servers", type=names(SERVERS), help=servers_help + ",".join(SERVERS))
    parser.add_argument("--json", type=Path, help="a file for every single sample")
    options = parser.parse_args()
    if options.servers is None:
        options.servers = SERVERS.copy()
        if importlib.util.find_spec("gevent") is None:
            say("gevent is left out, since it is not installed: pip install -e '.[bench]'")
            options.servers.remove("gevent")
    return options


def main() -> int:
    options = arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has it ignored, as it does in the background
        signal.signal(number, signal.default_int_handler)
    samples: list[Sample] = []
    status = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            rounds(options, build(folder), samples)
    except Failed as error:
        say(error)
        return 1
    except KeyboardInterrupt:
        say("interrupted: the tables hold what there is")
        status = 130
    if options.json:
        options.json.write_text(json.dumps([sample._asdict() for sample in samples], indent=1))
    print(report(samples, options))
    return status or int(any(not sample.found for sample in samples))


if __name__ == "__main__":
    sys.exit(main())
