"""The one thread of this kernel that sends to pages: ten times a second, a message for each hub, only what is new.

Handlers' threads never send: each thread that does would open a ZeroMQ socket of its own, and at about a thousand
the kernel fails; and the Jupyter server silently drops what exceeds a thousand messages a second.
"""

from __future__ import annotations

import threading
from typing import Protocol

PERIOD = 0.1  # seconds


class Published(Protocol):
    """What is published: a hub."""

    def publish(self) -> bool:
        """Send what is new; returns whether there may be more to come."""


class Publisher:
    """Thread: any may `add` and `hurry`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # a thread that is about to end must not be given a new hub
        self._hubs: list[Published] = []
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def add(self, hub: Published) -> None:
        """Publish `hub` until it says that there is nothing more to come; adding it twice is adding it once."""
        with self._lock:
            if hub not in self._hubs:
                self._hubs.append(hub)
            if self._thread is None:
                # A daemon: a board that nobody looks at must not keep the kernel alive.
                self._thread = threading.Thread(target=self._run, name="nbserver-publisher", daemon=True)
                self._thread.start()

    def hurry(self) -> None:
        """Publish now: the effect of a click is seen at once."""
        self._hurry.set()

    def _run(self) -> None:
        while hubs := self._next_hubs():
            over = [hub for hub in hubs if not hub.publish()]
            with self._lock:
                self._hubs = [hub for hub in self._hubs if hub not in over]
            self._hurry.wait(PERIOD)
            self._hurry.clear()

    def _next_hubs(self) -> list[Published]:
        with self._lock:
            if not self._hubs:
                self._thread = None
            return list(self._hubs)


publisher = Publisher()
"""The one of this kernel."""
