"""Fixtures that several test modules share.

At import this file needs pytest alone: the core's tests also run on Pythons that have nothing else (`test_pythons.py`).
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

BROWSER_FIXTURES = {"browser", "chromium_path", "page"}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM_KEY = pytest.StashKey[str]()
CACHE = Path(__file__).parents[1] / ".cache"
OLD = "ipykernel==6.29.5"  # the oldest that is supported
SETTLE = 5.0  # seconds that threads and descriptors have to go away after a test
PIXELS = """async (url) => {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    const { width, height } = image;
    const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    return [width, height, Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 1])];
}"""  # the green of each pixel of an image, row by row
PLAYWRIGHT_PATH = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


# --- one at a time ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def alone(name: str = "installing") -> Iterator[None]:
    """For one process at a time of those that share the tests: what it installs, or binds, is of concern to all."""
    import fcntl

    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go with the file, and with the process
        yield


@pytest.fixture
def port_8008() -> Iterator[None]:
    """The port of the tutorial's programs, which are run as they stand."""
    with alone("port-8008"):
        yield


def a_free_port() -> int:
    """One that nobody has, that no test was given lately, and that the system does not choose by itself."""
    file = CACHE / "ports"
    with alone("ports"):
        given = int(file.read_text() or 0) if file.exists() else 0
        while True:
            given += 1
            with socket.socket() as sock, contextlib.suppress(OSError):
                sock.bind(("127.0.0.1", 20_000 + given % 12_000))
                file.write_text(str(given))
                return sock.getsockname()[1]


# --- a browser ----------------------------------------------------------------------------------------------


class NoChromium(Exception):
    """There is no Chromium and none could be installed."""


