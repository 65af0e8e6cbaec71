"""Ready-made handlers: reply by hand, echo, chat room. For streams and for datagrams."""

from __future__ import annotations

import socketserver
import threading
from typing import Any, ClassVar

from .. import context
from ..errors import ConnectionEnded, NbserverError
from ..text import encoded
from .connection import Connection

_PROMPT = "reply > "


class _Messages(socketserver.BaseRequestHandler):
    """Gives each message to `message`: what one ``recv`` brought, or the one datagram."""

    def handle(self) -> None:
        if isinstance(self.request, tuple):
            self.message(self.request[0])
            return
        while data := self.request.recv(65_536):
            stranger = getattr(getattr(self.request, "connection", None), "speaks", "")
            if stranger:
                # A page that a browser shows may be made to send here whatever its author likes.
                self.request.connection.hang_up(f"it speaks {stranger}, and is no client of this server's")
                return
            self.message(data)

    def message(self, data: bytes) -> None:
        """Called for each message; override."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send to this client."""
        if isinstance(self.request, tuple):
            self.request[1].sendto(data, self.client_address)
        else:
            self.request.sendall(data)


class Conversation(_Messages):
    """Replies by hand: each message waits for what a person types. An empty reply sends nothing."""

    def message(self, data: bytes) -> None:
        """Ask for an answer, and send it. The message itself is in the transcript already."""
        speaker = context.current()
        # Asked of the connection and not by input(): this works without a notebook, too.
        answer = speaker.ask(_PROMPT) if speaker is not None else input(_PROMPT)
        if answer:
            self.send(encoded(answer))


class Echo(_Messages):
    """Sends each message back."""

    def message(self, data: bytes) -> None:
        """Send it back."""
        self.send(data)


class ChatRoom(_Messages):
    """Sends each message to everybody else on the same server, with the sender's number before it. Streams only.

    A member that does not read is passed over: it holds nobody up.
    """

    _joining: ClassVar[threading.Lock] = threading.Lock()  # handlers of many threads come and go

    def setup(self) -> None:
        """Join."""
        with self._joining:
            self.members.append(self.connection)

    def finish(self) -> None:
        """Leave."""
        with self._joining:
            self.members.remove(self.connection)

    @property
    def members(self) -> list[Connection]:
        """The connections in the room of this server."""
        return vars(self.server).setdefault("nbserver_chat_room", [])  # type: ignore[no-any-return]

    @property
    def connection(self) -> Any:
        """The connection that this handler serves."""
        return self.request.connection

    def message(self, data: bytes) -> None:
        """Send it to the others."""
        with self._joining:
            others = [member for member in self.members if member is not self.connection]
        for member in others:
            try:
                member.send(f"#{self.connection.number}: ".encode() + data, timeout=0.2)
            except ConnectionEnded:
                continue  # it left this moment: it is no member any more
            except NbserverError as error:
                print(f"#{member.number} missed a message: {error}")  # noqa: T201
