"""What a lesson sees of a connection and of a server, and does to them: their calls, slow motion, bytes and faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ..teach import Splitter
from . import inspector
from .callchain import chain_of
from .ruler import ruler_of
from .shared import SharedData, shared_names
from .slowmotion import wait_held
from .standing import Standing

if TYPE_CHECKING:
    from ..teach import Ruler
    from ..teach.callchain import Chain
    from .connection import Connection
    from .faults import Faults
    from .lens import Lens
    from .observation import Observation
    from .steps import Lane


class ConnectionInLessons(Standing):
    """What a `Connection` shows in a lesson, and lets be done to it. Thread: any."""

    __slots__ = ()

    lane: Lane
    _handler: Callable[[], Any]

    @property
    def handler(self) -> Any:
        """The object that handles it, or handled it last (UDP); None before there is one, and once it is gone."""
        return self._handler()

    @property
    def served_by(self) -> Any:
        """The ``socketserver`` object that serves it; None once that is gone."""
        return self._observation.server

    def inspect(self) -> inspector.Inspection:
        """What ``self`` holds inside its handler: ``self.server``, ``self.request``, ``self.client_address``, the rest.

        Nothing of the handler's own code runs for it, no ``repr()`` and no property. Thread: any.
        """
        return inspector.inspect(_whole(self))

    @property
    def call_chain(self) -> Chain:
        """The calls by which it is served, with the class that supplies each: ``print(server[1].call_chain)``.

        Of a UDP peer those of its last datagram. While more than a thousand clients come in a second, those of so many
        are noted, and of the others its ``is_noted`` is False. Thread: any.
        """
        return chain_of(self._observation, _whole(self))

    def slow_motion(self, is_on: bool = True) -> None:
        """Hold it before each call of its chain, until `next`; or let it go on. The others go on all the same.

        Thread: any.
        """
        slow = self._observation.slow_motion
        if is_on:
            _whole(self).note_from_here()
            slow.begin(self.lane.all())
        elif slow.is_used:
            slow.leave(self.lane.all())

    def next(self, timeout: float = 1.0) -> str:
        """In slow motion: let the call be made that it is held before; returns its name, such as ``"handle"``.

        Args:
            timeout: How long to wait until it is held, in seconds.

        Raises:
            NotHeard: It was not held in time: it is inside a call, such as ``handle()``, or has ended.

        Thread: any.
        """
        return self._observation.slow_motion.next(self.lane.all, timeout)[self.number]

    @property
    def held(self) -> str:
        """In slow motion: the call that it is held before, such as ``"handle"``; or ""."""
        return self._observation.slow_motion.step_of(self.lane.all())

    @property
    def is_slow(self) -> bool:
        """Whether it is in slow motion."""
        return self._observation.slow_motion.is_slow(self.lane)

    def wait_held(self, timeout: float) -> str:
        """In slow motion: wait until it is held, and say before which call.

        Args:
            timeout: In seconds.

        Raises:
            NotHeard: It was not in time.

        Thread: any.
        """
        return str(wait_held(self._journal, lambda: self.held, timeout))

    def ruler(self, encoding: str = "utf-8", patience: float = 1.1) -> Ruler:
        """What each end sent and received, aligned by byte: ``print(connection.ruler())`` draws it.

        Args:
            encoding: How characters are read: which a piece cuts in two depends on it.
            patience: How long to wait for a lens that is a function, in seconds; it gives up after 1.

        Raises:
            LookupError: There is no such encoding.

        Thread: any.
        """
        return ruler_of(_whole(self), encoding, patience)

    @property
    def lens(self) -> Lens:
        """Its server's lens: where messages begin and end."""
        return self._observation.lens

    @property
    def faults(self) -> Faults:
        """What goes wrong here on purpose: ``connection.faults.add("delay", seconds=0.5)``."""
        return self._observation.lab.of(_whole(self))


def _whole(part: ConnectionInLessons) -> Connection:
    return cast("Connection", part)  # a base class of nothing else


