"""The hub: one comm and one store for a server and its clients. Views take code and data from it."""

from __future__ import annotations

import atexit
import os
import secrets
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython.display import display

from ..errors import UsageError
from ..fleet import Fleet
from ..kernel import bridge, roundtrip
from ..net import Clock, Server
from ..teach import speak
from .feed import Feed, Message
from .looks import LOOKS
from .pace import Pace
from .pack import pack
from .requests import Desk, Request, is_number, rid_of

if TYPE_CHECKING:
    from .saved import Saved

_HERE = Path(__file__).parent
_BEAT_SECONDS = 1.0
_REMEMBERED_REQUESTS = 1000
_MESSAGES = 5, 15  # of one hub, at once and in each second more: never above 20 in a second
_TRANSCRIPTS = 32  # in one message
_ASKED_LOOKS = 64  # between two ticks
_ASKED_TRANSCRIPTS = 64  # wait for their turn; for what else it still shows a page asks again
_PERIOD = 0.07  # seconds: what has happened is on the screen within a tenth, and a dozen messages a second are enough
_DELTA_SECONDS = 0.06  # between two deltas that acknowledge nothing
_WHOLE_SHARE = 0.2  # for snapshots and the past of a time line, of the publisher's time, at most
# What the page can read bytes in, half characters and bytes that are none included: js/text.js has the same.
ENCODINGS = ("utf-8", "ascii", "latin-1", "windows-1252", "utf-16le", "utf-16be", "gbk", "big5", "shift_jis", "euc-kr")

Part = tuple[Message, bytes]
"""A message, and the bodies of its entries."""

# The one thread of this kernel that sends to pages: a message for each hub in each tick, only what is new.
# Handlers' threads never send: each thread that does would open a ZeroMQ socket of its own, and at about a thousand the
# kernel fails; and the Jupyter server silently drops what exceeds a thousand messages a second.
publisher = Clock("nbserver-publisher", _PERIOD)
atexit.register(publisher.end)  # a message that is being sent when ZeroMQ ends would be sent in part


# What holds for every board of this notebook; `nbserver lab` says which language the course was opened in.
_chosen: dict[str, Any] = {"lang": os.environ.get("NBSERVER_LANG", "")}
_hubs: weakref.WeakSet[Hub] = weakref.WeakSet()


