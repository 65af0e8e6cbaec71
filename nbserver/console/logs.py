"""What a thread with a console logs or is warned of stands in its transcript, and reaches those who listen as ever.

In place while routing is (see `nbserver.console.routing`). Handlers of the ``logging`` module that were set up in a
cell write to their own places, whatever thread logs. One that a program or a server's handler made for itself on
``sys.stderr`` writes to the console of the thread that logs, in its own format, in place of ours. What goes wrong in
them is told in the console, too. Threads without a console log as if nothing were here.
"""

from __future__ import annotations

import logging
import reprlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .. import context
from .console import Console
from .routing import Patches, RoutedStream, also, routed

_formatter = logging.Formatter()


def _routed_call_handlers(original: Callable[..., None]) -> Callable[..., None]:
    """The step of a logger that hands a record, which has passed its level and its filters, to the handlers."""

    def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:
        owner = context.owner()
        if owner is None:
            return original(self, record)
        handlers = list(_handlers_of(self))
        # What a handler logs while it handles a record is its own affair; but what nobody else hears is not lost.
        is_own_affair = handlers and context.current() is None
        if not (is_own_affair or any(_writes_to_console(handler, record) for handler in handlers)):
            _write_line(owner, _text(record))
        with context.aside():
            return original(self, record)

    return routed(callHandlers, original)


def _handlers_of(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    """The handlers that hear what `logger` logs, whatever their levels."""
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _is_not_in_a_console(record: logging.LogRecord) -> bool:
    """A filter for the last resort, which prints on stderr what no handler hears: the console has it already."""
    return context.owner() is None


def _writes_to_console(handler: logging.Handler, record: logging.LogRecord) -> bool:
    return isinstance(getattr(handler, "stream", None), _ConsoleStream) and record.levelno >= handler.level


def _text(record: logging.LogRecord) -> str:
    """``WARNING my.logger: text``, with its traceback. Leaves no trace in the record, which others format, too."""
    try:
        message = record.getMessage()
    except Exception as error:  # "%d" % "x": said in a line; the handlers of the user's tell it at length
        message = f"{reprlib.repr(record.msg)} does not take {reprlib.repr(record.args)} ({type(error).__name__})"
    lines = [f"{record.levelname} {record.name}: {message}"]
    if record.exc_info and record.exc_info[0]:
        lines.append(_formatter.formatException(record.exc_info))
    if record.stack_info:
        lines.append(record.stack_info)
    return "\n".join(lines)


def _write_line(owner: context.Speaker, text: str) -> None:
    if isinstance(owner, Console):
        owner.flush()  # a line of its own, even after print("…", end="")
    owner.write(text + "\n")


def _routed_handle_error(original: Callable[..., None]) -> Callable[..., None]:
    """What a handler does whose own work failed: it prints on stderr."""

    def handleError(self: logging.Handler, record: logging.LogRecord) -> None:
        owner = context.owner()
        if owner is None:
            return original(self, record)
        with context.speaking_to(owner):
            return original(self, record)

    return routed(handleError, original)


class _ConsoleStream:
    """What a `logging.StreamHandler` writes to that was made on ``sys.stderr`` in a thread with a console."""

    def __init__(self, base: RoutedStream) -> None:
        self._base = base

    def write(self, text: str) -> Any:
        owner = context.owner()
        return self._base.write(text) if owner is None else owner.write(text)

    def flush(self) -> None:
        if context.owner() is None:
            self._base.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_base"], name)


def _routed_stream_handler(original: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, stream: Any = None) -> None:
        original(self, stream)
        if isinstance(self.stream, RoutedStream) and context.current() is not None:
            self.stream = _ConsoleStream(self.stream)

    return routed(__init__, original)


def _routed_show_warning(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """The step of the ``warnings`` module that shows a warning which no filter has dropped."""

    def _showwarnmsg(msg: Any) -> None:
        owner = context.owner()
        if owner is None:
            return original(msg)
        if _goes_to_stderr(original):
            with context.speaking_to(owner):
                return original(msg)
        text = warnings.formatwarning(msg.message, msg.category, msg.filename, msg.lineno, msg.line)
        _write_line(owner, text.rstrip("\n"))
        with context.aside():
            return original(msg)

    return routed(_showwarnmsg, original)


def _goes_to_stderr(original: Callable[[Any], None]) -> bool:
    """Whether warnings are printed on stderr, which is routed; else somebody listens to them."""
    # `logging.captureWarnings` and people replace the first, `warnings.catch_warnings` the second.
    ways = (warnings.showwarning, warnings._showwarnmsg_impl)  # type: ignore[attr-defined]
    return all(getattr(way, "__module__", None) == original.__module__ for way in ways)


_patches = Patches()
_last_resorts: list[logging.Handler] = []


def _install() -> None:
    _patches.put(logging.Logger, "callHandlers", _routed_call_handlers)
    _patches.put(logging.Handler, "handleError", _routed_handle_error)
    _patches.put(logging.StreamHandler, "__init__", _routed_stream_handler)
    # Not `showwarning`, which everybody replaces and puts back, so that ours would be lost, or stay.
    if hasattr(warnings, "_showwarnmsg"):
        _patches.put(warnings, "_showwarnmsg", _routed_show_warning)
    if logging.lastResort is not None:
        _last_resorts.append(logging.lastResort)
        logging.lastResort.addFilter(_is_not_in_a_console)


def _undo() -> None:
    _patches.undo()
    while _last_resorts:
        _last_resorts[-1].removeFilter(_is_not_in_a_console)
        _last_resorts.pop()


also(_install, _undo)
