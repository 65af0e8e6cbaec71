"""The front door in a notebook. The same functions work in a script and in a test, where there is no board to show."""

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from . import kernel
from .bothends import Comparison
from .console import Program
from .errors import NotListening, UsageError
from .fleet import Client, Fleet, Step, Target, checked, enlist, live_clients
from .kernel import Cell, Magics, ServerProgram
from .made import end_all, end_earlier, remember
from .net import (
    Access,
    Certificate,
    Limits,
    Server,
    Zone,
    bound_to,
    listen,
    private_path,
    servers,
    stop_all,
)
from .teach import ClassMap
from .teach import explain as class_map
from .text import safe_text
from .tokens import new_token
from .widgets import panel, show_cards, shown, target_of

_LAN_LIMITS = {"max_per_peer": 20, "first_byte_seconds": 60.0}
_ACCEPTED_SECONDS = 1.0  # for how long clients() waits until a server of ours has accepted them

_magics: dict[int, Magics] = {}


def serve(
    handler: Any = None,
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    server_class: type[socketserver.BaseServer] = socketserver.ThreadingTCPServer,
    unix: bool = False,
    lan: bool = False,
    allow_public: bool = False,
    token: str | bool = "",
    tls: ssl.SSLContext | Certificate | None = None,
    snapshot: bool = True,
    **limits: Any,
) -> Server:
    """Start a server in the background; as the last expression of a cell it shows its board.

    Run again, a cell replaces the servers of its own earlier run and takes over their ports.

    Args:
        handler: A `socketserver.BaseRequestHandler` subclass, or anything that is called as one; None replies by hand.
        port: 0 takes any that is free.
        host: An address of this machine, or the path of a Unix socket with a Unix `server_class`.
        server_class: Any class built on ``socketserver``.
        unix: Listen on a Unix socket in a private folder, for this user's own programs only.
        lan: Let those in the same network connect, too: then the board shows the address to type. Unless they are
            given, ``max_per_peer`` is 20 then and ``first_byte_seconds`` 60.
        allow_public: With `lan`, let everybody connect who can reach this machine.
        token: What a client's first line must show, as ``HELLO <token>``; True makes one (``server.token``).
        tls: How to speak TLS; `nbserver.throwaway_certificate` gives one for lessons.
        snapshot: Whether the notebook keeps the conversation as text, for readers without a kernel: as it is when the
            server stops, and at each ``server.snapshot()``.
        **limits: Such as ``max_connections=200``; `nbserver.Limits` lists them.

    Raises:
        UsageError: The handler is none, the class is none, or it forks; there is no such limit; or an address of a
            network is asked for without `lan`.
        AddressError: The address cannot be bound; the message says who holds it, and what would do.
    """
    if not isinstance(host, str) or type(port) is not int:
        raise UsageError(
            "host is a text and port a number, as in serve(handler, port=8008), "
            f"not {safe_text(repr((host, port)), 80)}"
        )
    access = _access(lan, allow_public, token, tls, same_user=unix)
    _must_be_bool("snapshot", snapshot)
    most = _limits(limits, lan)
    address: Any = host if "/" in host else (host, port)
    if unix:
        is_default = server_class is socketserver.ThreadingTCPServer
        server_class = socketserver.ThreadingUnixStreamServer if is_default else server_class
        address = private_path()
    elif lan and host == "127.0.0.1":
        address = ("0.0.0.0", port)
    elif isinstance(address, tuple) and not lan and bound_to(host) is not Zone.MACHINE:
        raise UsageError(f"{safe_text(host, 80)} can be reached from the network: say lan=True if that is meant")
    cell = _begin()
    server = listen(handler, address, server_class, most, access)
    server.is_saved = snapshot
    return _present(server, cell).start()


def observe(
    base_server: socketserver.BaseServer,
    *,
    lan: bool = False,
    allow_public: bool = False,
    token: str | bool = "",
    tls: ssl.SSLContext | Certificate | None = None,
    snapshot: bool = True,
    **limits: Any,
) -> Server:
    """Observe a ``socketserver`` server that somebody else made, and serve it in the background.

    Args:
        base_server: Constructed and bound, not serving. When it is stopped it has its own class again.
        lan, allow_public, token, tls, snapshot: As for `serve`. Without `lan` only this machine's clients are let in,
            whatever the address is.
        **limits: Such as ``max_connections=200``; `nbserver.Limits` lists them.

    Raises:
        UsageError: It is no ``socketserver`` server, or one that forks; or there is no such limit.
    """
    access = _access(lan, allow_public, token, tls)
    _must_be_bool("snapshot", snapshot)
    cell = _begin()
    server = Server(base_server, _limits(limits, lan), access)
    server.is_saved = snapshot
    return _present(server, cell).start()