class Hub(anywidget.AnyWidget):  # type: ignore[misc]
    """Mirrors one server and the clients shown with it, or clients alone, in every page that shows them.

    Attributes:
        key: Its name on the control channel.
        control: Whether the kernel listens there.
        lang: ``"en"``, ``"zh"``, or "" for the page's own language.
        scale: The size of its views' font, 1.0 being the notebook's.
        encoding: How its views read bytes, by the name of the encoding.
        hex: Whether they show bytes as hex instead.
        contrast: ``"high"``, or "" for the page's own.
        fleet: The clients shown with the server.
        saved: What the notebook keeps of the conversation, if it does.
    """

    _esm = pack(_HERE / "hub.js")
    _css = (_HERE / "nbserver.css").read_text("utf-8")

    key = traitlets.Unicode().tag(sync=True)
    control = traitlets.Bool(False).tag(sync=True)
    lang = traitlets.Unicode("").tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    encoding = traitlets.Enum(ENCODINGS, ENCODINGS[0]).tag(sync=True)
    hex = traitlets.Bool(False).tag(sync=True)
    contrast = traitlets.Enum(["", "high"], "").tag(sync=True)

    def __init__(self, server: Server | None = None, fleet: Fleet | None = None, about: Any = None) -> None:
        """Mirror `server` and `fleet`, or `fleet` alone; `about` is what its views look at, by default the server.

        Thread: the main one.
        """
        self.fleet = Fleet() if fleet is None else fleet
        self._feed = Feed(server, self.fleet, about)
        self._desk = Desk(server, self.fleet)
        # Built and sent under one lock, or a delta could overtake the snapshot that it builds on.
        self._sending = threading.RLock()
        self._pace = Pace(*_MESSAGES)
        # Requests come in several threads, one of them the kernel's control thread, which must not wait for a snapshot.
        self._arriving = threading.RLock()
        self._acks: deque[Message] = deque()
        self._wanted: OrderedDict[tuple[str, str, int, int], None] = OrderedDict()  # transcripts, the newest wish last
        self._looked: dict[tuple[str, int], bool] = {}  # what pages look at → whether all who ask have it already
        self._pings: deque[str] = deque()
        self._wants_snapshot = self._wants_lanes = False
        self._whole_after = 0.0  # on the monotonic clock
        self._asked: OrderedDict[str, Message | None] = OrderedDict()  # rid → its acknowledgement, once there is one
        self._ahead: dict[str, int] = {}  # rid → how often it will come by the comm once more
        self._is_seen = False
        self.saved: Saved | None = None
        self._last_delta = 0.0
        super().__init__(key=secrets.token_hex(16), **_chosen)
        _hubs.add(self)
        self._comm_id = self.comm.comm_id  # for its end, when the comm may be gone already
        self.control = bridge.listen_to_views(self.key, self.receive, self.comm)
        self.on_msg(self._on_comm)
        roundtrip.take_part(self.key, self._ping)

    @traitlets.validate("scale")
    def _is_size(self, proposal: Any) -> float:
        """A page may send 1e999999 or NaN, which no other page could be told."""
        if not 0.1 <= proposal["value"] <= 10:
            raise traitlets.TraitError("a size is from 0.1 to 10")
        return proposal["value"]

    @traitlets.observe("lang", "scale", "contrast")
    def _choose(self, change: Any) -> None:
        """Language, size and contrast, chosen in one view, hold for all boards of this notebook, later ones too."""
        _chosen[change["name"]] = change["new"]
        speak(str(_chosen["lang"]))
        for hub in list(_hubs):
            hub.set_trait(change["name"], change["new"])

    def close(self) -> None:
        """End it; its views show nothing any more."""
        bridge.stop_listening(self.key, self._comm_id)
        roundtrip.leave(self.key)
        _hubs.discard(self)
        self.layout.close()  # a widget of its own, which nothing else would end
        super().close()

    @property
    def refused(self) -> int:
        """How many requests came that no view of ours would send. They change nothing."""
        return self._desk.refused

    def _on_comm(self, widget: Any, content: Any, buffers: Any) -> None:
        if not self._was_read_ahead(rid_of(content) if isinstance(content, dict) else ""):
            is_main = threading.current_thread() is threading.main_thread()
            self.receive(content, "comm" if is_main else "subshell")

    def _was_read_ahead(self, rid: str) -> bool:
        """Whether this message has been read before its turn. Told by count: its rid may be forgotten by now."""
        with self._arriving:
            count = self._ahead.pop(rid, 0)
            if count > 1:
                self._ahead[rid] = count - 1
        return count > 0

    def receive(self, request: Any, path: str) -> None:
        """One request of a view. Thread: any; does not block, since it may be the kernel's control thread."""
        rid = rid_of(request) if isinstance(request, dict) else ""
        if path == "ahead":
            if not rid:
                return  # it is refused when its turn comes
            with self._arriving:
                self._ahead[rid] = self._ahead.get(rid, 0) + 1
        if not rid:  # not one of ours, and nobody to tell
            self._desk.refuse()
            return
        if self._came_before(rid):
            return
        bridge.count_path(path)
        what = request.get("do")
        if what == "pong":
            roundtrip.answered(rid, path)
            return
        if what == "hello":
            if not roundtrip.note_host(request.get("host", "")):
                self._desk.refuse()
                return
            self._wants_snapshot = True
        elif what == "lanes":
            self._wants_lanes = True
        elif what in ("watch", "earlier"):
            self._ask_transcript(request)
        elif what == "look":
            self._ask_look(request)
        else:
            self._desk.do(request, self._acknowledge)
        self._hurry()

    def _ask_transcript(self, request: Request) -> None:
        table, number, what = request.get("table"), request.get("id"), request["do"]
        before = request.get("before") if what == "earlier" else 0
        if table not in ("connections", "clients") or not is_number(number) or not is_number(before):
            self._desk.refuse()
            return
        wanted = (what, str(table), number, before)
        with self._arriving:
            self._wanted.pop(wanted, None)  # the last in the order is the one that was asked for last
            self._wanted[wanted] = None
            if len(self._wanted) > _ASKED_TRANSCRIPTS:
                self._wanted.popitem(last=False)

    def _ask_look(self, request: Request) -> None:
        at, number, again = request.get("at"), request.get("connection"), request.get("again", False)
        if not isinstance(at, str) or at not in LOOKS or not is_number(number) or not isinstance(again, bool):
            self._desk.refuse()
            return
        with self._arriving:
            if len(self._looked) < _ASKED_LOOKS:
                self._looked[at, number] = self._looked.get((at, number), True) and again

    def _ping(self, rid: str) -> bool:
        """Have the pages that show this hub asked; whether there ever was one. Thread: any."""
        if self._is_seen:
            self._pings.append(rid)
            self._hurry()
        return self._is_seen

    def _came_before(self, rid: str) -> bool:
        """Whether this request has come already, by another way. Its acknowledgement is given again then."""
        with self._arriving:
            if rid not in self._asked:
                self._asked[rid] = None
                if len(self._asked) > _REMEMBERED_REQUESTS:
                    self._asked.popitem(last=False)
                return False
            ack = self._asked[rid]
        if ack is not None:
            self._acknowledge(ack)
        return True

    def _acknowledge(self, ack: Message) -> None:
        self._asked[ack["rid"]] = ack
        self._acks.append(ack)
        self._hurry()

    def _hurry(self) -> None:
        publisher.add(self)
        if self.saved is not None:  # a click may let clients run again that had ended
            publisher.add(self.saved)
        publisher.hurry()

    def tick(self) -> bool:
        """Send what is new; returns whether there may be more to come. Thread: the publisher's."""
        with self._sending:
            if not self._pace.allows:
                return True  # what there is to say is said a little later, together with what happens meanwhile
            was_over = self._feed.is_over  # asked before: what happens while the delta is made belongs to the next one
            pings = [self._pings.popleft() for _ in range(len(self._pings))]
            parts: list[Part] = [({"t": "ping", "rid": rid}, b"") for rid in pings]
            parts += [*self._whole(), *self._transcripts()]
            with self._arriving:
                looked, self._looked = self._looked, {}
            for key, is_again in looked.items():
                self._feed.looks.ask(*key, is_again)
            silent = time.monotonic() - self._last_delta
            is_due = bool(self._acks) or silent > _DELTA_SECONDS
            if is_due and (self._is_seen or self._acks):
                parts += self._delta(silent > _BEAT_SECONDS)
            self._post(parts)
            return not (was_over and is_due) or bool(looked) or self._is_asked

    @property
    def _is_asked(self) -> bool:
        """Whether a page waits for something."""
        wants_whole = self._wants_snapshot or self._wants_lanes
        return bool(self._pings or self._acks or self._wanted or self._looked or wants_whole)

    def _whole(self) -> Iterator[Part]:
        """Ten thousand rows take a while: who asks for them again and again does not keep the deltas waiting."""
        began = time.monotonic()
        if began < self._whole_after or not (self._wants_snapshot or self._wants_lanes):
            return
        if self._wants_snapshot:
            self._is_seen, self._wants_snapshot = True, False
            yield self._feed.snapshot(), b""
        if self._wants_lanes:
            self._wants_lanes = False
            yield self._feed.past.told(), b""
        now = time.monotonic()
        self._whole_after = now + (now - began) / _WHOLE_SHARE

    def _transcripts(self) -> Iterator[Part]:
        """Those that were asked for last come first: who walks down the list sees where it is now."""
        for _ in range(min(_TRANSCRIPTS, len(self._wanted))):
            with self._arriving:
                (what, table, number, before), _ = self._wanted.popitem()
            yield self._feed.earlier(table, number, before) if what == "earlier" else self._feed.watch(table, number)

    def _delta(self, is_beat_due: bool) -> Iterator[Part]:
        acks = [self._acks.popleft() for _ in range(len(self._acks))]
        delta = self._feed.delta()
        if delta is None and (acks or is_beat_due):
            delta = self._feed.beat(), b""
        if delta is not None:
            self._last_delta = time.monotonic()
            message, body = delta
            yield {**message, **({"acks": acks} if acks else {})}, body

    def _post(self, parts: list[Part]) -> None:
        """Send all that one tick has to say as one message."""
        if not parts:
            return
        self._pace.count()
        if len(parts) == 1:
            ((message, body),) = parts
            self.send(message, [body] if message.get("entries") else None)
        else:
            self.send({"t": "bundle", "messages": [message for message, _ in parts]}, [body for _, body in parts])