class ServerInLessons:
    """What a `Server` shows in a lesson, and lets be done to it. Thread: any.

    In slow motion each call of each connection's chain waits for `next`. The accept loop is held, too: those who
    connect meanwhile wait in the backlog.
    """

    base: Any
    observation: Observation

    @property
    def call_chain(self) -> Chain:
        """How it was made, and what will be called for its next client; that of a connection is its ``call_chain``."""
        return chain_of(self.observation)

    def slow_motion(self, is_on: bool = True) -> None:
        """Hold all connections, those to come included, before each call; or let all go on.

        For one connection alone there is `Connection.slow_motion`. Stopping the server ends it.
        """
        slow = self.observation.slow_motion
        for connection in self.observation.live:
            if is_on:
                connection.note_from_here()
            for lane in connection.lane.all():
                lane.is_slow = None  # as all are
        if is_on:
            slow.begin()
        else:
            slow.leave()

    def next(self, number: int | None = None, timeout: float = 1.0) -> dict[int, str]:
        """Let the calls be made that connections are held before: of all, or of one.

        Args:
            number: Of the connection; 0 is the accept loop, while it is held before it has accepted a client.
            timeout: How long to wait until one is held, in seconds.

        Returns:
            Which calls are made now, by the connection's number: ``{1: "handle"}``.

        Raises:
            NotHeard: None was held in time.
        """
        slow = self.observation.slow_motion
        return slow.next(lambda: None if number is None else slow.of_number(number), timeout)

    @property
    def held(self) -> dict[int, str]:
        """Before which call each connection is held, by its number; 0 is the accept loop, for its next client."""
        return self.observation.slow_motion.held

    @property
    def is_slow(self) -> bool:
        """Whether all connections are in slow motion, those to come included."""
        return self.observation.slow_motion.is_on

    def wait_held(self, timeout: float, number: int | None = None) -> dict[int, str]:
        """Wait until a call is held, any or one of connection `number`; returns all that are held then, as `held`.

        Args:
            timeout: In seconds.
            number: As for `next`.

        Raises:
            NotHeard: None was in time.
        """

        def held() -> dict[int, str]:
            found = self.held
            return found if number is None or number in found else {}

        found: dict[int, str] = wait_held(self.observation.journal, held, timeout)
        return found

    def lens(self, how: str | Splitter) -> None:
        """Look for messages in what goes by: the byte ruler, and `Connection.ruler`, show where each begins and ends.

        Args:
            how: ``"raw"`` (none), ``"line"``, ``"length1"``, ``"length2big"``, ``"length2little"``, ``"length4big"``,
                ``"length4little"`` (the message's length in front of it); or a function that is given the bytes so far
                and gives the lengths of the messages in them. It runs in a thread of its own, a second at most; what it
                raises is shown.

        Raises:
            UsageError: There is no such lens.

        Thread: any.
        """
        self.observation.lens.choose(how)

    @property
    def faults(self) -> Faults:
        """What goes wrong here on purpose, for all connections: ``server.faults.add("delay", seconds=0.5)``."""
        return self.observation.lab.of(None)

    @property
    def shared(self) -> SharedData | None:
        """What `Server.watch_shared` has seen of a name that handlers share; None if nobody has asked."""
        return self.observation.shared

    @property
    def shared_names(self) -> list[str]:
        """What handlers may share, by the names that `Server.watch_shared` takes."""
        return shared_names(self.base)

    def watch_shared(self, name: str) -> SharedData:
        """Watch what the handlers do with something that they share, in place of what was watched before.

        While it is watched, their threads run slower: each line of a function that mentions it is looked at. Those that
        are being served already are seen from their next connection on.

        Args:
            name: A global, such as ``"count"``; or an attribute, such as ``"server.users"``. `shared_names` lists some.

        Returns:
            What is seen of it, printable: ``spans``, ``races`` and ``waits``; its ``stop()`` ends the watch.

        Raises:
            UsageError: That is no name.
        """
        watch = SharedData(name, self.base)
        self._unwatch_shared()
        self.observation.shared = watch
        return watch

    def _unwatch_shared(self) -> None:
        if self.observation.shared is not None:
            self.observation.shared.stop()