def _access(
    lan: bool, allow_public: bool, token: str | bool, tls: ssl.SSLContext | Certificate | None, same_user: bool = False
) -> Access:
    """Who may connect, checked before anything is bound."""
    for name, value in (("lan", lan), ("allow_public", allow_public), ("unix", same_user)):
        _must_be_bool(name, value)
    if allow_public and not lan:
        raise UsageError("allow_public=True goes with lan=True")
    if not isinstance(token, (str, bool)):
        raise UsageError(f"token is a text, or True for a new one, not {safe_text(repr(token), 40)}")
    text = (new_token() if token else "") if isinstance(token, bool) else token
    return Access(lan, allow_public, text, same_user, tls)


def _must_be_bool(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{name} is True or False, not {safe_text(repr(value), 40)}")


def _limits(values: dict[str, Any], lan: bool) -> Limits:
    """The limits by name; on a network there are more of them."""
    return Limits.of(**({**_LAN_LIMITS, **values} if lan else values))


def client(
    target: Any, script: Iterable[Step] | None = None, *, tls: Any = None, token: str = "", snapshot: bool = True
) -> Program:
    """One client in a sibling thread; as the last expression of a cell it shows its console.

    Args:
        target: A `Server`, an address such as ``("127.0.0.1", 8008)``, the path of a Unix socket, or a function without
            arguments to run as the client's program.
        script: What it says by itself: texts, pauses in seconds, `until`, and None to hang up.
        tls: For an address: an `ssl.SSLContext`, or a `Certificate`, to speak TLS with.
        token: For an address: what the server asks for first. A `Server` says both itself.
        snapshot: Whether the notebook keeps the conversation as text; never if a `Server` that is the target does not.

    Raises:
        NotListening: Nothing listens there.
        UsageError: The target or the script is none.
    """
    return clients(target, 1, script, tls=tls, token=token, snapshot=snapshot)[0]


def clients(
    target: Any,
    n: int,
    script: Iterable[Step] | None = None,
    *,
    tls: Any = None,
    token: str = "",
    snapshot: bool = True,
) -> Fleet:
    """`n` clients, each in a thread of its own; see `client`.

    Raises:
        NotListening: Nothing listens there.
        UsageError: The target, the number or the script is none.
    """
    if type(n) is not int or not 1 <= n <= 1000:
        raise UsageError(f"a number of clients is from 1 to 1000, not {safe_text(repr(n), 40)}")
    if script is not None:
        script = checked(script)
        if _is_program(target):
            raise UsageError(
                "a script is for clients that nbserver makes; a program of your own says what it says itself"
            )
    _must_be_bool("snapshot", snapshot)
    cell = _begin()
    make = _maker(target, tls, token, script or ())
    accepted = target.accepted if isinstance(target, Server) else 0
    fleet = Fleet()
    fleet.is_saved = snapshot and (target.is_saved if isinstance(target, Server) else True)
    remember(cell, fleet)  # first: if one cannot be made, those before it are the cell's all the same
    for _ in range(n):
        member = enlist(make)
        member.is_saved, member.cell = fleet.is_saved, str(cell)
        fleet.add(member)
        member.start()
    if isinstance(target, Server) and isinstance(target.base, socketserver.ThreadingMixIn) and not target.is_datagram:
        # So that server[n] is there in the next line. (A server that serves one at a time lets the others wait.)
        target.journal.wait_for(lambda: target.accepted >= accepted + n, _ACCEPTED_SECONDS)
    return fleet


def compare(
    servers: Iterable[Any],
    handler: Any = None,
    clients: int = 3,
    script: Iterable[Step] | None = None,
    *,
    answer: str = "ok",
    seconds: float = 30.0,
) -> Comparison:
    """The same handler and the same clients on several servers at once; as the last expression of a cell it is shown.

    Returns at once; ``compare(...).wait()`` waits for the end, and its text is a table of who waited how long.

    Args:
        servers: Up to six: classes such as `socketserver.TCPServer`, ``nbserver.pool(2)`` for a pool of two threads,
            and async functions ``handle(reader, writer)``, each served by asyncio in a thread of its own.
        handler: What the classes serve with, as for `serve`; an async function is its own.
        clients: How many come to each server, at most 20.
        script: What each client does, as for `clients`; by default it says ``hello`` and a line end, waits for an
            answer, and hangs up.
        answer: What ``input()`` of a handler is given.
        seconds: After how long it ends, whether all is done or not.

    Raises:
        UsageError: One of `servers` cannot be compared, or a number or the script is none; the message says why.
    """
    if script is not None:
        script = checked(script)
    cell = _begin()
    made = Comparison(servers, handler, clients, script, answer=answer, seconds=seconds)
    remember(cell, made)
    if getattr(kernel.shell(), "kernel", None) is not None:
        made.panel = panel(made)
    return made.start()


def run_server(source: str, lan: bool = False, snapshot: bool = True) -> Server | ServerProgram:
    """Run the text of a server's program in a thread beside the notebook; what ``%%server`` does.

    Args:
        source: The program's text.
        lan: Whether those in the same network may connect.
        snapshot: Whether the notebook keeps the conversation as text, for readers without a kernel.

    Returns:
        The `Server` that the program serves (the first, if several); or, of a program without ``socketserver``
        (asyncio, a bare socket), the program.

    Raises:
        AddressError: The program could not bind its address.
        BaseException: Whatever the program raised before it listened.

    Thread: the main one.
    """
    code = kernel.compiled(source)  # first: a slip of the pen in a running program's cell does not end the program
    cell = _begin()
    before = _user_variables()
    variables = dict(before)
    program = ServerProgram(code, variables, before.values(), Access(lan=lan), _limits({}, lan))
    program.is_saved, program.cell = snapshot, str(cell)
    program.on_server = lambda server: _mark(server, cell)
    remember(cell, program)
    program.start()
    program.wait_listening()
    _export(before, variables)
    if program.servers or program.has_ended:
        print(program.take_printed(), end="")  # noqa: T201 - what any cell would have printed
    return _with_panel(program.servers[0]) if program.servers else program


def run_client(source: str, count: int = 1, snapshot: bool = True) -> Fleet:
    """Run the text of a client's program `count` times, each in a thread of its own; what ``%%client`` does.

    Each has its own variables, which begin as a copy of the notebook's, and its own console. With `snapshot` the
    notebook keeps what they say as text, for readers without a kernel. Thread: the main one.
    """
    code = kernel.compiled(source)
    cell = _begin()
    before = _user_variables()

    def run() -> None:  # its variables go with it, and with them the sockets that it has not closed
        kernel.run_text(code, dict(before))()

    def make(number: int) -> Program:
        return Program(number, run, f"client {number}: program", before.values())

    fleet = Fleet([enlist(make) for _ in range(count)])
    fleet.is_saved = snapshot
    remember(cell, fleet)
    for program in fleet:
        program.is_saved, program.cell = snapshot, str(cell)
        program.start()
    return fleet


def explain(thing: Any) -> ClassMap:
    """The class map: who inherits from whom, who defines what, what is overridden, and which definition wins.

    As the last expression of a cell it is a panel, in which a name's look-up is lit, class by class; ``print()`` draws
    it, ``.lookup("process_request")`` says where a name is found, ``.mermaid()`` is a diagram.

    Args:
        thing: A server class of ``socketserver`` or a request class, of your own or of a library; or a server,
            nbserver's or ``socketserver``'s: then its handler's class is on the map as well.

    Raises:
        UsageError: It is none of these.
    """
    made = class_map(thing.base if isinstance(thing, Server) else thing)
    remember(_begin(), made)
    return made


# ── targets ──


def _is_program(target: Any) -> bool:
    return callable(target) and not isinstance(target, Server)


def _maker(target: Any, tls: Any, token: str, script: Iterable[Step]) -> Callable[[int], Program]:
    """What makes one client of `target`, given its number."""
    if _is_program(target):
        name = getattr(target, "__name__", "program")
        return lambda number: Program(number, target, f"client {number}: {name}")
    place = target_of(target) if isinstance(target, Server) else Target.at(target)
    if tls is not None or token:
        place = place._replace(tls=tls.client if isinstance(tls, Certificate) else tls, token=token)

    def make(number: int) -> Client:
        try:
            return Client(number, place, script)
        except NotListening as error:
            others = ", ".join(server.address_text for server in servers())
            raise NotListening(f"{error}" + (f" (nbserver listens on {others})" if others else "")) from error

    return make


# ── cells ──


def _begin() -> Cell:
    """The cell that runs; what its earlier run has made is ended first."""
    kernel.install()
    show_cards()
    shown.in_notebooks(kernel.shell())
    cell = kernel.current_cell()
    end_earlier(cell)
    return cell


def _present(server: Server, cell: Cell) -> Server:
    """A server that a function of ours has made in `cell`."""
    _mark(server, cell)
    remember(cell, server)
    return _with_panel(server)


def _mark(server: Server, cell: Cell) -> None:
    server.cell = str(cell)


def _with_panel(server: Server) -> Server:
    if getattr(kernel.shell(), "kernel", None) is not None:
        server.panel = panel(server)
        server.observation.sees_lines = True
    return server


def _user_variables() -> dict[str, Any]:
    ip = kernel.shell()
    return dict(ip.user_ns) if ip is not None else {}


def _export(before: dict[str, Any], variables: dict[str, Any]) -> None:
    """Let the notebook have what a server's program has defined, as if the cell had run as any other."""
    ip = kernel.shell()
    if ip is not None:
        new = {name: value for name, value in variables.items() if before.get(name, before) is not value}
        ip.user_ns.update({name: value for name, value in new.items() if not name.startswith("__")})


# ── %load_ext nbserver ──


def load(ip: Any) -> None:
    """``%load_ext nbserver``: the two magics."""
    kernel.install()
    show_cards()
    shown.in_notebooks(ip)
    _magics[id(ip)] = Magics(run_server, run_client)
    _magics[id(ip)].register(ip)


def unload(ip: Any) -> None:
    """``%unload_ext nbserver``: everything that it made ends, and IPython is as it was."""
    magics = _magics.pop(id(ip), None)
    if magics is not None:
        magics.unregister(ip)
    end_all()
    stop_all()
    for member in live_clients():
        member.close()
    shown.close_all()
    shown.not_in_notebooks(ip)
    kernel.cellcards.uninstall(ip)