class View(anywidget.AnyWidget):  # type: ignore[misc]
    """One place where a hub is shown: ten lines in the page, everything else is the hub's.

    Attributes:
        hub: The hub, by its model's name.
        view: ``"board"``, ``"clients"``, ``"timeline"``, ``"takeover"``, or what is looked at (`looks`).
    """

    _esm = (_HERE / "view.js").read_text("utf-8")

    hub = traitlets.Unicode().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)

    def __init__(self, hub: Hub, view: str) -> None:
        """Show `hub` as `view`. Thread: the main one."""
        self.mirror = hub
        self._place: Any = None  # beside the notebook, once it was docked
        super().__init__(hub=f"anywidget:{hub.model_id}", view=view)

    @cached_property
    def timeline(self) -> View:
        """The time line alone, to be put into a cell of its own: who runs, who waits, and for whom."""
        return View(self.mirror, "timeline")

    @cached_property
    def takeover(self) -> View:
        """A button that stops the server, below the card of a cell that wants its port."""
        return View(self.mirror, "takeover")

    @cached_property
    def chain(self) -> View:
        """The call chain of the selected connection, step by step, and slow motion."""
        return View(self.mirror, "chain")

    @cached_property
    def loops(self) -> View:
        """The connection loop, and the communication loop of the selected connection."""
        return View(self.mirror, "loops")

    @cached_property
    def waits(self) -> View:
        """Who waits for whom: each thread, the call that it is in, and since when."""
        return View(self.mirror, "waits")

    @cached_property
    def ruler(self) -> View:
        """The byte ruler of the selected connection: what each end sent and received, aligned by byte."""
        return View(self.mirror, "ruler")

    @cached_property
    def inspector(self) -> View:
        """``self`` of the handlers: ``self.server``, ``self.request``, ``self.client_address`` and the rest."""
        return View(self.mirror, "inspector")

    @cached_property
    def classes(self) -> View:
        """The class map: who inherits from whom, who defines what, and which one wins."""
        return View(self.mirror, "classes")

    @cached_property
    def faults(self) -> View:
        """The fault lab: what goes wrong on purpose, with one connection or with all."""
        return View(self.mirror, "faults")

    @cached_property
    def shared(self) -> View:
        """Who changes what is shared, and whether two do so at once."""
        return View(self.mirror, "shared")

    def dock(self) -> None:
        """Show it beside the notebook as well, where it stays in sight while one scrolls; again, it moves there again.

        Raises:
            UsageError: The package `sidecar`, which can do that in JupyterLab, is not installed.

        Thread: the main one.
        """
        try:
            from sidecar import Sidecar
        except ImportError:
            raise UsageError(
                "dock() needs the package sidecar: pip install sidecar, then reload the page. Without it: right-click "
                "the board, and choose Create New View for Cell Output"
            ) from None
        self._undock()
        self._place = Sidecar(title="nbserver", anchor="split-right")
        with self._place:
            display(self)

    def _undock(self) -> None:
        if self._place is not None:
            self._place.close()

    def close(self) -> None:
        """End it."""
        self._undock()
        for part in [one for one in vars(self).values() if isinstance(one, View)]:
            part.close()
        self.layout.close()
        super().close()
