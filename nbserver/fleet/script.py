"""What a client says by itself: a list of texts, pauses, and things to wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConnectionEnded, NotHeard, UsageError
from ..text import safe_text

if TYPE_CHECKING:
    from .client import Client


@dataclass(frozen=True)
class Until:
    """Wait until `text` has been heard, for `timeout` seconds at most."""

    text: str
    timeout: float = 60.0


def until(text: str = "", timeout: float = 60.0) -> Until:
    """A step of a script: wait until `text` is heard (anything, if empty), for `timeout` seconds at most."""
    return Until(text, timeout)


Step = str | int | float | Until | None
"""A text is said; a number is a pause in seconds; `until` waits; None hangs up."""


def checked(script: Iterable[Step]) -> list[Step]:
    """The script as a list. Raises `UsageError` when it holds something that is no step."""
    if isinstance(script, str):
        script = [script]
    steps = list(script)
    for step in steps:
        if isinstance(step, bool) or not (step is None or isinstance(step, (str, int, float, Until))):
            raise UsageError(
                "a script's steps are texts to say, seconds to pause, until('text') to wait for, and None to hang up, "
                f"not {safe_text(repr(step), 80)}"
            )
    return steps


def play(client: Client, script: Iterable[Step]) -> threading.Thread:
    """Let `client` follow the script, in a thread of its own; after it the client can be spoken through by hand.

    Returns:
        The thread.

    Raises:
        UsageError: The script holds something that is no step.
    """
    steps = checked(script)
    # A daemon: it ends with its client, whose closing ends every wait in it.
    name = f"client {client.number} script"
    thread = threading.Thread(target=_play, args=(client, steps), name=name, daemon=True)
    thread.start()
    return thread


def _play(client: Client, steps: list[Step]) -> None:
    heard = ""
    try:
        for step in steps:
            if step is None:
                client.close()
            elif isinstance(step, str):
                client.say(step)
            elif isinstance(step, Until):
                heard = _wait_until(client, step, heard)
            else:
                _pause(client, step)
    except (ConnectionEnded, NotHeard) as error:
        client.remark(f"(script ended: {error})")


def _pause(client: Client, seconds: float) -> None:
    """Pause; the end of the client ends it sooner."""
    try:
        client.wait_ended(seconds)
    except NotHeard:
        return
    raise ConnectionEnded("the connection has ended")


def _wait_until(client: Client, step: Until, heard: str) -> str:
    """Hear until the step's text has come; returns what came after it."""
    deadline = time.monotonic() + step.timeout
    while not heard or step.text not in heard:
        heard += client.hear(max(0.0, deadline - time.monotonic()))
    return heard.split(step.text, 1)[1] if step.text else ""
