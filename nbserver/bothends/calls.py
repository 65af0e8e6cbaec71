"""In which call a thread waits, and on what: for its peer, for a person, for a lock, another thread, or the time."""

from __future__ import annotations

import os
import socket
from enum import Enum
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..console import Console
from ..console.tap import TappedSocket
from ..net.slowmotion import SlowMotion
from ..net.sockets import ObservedSocket, Seen
from ..teach import is_students, stacks
from .threads import Worker


class Why(str, Enum):
    """What a thread waits for."""

    RECEIVE = "receive"  # in recv(): for what its peer sends
    SEND = "send"  # in send(): until its peer reads
    CONNECT = "connect"  # until the other machine answers
    PERSON = "person"  # in input(): for you
    HELD = "held"  # in slow motion, before a call: for you, who say "next"
    CLIENT = "client"  # in accept() or select(): for the next client
    LOCK = "lock"
    THREAD = "thread"  # in join(): for another thread's end
    QUEUE = "queue"
    EVENT = "event"
    TIME = "time"  # in sleep()
    SERVE = "serve"  # an accept loop serves a connection itself
    NOTHING = "nothing"  # it runs


class Call(NamedTuple):
    """A call that may wait.

    Attributes:
        name: How it is called: ``recv``; "" while the thread runs Python.
        why: What it waits for.
        on: The `Connection`, socket, console, lock or thread that it was called on, or None if that is not known.
        size: Of a call that sends, how much it was given, in bytes; 0 if that is not known.
    """

    name: str
    why: Why
    on: Any = None
    size: int = 0


_R, _S = Why.RECEIVE, Why.SEND
# Methods of sockets, and what they wait for.
_SOCKETS = dict.fromkeys(("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "read"), _R)
_SOCKETS |= dict.fromkeys(("send", "sendall", "sendto", "sendmsg", "sendfile", "write"), _S)
_SOCKETS |= {"connect": Why.CONNECT, "accept": Why.CLIENT, "do_handshake": _R}

# Functions of ours that are in front of the system's, by their code; what they call the socket, and what is sent.
_OURS: dict[CodeType, tuple[str, Why]] = {
    getattr(cls, name).__code__: (name, _SOCKETS[name])
    for cls in (Seen, ObservedSocket, TappedSocket)
    for name in _SOCKETS
    if hasattr(vars(cls).get(name), "__code__")
}

# Functions of the standard library, by file and name, and what they call what they wait on.
_LIBRARY: dict[tuple[str, str], tuple[str, Why, str]] = {
    ("queue.py", "get"): ("get", Why.QUEUE, ""),
    ("queue.py", "put"): ("put", Why.QUEUE, ""),
    ("queue.py", "join"): ("join", Why.QUEUE, ""),
    ("threading.py", "join"): ("join", Why.THREAD, "self"),
    ("threading.py", "wait"): ("wait", Why.EVENT, ""),
    ("threading.py", "wait_for"): ("wait_for", Why.EVENT, ""),
    ("threading.py", "acquire"): ("acquire", Why.LOCK, ""),
    ("_base.py", "result"): ("result", Why.THREAD, ""),
    ("socket.py", "accept"): ("accept", Why.CLIENT, "self"),
    ("socket.py", "create_connection"): ("connect", Why.CONNECT, ""),
    ("socket.py", "readinto"): ("recv", _R, "self._sock"),
    ("selectors.py", "select"): ("select", Why.CLIENT, ""),
    ("ssl.py", "recv"): ("recv", _R, "self"),
    ("ssl.py", "read"): ("recv", _R, "self"),
    ("ssl.py", "send"): ("send", _S, "self"),
    ("ssl.py", "sendall"): ("sendall", _S, "self"),
    ("connects.py", "_connect"): ("connect", Why.CONNECT, "self"),
}

# Functions written in C, by the name that they are called by; what they are called on must be one of theirs.
_IN_C: dict[str, Why] = {**_SOCKETS, "sleep": Why.TIME, "acquire": Why.LOCK, "__enter__": Why.LOCK, "get": Why.QUEUE}
_IN_C |= {"select": Why.CLIENT, "poll": Why.CLIENT}
_LOCKS = ("lock", "RLock")
_COMMON = ("get", "read", "write", "acquire", "__enter__", "select", "poll")  # names that many classes know
_NOTHING = Call("", Why.NOTHING)


def call_of(worker: Worker) -> Call:
    """The call that a thread waits in."""
    # The outermost first, which is what the student has called: Queue.get() waits in a lock of its own.
    for frame in reversed(worker.frames):
        found = _python_call(frame)
        if found is not None:
            return found
    return _c_call(worker.frames[0]) if worker.frames else _NOTHING


def _python_call(frame: FrameType) -> Call | None:
    code = frame.f_code
    if code is Console.ask.__code__:
        return Call("input", Why.PERSON, frame.f_locals.get("self"))
    if code is SlowMotion.hold.__code__:
        return Call(str(frame.f_locals.get("step", "")), Why.HELD)
    if code in _OURS:
        name, why = _OURS[code]
        return Call(name, why, *_observed(frame, why))
    known = _library_call(code)
    if known is None:
        return None
    name, why, on = known
    return Call(name, why, stacks.value_of(frame, tuple(on.split("."))) if on else None)


@lru_cache(maxsize=1024)
def _library_call(code: CodeType) -> tuple[str, Why, str] | None:
    """What a function of the standard library is, if it is one of those that wait."""
    known = _LIBRARY.get((os.path.basename(code.co_filename), code.co_name))
    return None if is_students(code.co_filename) else known


def _observed(frame: FrameType, why: Why) -> tuple[Any, int]:
    """The connection whose socket is used, or a client's socket; and how much it is given to send."""
    local = frame.f_locals
    data = local.get("data") if why is _S else None
    size = len(data) if isinstance(data, (bytes, bytearray, memoryview)) else 0
    sock = local.get("self")
    return getattr(sock, "connection", sock), size


def _c_call(frame: FrameType) -> Call:
    """The function of C that a frame is in, if it is one that may wait."""
    called = stacks.call_in(frame)
    why = _IN_C.get(called.name, Why.NOTHING)
    on = stacks.value_of(frame, called.on) if why is not Why.NOTHING else None
    if why is Why.NOTHING or not _fits(called.name, why, on):
        return _NOTHING
    return Call("acquire" if called.name == "__enter__" else called.name, why, on)


def _fits(name: str, why: Why, on: Any) -> bool:
    """Whether a method of this name that is called on `on` is the one that waits so, and none of another class."""
    if on is None:
        return name not in _COMMON
    if why is Why.LOCK:
        return type(on).__name__ in _LOCKS
    if why is Why.QUEUE:
        return type(on).__name__ == "SimpleQueue"
    return name not in _SOCKETS or issubclass(type(on), socket.socket)
