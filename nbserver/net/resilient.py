"""The accept loop and the handlers' threads of ``socketserver``, hardened; its hooks are kept, by name and in order.

These classes are put *below* the user's class in the method resolution order and above the standard library's (see
`nbserver.net.observed`), so a hook that a user overrides is found first, and its ``super()`` finds these.

The defects that this mends are listed in CONTRIBUTING.md.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import select
import selectors
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from .. import context, teach
from .steps import ACCEPTED, ACCEPTS, FINISHES, PROCESSES, RAISED, RETURNED, Lane, here, now, run_handler

if TYPE_CHECKING:
    from .slowmotion import SlowMotion

_CAPACITY = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_FATAL = {errno.EBADF, errno.EINVAL, errno.ENOTSOCK}
# accept() gives an error of the network that waits on the new connection, too: that client is gone, and nothing else is
# wrong.
_CLIENT_IS_GONE = {
    getattr(errno, name, 0)
    for name in (
        "EAGAIN",
        "EWOULDBLOCK",
        "EINTR",
        "ECONNABORTED",
        "ECONNRESET",
        "EPROTO",
        "ENOPROTOOPT",
        "EOPNOTSUPP",
        "EPERM",
        "ENETDOWN",
        "ENETUNREACH",
        "EHOSTDOWN",
        "EHOSTUNREACH",
        "ENONET",
        "ETIMEDOUT",
    )
}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 1.0  # seconds; doubling, as Go's net/http does
_ERROR_PAUSE = 0.05  # seconds; a hook that raises before it accepts would spin


class Loop:
    """The state of one accept loop: who runs it, whether it shall stop, and how to wake it."""

    def __init__(self) -> None:
        # Reentrant, because a signal handler or a __del__ may call shutdown() in a thread that holds it.
        self.lock = threading.RLock()
        self.thread: threading.Thread | None = None
        self.is_done = threading.Event()
        self.is_done.set()
        self.stop = False
        self.is_closed = False  # server_close() was called
        self.paused_until = 0.0  # on the monotonic clock; no connection is accepted before, after a lack of resources
        # Plain stores at each turn, so that others may read what the loop does; nobody waits for them.
        self.is_selecting = False
        self.serving: Any = None  # the connection that this very thread serves
        self._waker: socket.socket | None = None
        self._opened: list[Any] = []  # by the one who runs it

    def begin(self) -> bool:
        """Take the loop for this thread; False if it was told to stop before it began.

        Raises:
            RuntimeError: Another thread runs it.
        """
        with self.lock:
            if self.thread is not None:
                raise RuntimeError("this server is being served already")
            if self.stop:
                self.stop = False
                return False
            self.thread = threading.current_thread()
            self.is_selecting = True  # as good as: nothing is done for anybody before it does
            self.is_done.clear()
            return True

    def pause(self) -> float:
        """How long no connection is to be accepted from now on, in seconds."""
        return max(0.0, self.paused_until - time.monotonic()) if self.paused_until else 0.0

    def end(self) -> None:
        """Give the loop back."""
        with self.lock:
            self.thread, self.stop, self.paused_until = None, False, 0.0
            self.is_selecting, self.serving = False, None
        self.is_done.set()

    @contextlib.contextmanager
    def woken_by(self, selector: selectors.BaseSelector) -> Any:
        """Let `wake` end a wait in `selector`; gives the socket that is read then."""
        reader, writer = socket.socketpair()
        with reader, writer:
            reader.setblocking(False)
            writer.setblocking(False)
            selector.register(reader, selectors.EVENT_READ)
            self._opened = [selector, reader, writer]
            with self.lock:
                self._waker = writer
            try:
                yield reader
            finally:
                with self.lock:
                    self._waker, self._opened = None, []

    def wake(self) -> None:
        """Let the loop look again. Thread: any."""
        with self.lock:
            if self._waker is not None:
                with contextlib.suppress(BlockingIOError):  # it has been woken many times over already
                    self._waker.send(b"\0")

    def after_fork(self) -> None:
        """In a forked child: nobody runs it. What it opened is the parent's, too: that is closed, and nothing else."""
        self.lock, self.is_done = threading.RLock(), threading.Event()
        self.is_done.set()
        self.thread, self._waker = None, None
        self.stop = self.is_closed = True
        for opened in self._opened:
            opened.close()


