"""``asyncio.run()`` in an ordinary cell, in real kernels: textbook programs, as they stand."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import a_free_port

from .conftest import PATIENCE

SERVER = """
import asyncio

async def handle(reader, writer):
    data = await reader.read(100)
    print(f"received {data.decode()!r}")
    writer.write(data.upper())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    print("its task is done")

async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", PORT)
    async with server:
        print("serving")
        await server.serve_forever()

asyncio.run(main())
"""
CLIENT = """
import asyncio

async def main(message):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(message.encode())
    await writer.drain()
    answer = await reader.read(100)
    print(f"answered {answer.decode()!r}")
    writer.close()
    await writer.wait_closed()
    return answer

answer = asyncio.run(main(input("say: ")))
"""
ASKS = """
async def main():
    try:
        input("? ")
    finally:
        await asyncio.sleep(0)
        print("cleaned up")

asyncio.run(main())
"""


@pytest.fixture
def kernel(kernel):
    """A kernel in which ``asyncio.run()`` is allowed, and that complains of nothing."""
    refused = "import asyncio\nasleep = asyncio.sleep(0)\ntry:\n    asyncio.run(asleep)\nfinally:\n    asleep.close()"
    assert "a running event loop" in kernel.run(refused).error
    kernel.must("import nbserver\nprint(nbserver.allow_asyncio_run())")
    yield kernel
    assert not any("context" in text or "Task" in text for text in [*kernel.complaints, kernel.written()])


@pytest.fixture
def port() -> int:
    return a_free_port()


def wait_printed(kernel, cell, text: str) -> None:
    """Wait until a cell that runs has printed something."""
    kernel.pump_until(lambda: text in "".join(said["content"].get("text", "") for said in kernel._said[cell.id]))


def test_a_textbook_server_serves_until_it_is_interrupted(kernel, port):
    for _ in range(2):  # run again it works again: the port is free
        cell = kernel.start(SERVER.replace("PORT", str(port)), "server")
        wait_printed(kernel, cell, "serving")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"HELLO"
        wait_printed(kernel, cell, "its task is done")
        kernel.manager.interrupt_kernel()
        ran = kernel.finish(cell)
        assert ran.text == "serving\nreceived 'hello'\nits task is done\n"
        assert "KeyboardInterrupt" in ran.error
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), PATIENCE)
    assert kernel.must("print('the next cell')").text == "the next cell\n"


def test_a_textbook_client_asks_and_prints_in_its_cell(kernel):
    kernel.must("server = nbserver.serve(nbserver.Echo)")
    port = kernel.value("server.address[1]")
    ran = kernel.run(CLIENT.replace("PORT", port), "client", typed=["from a person"])
    assert (ran.text, ran.error) == ("answered 'from a person'\n", "")
    assert kernel.value("answer") == "b'from a person'"


def test_an_interrupt_ends_input_inside_it(kernel):
    cell = kernel.start(ASKS, "asks", allow_stdin=True)
    kernel.client.get_stdin_msg(timeout=PATIENCE)
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(cell)
    assert "KeyboardInterrupt" in ran.error
    assert ran.text == "cleaned up\n"
    assert kernel.value("1 + 1") == "2"


def test_all_else_is_as_it_was(kernel):
    kernel.must("""
import contextvars
loop, task = asyncio.get_running_loop(), asyncio.current_task()
variable = contextvars.ContextVar("variable")
variable.set("the cell's")

async def main():
    assert variable.get() == "the cell's" and asyncio.get_running_loop() is not loop
    await asyncio.to_thread(lambda: None)
    refused = asyncio.sleep(0)
    try:
        asyncio.run(refused)
    except RuntimeError as error:
        refused.close()
        return str(error)

assert "cannot be called from a running event loop" in asyncio.run(main())
assert asyncio.get_running_loop() is loop is asyncio.get_event_loop() and asyncio.current_task() is task
await asyncio.sleep(0.01)
assert asyncio.run(asyncio.sleep(0, "beside a task")) == "beside a task" and asyncio.current_task() is not None
await asyncio.sleep(0.01)
run = asyncio.run
nbserver.allow_asyncio_run()
assert asyncio.run is run, "twice is once"
assert asyncio.Task.__module__ == "_asyncio" and not hasattr(asyncio, "_nest_patched")
""")
    assert "replaced by nbserver.allow_asyncio_run()" in kernel.value("nbserver.doctor()")


def test_it_waits_for_clients(kernel):
    """The awaitables of a server work in a loop of one's own, too."""
    kernel.must("server = nbserver.serve(nbserver.Echo)")
    with socket.create_connection(("127.0.0.1", int(kernel.value("server.address[1]")))) as client:
        client.sendall(b"hello")
        kernel.must("""
async def main():
    (connection,) = await server.wait_for_connections(1)
    return await connection.receive()
received = asyncio.run(main())
""")
    assert kernel.value("received") == "b'hello'"


def test_where_nest_asyncio_is_applied_already_nothing_is_changed(kernel):
    kernel.must("import nest_asyncio\nnest_asyncio.apply()\nrun = asyncio.run")
    assert "nest-asyncio" in kernel.value("nbserver.allow_asyncio_run()")
    assert kernel.value("asyncio.run is run") == "True"
