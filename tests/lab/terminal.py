"""A real `jupyter console` in an emulated terminal, which notes what it is told to do."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

from .conftest import PATIENCE, REPOSITORY

SIZE = (200, 160)  # lines and columns: nothing scrolls away


class Screen(pyte.Screen):
    """Notes what changes more than the text."""

    def __init__(self) -> None:
        self.told: list[str] = []
        super().__init__(SIZE[1], SIZE[0])

    def set_title(self, param: str) -> None:
        self.told.append(f"title {param}")

    def set_icon_name(self, param: str) -> None:
        self.told.append(f"icon {param}")

    def erase_in_display(self, how: int = 0, *args, **kwargs) -> None:
        if how:  # the prompt erases what is below it, which is 0
            self.told.append(f"erase {how}")
        super().erase_in_display(how, *args, **kwargs)

    def reset(self) -> None:
        self.told.append("reset")
        super().reset()

    def define_charset(self, code: str, mode: str) -> None:
        self.told.append(f"charset {code}")

    def report_device_attributes(self, mode: int = 0, **kwargs) -> None:
        self.told.append("attributes")


class Terminal:
    """A `jupyter console`; what is typed is the code of a cell on one line."""

    def __init__(self, folder: Path) -> None:
        # IPython takes its own folder off the path, so that must not be the one with the modules.
        own = {name: str(folder / "own") for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
        path = os.pathsep.join(map(str, (folder, REPOSITORY)))
        self.screen = Screen()
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_console"],
            env={**os.environ, **own, "PYTHONPATH": path, "TERM": "xterm-256color"},
            **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
            start_new_session=True,
        )
        os.close(theirs)
        self.screen.write_process_input = self._type
        self._cell = 1
        self._wait("In [1]:")

    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def run(self, code: str) -> str:
        """Types a cell, and waits for the next prompt; returns what the screen shows since then."""
        before = len(self.text())
        self._cell += 1
        self._type(code + "\r")
        self._wait(f"In [{self._cell}]:")
        return self.text()[before:]

    def listen(self, seconds: float) -> None:
        """Take what comes within so many seconds: that nothing comes cannot be waited for."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def _type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def _wait(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in self.text():
            assert time.monotonic() < deadline, f"no {text!r} in\n{self.text()}"
            self._read(1.0)

    def _read(self, seconds: float) -> None:
        if select.select([self._ours], [], [], seconds)[0]:
            self._stream.feed(os.read(self._ours, 65_536))

    def stop(self) -> None:
        """Leave it, and its kernel with it."""
        self._type("exit\r")
        with contextlib.suppress(OSError):  # the other end is closed: it has left
            self.listen(PATIENCE)
        self._process.wait(PATIENCE)
        os.close(self._ours)
