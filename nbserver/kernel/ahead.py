"""What a page says over a hub's comm is heard when it arrives, though the kernel has a cell to run first.

Comm messages wait on the shell channel behind the running cell, and some pages (Visual Studio Code, Colab) have no
other way. But ipykernel takes a message from its socket before it is its turn: from 7 on in a thread of its own, which
no cell holds up; before, in the main thread, whenever a cell awaits something. So a hub's request is read there, ahead
of its turn, and left where it is: everything keeps its order, and the hub does a request once.

A cell of an older kernel that waits in a call of ours does not let its event loop run. There the main thread looks into
the socket while it waits (`journal.do_meanwhile`). Nothing of asyncio is patched for this: nest-asyncio, which lets the
whole kernel go on inside a cell, would let in other widgets' callbacks as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .. import journal

_COMM = b'"comm_msg"'

Receive = Callable[[dict[str, Any]], None]

_receivers: dict[str, Receive] = {}  # by the comm's id


def read_ahead(kernel: Any, comm_id: str, receive: Receive) -> None:
    """Give `receive` each request that arrives for a comm, before its turn. Thread: the main one.

    Args:
        kernel: The kernel, or None.
        comm_id: The comm.
        receive: Called in the kernel's thread that reads the shell channel: it must not block. The same request comes
            by the comm as well, afterwards.
    """
    _receivers[comm_id] = receive
    stream: Any = getattr(kernel, "shell_stream", None)
    # Set as an attribute: in ipykernel 7 the stream belongs to another thread, and its own method would touch its loop.
    callback = getattr(stream, "_recv_callback", None)
    if callback is None or isinstance(callback, _Reader):
        return
    stream._recv_callback = _Reader(kernel, callback)
    if getattr(kernel, "shell_channel_thread", None) is None:  # before ipykernel 7
        journal.do_meanwhile(stream.flush)


def stop_reading(kernel: Any, comm_id: str) -> None:
    """As before; with the last comm the kernel is as it was. Thread: the main one."""
    _receivers.pop(comm_id, None)
    stream: Any = getattr(kernel, "shell_stream", None)
    reader = getattr(stream, "_recv_callback", None)
    if not _receivers and isinstance(reader, _Reader):
        stream._recv_callback = reader.callback
        journal.do_meanwhile(None)


class _Reader:
    """Stands in front of what the kernel does with each message that arrives on the shell channel."""

    def __init__(self, kernel: Any, callback: Callable[[Any], Any]) -> None:
        self._kernel = kernel
        self.callback = callback

    def __call__(self, frames: Any) -> Any:
        try:
            for receive, request in self._requests(frames):
                receive(request)
        except Exception:  # an error of ours must not keep the message from the kernel
            self._kernel.log.exception("nbserver: a request could not be read ahead")
        return self.callback(frames)

    def _requests(self, frames: Any) -> Iterator[tuple[Receive, dict[str, Any]]]:
        """The request in a message, if there is one, and who is to be given it."""
        session = self._kernel.session
        _, parts = session.feed_identities(frames, copy=False)
        if len(parts) < 2 or _COMM not in parts[1].bytes:
            return
        try:
            message = session.deserialize(parts, content=False, copy=False)  # checks the signature, and keeps none
            content = session.unpack(message["content"])
            receive = _receivers.get(content["comm_id"])
            request = content["data"]["content"] if content["data"]["method"] == "custom" else None
        except Exception:
            return  # no request of ours: what is wrong with it, the kernel says when its turn comes
        if receive is not None and isinstance(request, dict) and not message["header"].get("subshell_id"):
            yield receive, request
