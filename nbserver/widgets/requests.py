"""What a view may ask for: a fixed list, each checked for its shape and its meaning before anything is done.

Whatever comes from a page is a stranger's: a name that is not in the list, a text that is too long, or a number that
is none is refused and counted, and nothing else happens.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeGuard

from ..console import Program
from ..errors import ConnectionEnded, NbserverError, NotHeard, UsageError
from ..fleet import Client, Fleet, Target, enlist
from ..net import LONGEST, Connection, Fault, Rule, Server, find
from ..teach import LENSES

_LONGEST = 65_536  # characters in one reply
_LONGEST_RID = 64
_PATIENCE = 0.2  # seconds for a client that does not read
# Connect, send to many, read all transcripts, tell all connections, wait for handlers and programs.
_SLOW = (
    *("add_client", "add_fault", "broadcast", "close_clients", "find", "run_client", "run_clients", "stop"),
    *("undo_fault", "undo_faults"),
)
_MANY = 10_000  # connections that one request may name
_FOUND = 1_000  # connections that one answer names
_FIND_SECONDS = 1.0
_VALUES = 8  # of one fault

Request = dict[str, Any]
Ack = dict[str, Any]


class Refused(UsageError):
    """A request that no view of ours would send."""


class Desk:
    """Carries out what the views of one hub ask for.

    Attributes:
        refused: How many requests came that no view of ours would send.

    Thread: any; several at once.
    """

    def __init__(self, server: Server | None, fleet: Fleet) -> None:
        self._server = server
        self._fleet = fleet
        self.refused = 0
        self._counting = threading.Lock()  # requests come in several threads
        self._finding = threading.Lock()  # held while transcripts are searched: one search at a time
        self._actions: dict[str, Callable[[Request], Ack | None]] = {
            "reply": lambda r: self._connection(r).reply(_text(r), _number(r, "ask"), timeout=_PATIENCE),
            "send": lambda r: self._connection(r).send(_hex(r), timeout=_PATIENCE),
            "broadcast": self._broadcast,
            "find": self._find,
            "disconnect": lambda r: self._each(r, Connection.close),
            "reset": lambda r: self._each(r, Connection.reset),
            "half_close": lambda r: self._each(r, Connection.half_close),
            "add_fault": self._add_fault,
            "undo_fault": lambda r: self._fault(r).undo(),
            "undo_faults": lambda r: self._server_here().faults.clear(),
            "input": self._input,
            "close_client": lambda r: self._client(r).close(),
            "end_input": lambda r: self._client(r).end_input(),
            "run_client": lambda r: self._client(r).run_again(),
            "run_clients": lambda r: self._clients().run_again(),
            "close_clients": lambda r: self._clients().close(),
            "add_client": self._add_client,
            "add_rule": self._add_rule,
            "change_rule": self._change_rule,
            "remove_rule": lambda r: self._server_here().rules.remove(self._rule(r)),
            "save_reply": lambda r: self._server_here().saved_replies.add(_short_text(r, "text")),
            "forget_reply": lambda r: self._server_here().saved_replies.remove(_short_text(r, "text")),
            "slow_motion": self._slow_motion,
            "next": self._next,
            "lens": self._lens,
            "watch_shared": self._watch_shared,
            "stop": self._stop,
        }

    def do(self, request: Request, done: Callable[[Ack], None]) -> None:
        """Carry out one request; `done` is given its acknowledgement, also of a refusal, maybe in another thread.

        Does not block: what may take long has a thread of its own, since this one may be the kernel's control thread.
        """
        if request.get("do") not in _SLOW and "connections" not in request:
            done(self.carry_out(request))
            return
        name = f"nbserver-{request['do']}"
        thread = threading.Thread(target=lambda: done(self.carry_out(request)), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            done({"rid": rid_of(request), "ok": False, "code": "refused", "error": f"no thread for it: {error}"})

    def carry_out(self, request: Request) -> Ack:
        """Carry out one request, however long it takes; returns its acknowledgement."""
        ack: Ack = {"rid": rid_of(request), "ok": True}
        try:
            ack.update(self._action(request)(request) or {})
        except NbserverError as error:
            if isinstance(error, Refused):
                self.refuse()
            ack.update(ok=False, code=error.code, error=str(error))
        except (OSError, RuntimeError) as error:  # no descriptor or no thread for what was asked
            ack.update(ok=False, code="refused", error=str(error))
        return ack

    def refuse(self) -> None:
        """Count a request that no view of ours would send."""
        with self._counting:
            self.refused += 1

    def _action(self, request: Request) -> Callable[[Request], Ack | None]:
        what = request.get("do")
        action = self._actions.get(what) if isinstance(what, str) else None
        if action is None:
            raise Refused("a view asked for something that is not on the list")
        return action

    def add_client(self) -> Program:
        """One more client of this server, shown in its board; where there is none, one more like the last."""
        if self._server is None:
            return self._fleet.add_client()
        server = self._serving()
        target = target_of(server)
        client = enlist(lambda number: Client(number, target))
        client.start()
        self._fleet.add(client)
        return client

    def _broadcast(self, request: Request) -> Ack | None:
        """Tells who did not get it, and why: no refusal, since sent again it would come twice to the others."""
        to = _numbers(request, "to") if "to" in request else None
        missed = self._serving().broadcast(_text(request), to)
        return _partly("; ".join(f"#{number}: {why}" for number, why in missed.items())) if missed else None

    def _find(self, request: Request) -> Ack:
        """The numbers of the connections in whose conversations a text stands, as many as an answer may name."""
        text, found = _text(request), list[int]()
        newest_first = reversed(list(self._server_here().connections.values()))
        if not self._finding.acquire(blocking=False):
            raise UsageError("another search is under way")
        try:
            for number in find(newest_first, text, _FIND_SECONDS):
                if len(found) == _FOUND:
                    return {"found": found, **_partly(f"only the last {_FOUND} are told")}
                found.append(number)
        except TimeoutError as error:
            return {"found": found, **_partly(str(error))}
        finally:
            self._finding.release()
        return {"found": found}

    def _each(self, request: Request, act: Callable[[Connection], None]) -> None:
        """Do something to one connection, which must live; or to several, as far as they do."""
        if "connections" not in request:
            act(self._living(request))
            return
        known = self._serving().connections
        for number in _numbers(request, "connections"):
            if number in known and not known[number].is_over:
                act(known[number])

    def _input(self, request: Request) -> None:
        self._client(request).answer(_text(request), _number(request, "ask"))

    def _add_client(self, request: Request) -> None:
        self.add_client()

    def _add_rule(self, request: Request) -> None:
        contains, answer = _short_text(request, "contains"), _short_text(request, "answer")
        self._server_here().rules.add(contains, answer)

    def _change_rule(self, request: Request) -> None:
        is_on = request.get("on")
        if not isinstance(is_on, bool):
            raise Refused("a rule is on or off: true or false")
        self._rule(request).is_on = is_on

    def _slow_motion(self, request: Request) -> None:
        is_on = request.get("on")
        if not isinstance(is_on, bool):
            raise Refused("slow motion is on or off: true or false")
        if "connection" in request:
            self._living(request).slow_motion(is_on)
        else:
            self._serving().slow_motion(is_on)

    def _next(self, request: Request) -> None:
        """One step of a connection, of the accept loop (0), or of all; two clicks on one step are one."""
        number = _number(request, "connection") if "connection" in request else None
        with contextlib.suppress(NotHeard):
            self._serving().next(number, timeout=0.0)

    def _lens(self, request: Request) -> None:
        lens = request.get("lens")
        if lens not in (*LENSES, "function"):
            raise Refused("there is no such lens")
        self._server_here().lens(str(lens))

    def _watch_shared(self, request: Request) -> None:
        """Watch one of the names that the view offers; "" watches nothing any more."""
        name, server = _short_text(request, "name"), self._serving()
        if name:
            if name not in server.shared_names and (server.shared is None or name != server.shared.name):
                raise UsageError("there is no such name that the handlers share")
            server.watch_shared(name)
        elif server.shared is not None:
            server.shared.stop()

    def _add_fault(self, request: Request) -> None:
        """For all connections, or for one; names and values are checked by `Faults.add`."""
        server, values, name = self._serving(), request.get("values"), request.get("name")
        if not isinstance(values, dict) or len(values) > _VALUES or not isinstance(name, str):
            raise Refused("a fault has a name, and values by name")
        if not all(isinstance(key, str) and type(value) in (int, float) for key, value in values.items()):
            raise Refused("the values of a fault are numbers")
        if "direction" in values:
            raise Refused("the direction of a fault stands beside its values")
        faults = self._living(request).faults if _number(request, "connection") else server.faults
        faults.add(name, direction=request.get("direction"), **values)

    def _fault(self, request: Request) -> Fault:
        number = _number(request, "fault")
        found = [fault for fault in self._server_here().faults if fault.number == number]
        if not found:
            raise UsageError(f"fault {number} is not set any more")
        return found[0]

    def _stop(self, request: Request) -> None:
        self._serving().stop()

    def _rule(self, request: Request) -> Rule:
        number = _number(request, "rule")
        found = [rule for rule in self._server_here().rules if rule.number == number]
        if not found:
            raise UsageError(f"there is no rule {number} any more")
        return found[0]

    def _server_here(self) -> Server:
        """The server, which may have been stopped."""
        if self._server is None:
            raise Refused("there is no server here")
        return self._server

    def _serving(self) -> Server:
        server = self._server_here()
        if server.state.value not in ("new", "serving"):
            error = UsageError("the server has been stopped")
            error.code = "stopped"
            raise error
        return server

    def _connection(self, request: Request) -> Connection:
        number = _number(request, "connection")
        found = self._server.connections.get(number) if self._server is not None else None
        if found is None:
            raise ConnectionEnded(f"there is no connection #{number} any more")
        return found

    def _living(self, request: Request) -> Connection:
        connection = self._connection(request)
        if connection.is_over:
            raise ConnectionEnded(f"connection {connection.number} has ended: {connection.note}")
        return connection

    def _clients(self) -> Fleet:
        if not self._fleet:
            raise ConnectionEnded("there is no client here any more")
        return self._fleet

    def _client(self, request: Request) -> Any:
        number = _number(request, "client")
        program = self._server.program if self._server is not None and number == 0 else None
        found = [program] if program else [client for client in self._fleet if client.number == number]
        if not found:
            raise ConnectionEnded(f"there is no client {number} any more")
        return found[-1]


def target_of(server: Server) -> Target:
    """Where a client finds `server`. One that listens on every address is found on loopback."""
    address = server.address
    if isinstance(address, tuple):
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
        address = (everywhere.get(address[0], address[0]), address[1])
    kind = socket.SOCK_DGRAM if server.is_datagram else socket.SOCK_STREAM
    return Target(address, server.family, kind, server.access.client_context, server.token)


def rid_of(request: Request) -> str:
    """The random name that a view gives its request, to know the acknowledgement by; "" if it has none."""
    rid = request.get("rid")
    return rid if isinstance(rid, str) and len(rid) <= _LONGEST_RID and rid.isascii() else ""


def _text(request: Request) -> str:
    text = request.get("text")
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise Refused(f"a reply is a text of at most {_LONGEST} characters")
    return text


def _hex(request: Request) -> bytes:
    """The bytes that somebody wrote in hex, with blanks between them as one likes."""
    digits = request.get("hex")
    if not isinstance(digits, str) or not 0 < len(digits) <= _LONGEST:
        raise Refused(f"bytes are written in hex, with at most {_LONGEST} characters")
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise Refused("bytes in hex are pairs of the digits 0 to 9 and a to f") from error


def _short_text(request: Request, name: str) -> str:
    text = request.get(name)
    if not isinstance(text, str) or len(text) > LONGEST:
        raise Refused(f"{name!r} must be a text of at most {LONGEST} characters")
    return text


def _number(request: Request, name: str) -> int:
    number = request.get(name, 0)
    if not is_number(number):
        raise Refused(f"{name!r} must be a number")
    return number


def _numbers(request: Request, name: str) -> list[int]:
    numbers = request.get(name)
    if not isinstance(numbers, list) or len(numbers) > _MANY or not all(map(is_number, numbers)):
        raise Refused(f"{name!r} must be a list of at most {_MANY} numbers")
    return numbers


def _partly(why: str) -> Ack:
    """What is added to the acknowledgement of a request that was done in part."""
    return {"code": "partial", "error": why}


def is_number(value: Any) -> TypeGuard[int]:
    """Whether `value` is a number such as connections, clients and questions have."""
    return type(value) is int and 0 <= value < 2**53
