"""The servers that are compared: `python servers.py NAME CLONE [--busy]` says its port and serves until stdin ends.

All echo. What is compared is what carries the echo, so bare and observed share one handler, word for word.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import socketserver
import sys
import threading
from pathlib import Path


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Longer(socketserver.ThreadingTCPServer):
    """The bare server with a longer backlog and nothing else: what that alone does."""

    request_queue_size = 1024


def background(run):
    threading.Thread(target=run, daemon=True).start()


def bare(server_class=socketserver.ThreadingTCPServer):
    server = server_class(("127.0.0.1", 0), Echo)
    background(server.serve_forever)
    return server.server_address[1]


def observed():
    return observed_server().address[1]


def observed_server():
    from nbserver import net

    return net.listen(Echo).start()


def board():
    """Observed, and shown: what the publisher does for a board that is open, but for the page at the other end."""
    from nbserver.fleet import Fleet
    from nbserver.net.clock import PERIOD
    from nbserver.widgets.feed import Feed

    server = observed_server()
    feed = Feed(server, Fleet())

    def publish():
        tick = threading.Event()
        encode(feed.snapshot())
        server.wait_for_connections(1, math.inf)
        encode(feed.watch("connections", 1)[0])
        while not tick.wait(PERIOD):
            if (delta := feed.delta()) is not None:
                encode(delta[0])

    background(publish)
    return server.address[1]


def encode(message):
    """As a kernel does before it sends."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False).encode()


def asyncio_streams():
    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    ports, is_bound = [], threading.Event()

    async def serve():
        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
        is_bound.set()
        await server.serve_forever()

    background(lambda: asyncio.run(serve()))
    is_bound.wait()
    return ports[0]


def gevent_streams():
    from gevent.server import StreamServer

    def echo(client, address):
        while data := client.recv(65536):
            client.sendall(data)

    ports, is_bound = [], threading.Event()

    def serve():
        server = StreamServer(("127.0.0.1", 0), echo, backlog=1024)
        server.start()
        ports.append(server.server_port)
        is_bound.set()
        server.serve_forever()

    background(serve)
    is_bound.wait()
    return ports[0]


SERVERS = {
    "bare": bare,
    "bare-1024": lambda: bare(Longer),
    "observed": observed,
    "board": board,
    "asyncio": asyncio_streams,
    "gevent": gevent_streams,
}


def compute():
    while True:
        pass


def main():
    clone = Path(sys.argv[2])
    if not (clone / "nbserver" / "__init__.py").is_file():
        sys.exit(f"there is no nbserver in {clone}")  # and the one that is installed would be measured in its stead
    sys.path.insert(0, str(clone))
    port = SERVERS[sys.argv[1]]()
    if "--busy" in sys.argv:
        background(compute)
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.buffer.read()  # ends with whoever started it, however that one ended
    os._exit(0)  # nothing here is worth waiting for


if __name__ == "__main__":
    main()