@teach.hide
class ResilientLoop(socketserver.BaseServer):
    """``serve_forever`` and what it calls, for a process that must go on.

    Call: as `socketserver.BaseServer`; ``shutdown()`` may be called in any state, from any thread, any number of times.
    """

    socket: Any
    observation: Any  # of the observer above
    _enters = FINISHES  # what a thread has called when it comes to finish_request()
    _BaseServer__shutdown_request: bool

    @property
    def _loop(self) -> Loop:
        # Not made in __init__: a server that is observed after it was made never ran ours.
        try:
            return vars(self)["_nbserver_loop"]  # type: ignore[no-any-return]
        except KeyError:
            loop: Loop = vars(self).setdefault("_nbserver_loop", Loop())
            # A class may call BaseServer.shutdown(self), past ours: it waits for this event, which we set.
            vars(self)["_BaseServer__is_shut_down"] = loop.is_done
            return loop

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Accept until `shutdown`; ``service_actions`` is called at least every `poll_interval` seconds.

        Unlike the standard library's: `shutdown` ends it at once, a lack of descriptors pauses it, an error in a hook
        does not end it.
        """
        loop = self._loop
        if not loop.begin():
            self._BaseServer__shutdown_request = False
            return
        try:
            with selectors.DefaultSelector() as selector, loop.woken_by(selector) as waker, self._not_blocking():
                self._begins()
                self._serve(loop, selector, waker, poll_interval)
        finally:
            self._BaseServer__shutdown_request = False
            loop.end()

    def _is_told_to_stop(self) -> bool:
        return self._loop.stop or self._BaseServer__shutdown_request

    def _tell_to_stop(self) -> None:
        """Tell it to our loop, and to the standard library's own, if a class has called that by name past ours."""
        with self._loop.lock:
            self._loop.stop = self._BaseServer__shutdown_request = True
        self.observation.slow_motion.end()
        self._loop.wake()

    def _serve(self, loop: Loop, selector: selectors.BaseSelector, waker: socket.socket, poll_interval: float) -> None:
        is_listening = False
        while not self._is_told_to_stop():
            # Full, or short of something: those who connect wait in the backlog, which costs nothing.
            pause = loop.pause()
            wanted = not pause and self._has_room()
            if wanted != is_listening:
                is_listening = wanted
                if wanted:
                    selector.register(self, selectors.EVENT_READ)  # type: ignore[arg-type]
                else:
                    selector.unregister(self)  # type: ignore[arg-type]
            loop.serving, loop.is_selecting = None, True
            ready = selector.select(min(pause, poll_interval) if pause else poll_interval)
            loop.is_selecting = False
            if self._is_told_to_stop():
                break
            for key, _ in ready:
                if key.fd == waker.fileno():
                    waker.recv(4096)
                    self._woken()
                else:
                    self._guarded(self._handle_request_noblock)
            self._guarded(self.service_actions)

    def _guarded(self, step: Callable[[], None]) -> None:
        """One step of the loop; an error in it is told, and the loop goes on."""
        try:
            step()
        except Exception as error:
            self._trouble(f"{step.__name__.lstrip('_')}: {type(error).__name__}: {error}")
        except BaseException as error:
            # In the main thread this is Ctrl-C or exit(), which mean the program. In a thread of ours they mean this
            # client.
            if threading.current_thread() is threading.main_thread():
                raise
            self._trouble(f"{step.__name__.lstrip('_')}: {type(error).__name__}")

    def _handle_request_noblock(self) -> None:
        slow: SlowMotion = self.observation.slow_motion
        lane = here.lane = self.observation.lanes.next(here.name)
        if slow.is_used:
            lane.mark(ACCEPTS)
        else:
            lane += (ACCEPTS, now())
        try:
            request, client_address = self.get_request()
        except BaseException as error:
            here.lane = None
            if not isinstance(error, OSError):
                self._loop.paused_until = time.monotonic() + _ERROR_PAUSE
                raise
            self._accept_failed(error)
            return
        lane += (RETURNED, now())
        self._failures = 0
        if not self._turn_away(request, client_address):
            self._process(self._begin(request, client_address), client_address, lane)

    def _process(self, request: Any, client_address: Any, lane: Lane) -> None:
        previous = self._speak_to(request, client_address)
        slow = lane.slow
        try:
            if slow.is_used:
                lane.begin("verify_request")
            else:
                lane += ("verify_request", now())
            if self.verify_request(request, client_address):
                if slow.is_used:
                    lane.mark(PROCESSES)
                else:
                    lane += (PROCESSES, now())
                self.process_request(request, client_address)
            else:
                lane.end()
                self._refused(request, client_address)
                self.shutdown_request(request)
        except Exception as error:
            if not lane.first:
                lane.end(RAISED)
            self._failed(request, client_address, error)
            try:
                self.handle_error(request, client_address)
            finally:
                self.shutdown_request(request)
        except BaseException:
            if not lane.first:
                lane.end(RAISED)
            self.shutdown_request(request)
            raise
        finally:
            if not lane.first:  # else another thread goes on with it
                lane += (ACCEPTED, now())
            here.lane = None
            context.enter(previous)

    _failures = 0

    def _accept_failed(self, error: OSError) -> None:
        """Tell a client that went away before it was accepted from a machine that has no descriptors left."""
        if error.errno in _FATAL or _is_hung_up(self.socket):
            self._loop.stop = True
            self._trouble(f"the listening socket is gone: {error}")
        elif error.errno in _CAPACITY:
            # The listener stays readable, so without a pause this would spin on a whole core and say nothing.
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._loop.paused_until = time.monotonic() + pause
            self._trouble(f"cannot accept: {error.strerror}; trying again in {pause:g} s")
        elif error.errno not in _CLIENT_IS_GONE and not isinstance(error, (BlockingIOError, ConnectionError)):
            self._loop.paused_until = time.monotonic() + _ERROR_PAUSE
            self._trouble(f"get_request: {type(error).__name__}: {error}")

    def shutdown(self) -> None:
        """End `serve_forever`, and wait for its end unless this is its own thread."""
        if sys.is_finalizing():
            return  # Python has frozen the daemon threads: the loop goes on no more, and may hold its lock for ever
        loop = self._loop
        self._tell_to_stop()
        with loop.lock:
            is_own, is_running = loop.thread is threading.current_thread(), loop.thread is not None
        if is_running and not is_own:
            loop.is_done.wait()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """As the standard library's; the observer is shown the handler before its ``__init__`` begins."""
        made: Any = self.RequestHandlerClass
        args: tuple[Any, ...] = (request, client_address, self)
        kwargs: dict[str, Any] = {}
        if type(made) is functools.partial:  # as in partial(SimpleHTTPRequestHandler, directory=…)
            args, kwargs, made = (*made.args, *args), made.keywords, made.func
        if not isinstance(made, type) or type(made).__call__ is not type.__call__:
            made(*args, **kwargs)
            return
        handler: Any = made.__new__(made, *args, **kwargs)
        if isinstance(handler, made):
            self._made(handler)
            run_handler(handler, cast(Lane, here.lane), args, kwargs)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do nothing: the traceback is in the journal. Printed, it would land in whichever cell ran last."""

    @contextlib.contextmanager
    def _not_blocking(self) -> Any:
        """Let ``accept`` return when the client has gone again; a datagram socket answers handlers, so it stays."""
        if getattr(self, "socket_type", None) != socket.SOCK_STREAM:
            yield
            return
        timeout = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            yield
        finally:
            if self.socket.fileno() >= 0:
                self.socket.settimeout(timeout)

    def _is_datagram(self) -> bool:
        return getattr(self, "socket_type", None) == socket.SOCK_DGRAM

    # ── for the observer above ──

    def _begins(self) -> None:
        pass

    def _woken(self) -> None:
        pass

    def _has_room(self) -> bool:
        return True

    def _turn_away(self, request: Any, client_address: Any) -> bool:
        return False

    def _begin(self, request: Any, client_address: Any) -> Any:
        return request

    def _refused(self, request: Any, client_address: Any) -> None:
        pass

    def _speak_to(self, request: Any, client_address: Any) -> context.Speaker | None:
        return None

    def _made(self, handler: Any) -> None:
        pass

    def _failed(self, request: Any, client_address: Any, error: BaseException) -> None:
        pass

    def _trouble(self, text: str) -> None:
        pass


def _is_hung_up(listener: Any) -> bool:
    """Whether a listener was shut down: a Unix one that does not block says EAGAIN for ever, and is ready for ever."""
    if not isinstance(listener, socket.socket) or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(listener, 0)
    return any(flags & select.POLLHUP for _, flags in poll.poll(0))