def run(*command: str, limit: float = 900, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command without a keyboard and returns what it said; `limit` in seconds."""
    print("+", *command, flush=True)
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit,
            env={**os.environ, **variables},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, str(error))


def does_run(path: str) -> bool:
    """Is this a Chromium that starts? (A downloaded one may lack libraries, a stub may only print advice.)"""
    return run(path, "--version", limit=60).returncode == 0


def chromium_on_path() -> str | None:
    """The first Chromium on the PATH that starts."""
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((path for path in found if path and does_run(path)), None)


def chromium_of_playwright() -> tuple[str | None, str]:
    """Lets Playwright install its own Chromium; returns its path, if it starts, and what was said."""
    said = run(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium").stdout
    path = run(sys.executable, "-c", PLAYWRIGHT_PATH, limit=60).stdout.strip()
    return (path if Path(path).is_file() and does_run(path) else None), said


def chromium_of_debian() -> tuple[str | None, str]:
    """Installs Debian's Chromium, on Debian as root; returns its path and what was said."""
    release = Path("/etc/os-release")
    if not release.is_file() or "ID=debian" not in release.read_text().splitlines() or os.geteuid() != 0:
        return None, "not root on Debian: apt-get was not tried"
    update = run("apt-get", "update")
    install = run("apt-get", "install", "-y", "chromium", limit=1800, DEBIAN_FRONTEND="noninteractive")
    return chromium_on_path(), update.stdout[-2000:] + install.stdout[-2000:]


def find_chromium() -> str:
    """The path of a Chromium: one on the PATH, else Playwright's, else Debian's; else NoChromium."""
    if path := chromium_on_path():
        return path
    path, playwright_said = chromium_of_playwright()
    if path:
        return path
    path, debian_said = chromium_of_debian()
    if path:
        return path
    raise NoChromium(
        "The browser tests need Chromium. Install it (Debian: apt-get install chromium) or run "
        "`playwright install --with-deps chromium`, then run pytest again.\n"
        f"--- playwright install chromium ---\n{playwright_said}\n--- apt-get install chromium ---\n{debian_said}"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that need a browser and puts them last, with only the soak behind them.

    Last, because Playwright keeps an event loop running in the main thread for the rest of the session, and
    `asyncio.run()` refuses to work beside it. After the soak the system remembers tens of thousands of connections for
    a minute, and whoever asks it about one waits.
    """
    for item in items:
        if BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
    # Whole files, as several processes share them.
    last = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: [item.get_closest_marker("soak") is not None, item.path in last])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With several processes each has whole files, and they come in the order above."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Finds Chromium before the first test, outside the time limit of any test."""
    if session.config.option.collectonly or not any(item.get_closest_marker("browser") for item in session.items):
        return
    try:
        with alone():
            session.config.stash[CHROMIUM_KEY] = find_chromium()
    except NoChromium as error:
        session.config.stash[CHROMIUM_KEY] = f"!{error}"


@pytest.fixture(scope="session")
def chromium_path(pytestconfig: pytest.Config) -> str:
    """The path of a Chromium that starts. Fails, and never skips, if there is none."""
    found = pytestconfig.stash[CHROMIUM_KEY]
    if found.startswith("!"):
        pytest.fail(found[1:], pytrace=False)
    return found


@pytest.fixture(scope="session")
def browser(chromium_path):
    """One headless Chromium for the whole session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path, headless=True, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page in a browser context of its own: no cookies, no storage of another test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def read_code():
    """What a camera reads in a QR code on the screen: a function that takes its element."""
    import zxingcpp

    def read_code(element) -> str:
        shot = base64.b64encode(element.screenshot()).decode()
        width, height, pixels = element.page.evaluate(PIXELS, f"data:image/png;base64,{shot}")
        return "".join(
            code.text for code in zxingcpp.read_barcodes(memoryview(bytes(pixels)).cast("B", (height, width)))
        )

    return read_code


# --- nothing is left ----------------------------------------------------------------------------------------


def open_descriptors() -> Counter[str]:
    """What the file descriptors of this process lead to, and how many to each; empty where the system does not tell.

    Not by number, and without files that have no name: between the phases of a test pytest opens the files anew in
    which it captures output. A socket or a pipe has a name of its own for as long as it lives.
    """
    folder = Path("/proc/self/fd")
    found: Counter[str] = Counter()
    for number in os.listdir(folder) if folder.is_dir() else ():
        with contextlib.suppress(OSError):  # the descriptor that listed the folder has gone
            found[os.readlink(folder / number)] += 1
    return Counter({what: count for what, count in found.items() if not what.endswith(" (deleted)")})


def leftovers(threads: set[threading.Thread], descriptors: Counter[str]) -> list[str]:
    """What exists now and did not exist then, in words."""
    new_threads = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads]
    return new_threads + [f"descriptor of {what}" for what in sorted((open_descriptors() - descriptors).elements())]


@pytest.fixture
def fleet():
    """Clients, which are closed after the test."""
    from nbserver.fleet import Fleet

    fleet = Fleet()
    yield fleet
    fleet.close()


@pytest.fixture
def nothing_left(capfd):
    """After the test, threads and file descriptors are as before, and nothing was written to stdout or stderr.

    What is ending has five seconds to end. A test that prints reads its output with `capfd`.
    """
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    yield
    deadline = time.monotonic() + SETTLE
    while (left := leftovers(threads, descriptors)) and time.monotonic() < deadline:
        time.sleep(0.005)  # between two looks; the condition, not the time, ends the wait
    written = capfd.readouterr()
    assert not left, "still there: " + "; ".join(left)
    assert (written.out, written.err) == ("", "")


# --- an older ipykernel -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def old_python() -> str:
    """The Python of an environment with the oldest ipykernel that is supported; made once, and kept in `.cache`."""
    folder = CACHE / OLD.replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "done"
    wanted = [OLD, "ipywidgets>=8.1", "anywidget>=0.11", "nest-asyncio>=1.6", "segno>=1.6", "trustme>=1.1"]
    with alone():
        if not done.exists() or done.read_text() != "\n".join(wanted):
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
            done.write_text("\n".join(wanted))
    return str(python)
