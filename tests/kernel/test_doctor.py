"""What the doctor says, and when it has advice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from nbserver.kernel import machine
from nbserver.kernel.doctor import Level, doctor

REPOSITORY = Path(__file__).parents[2]
FULL = """
import os, resource, socket
from nbserver import net
from nbserver.kernel import machine
from nbserver.kernel.doctor import doctor

def is_echoed(client):
    client.settimeout(30)
    client.sendall(b"hello")
    return client.recv(100) == b"hello"

with net.listen(net.Echo) as server:
    assert doctor() and is_echoed(socket.create_connection(server.address))  # now all is loaded
    if os.getuid() == 0:
        os.setuid(54321)  # an administrator has no limit
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (hard if hard > 0 else 10**6, hard))
    most = machine.user_limit().used + 20
    resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))
    threads = {finding.name: finding for finding in doctor().findings}["threads"]
    print("this user may start only" in threads.advice, f"of at most {most}" in threads.value)
    served = []
    while is_echoed(client := socket.create_connection(server.address)):
        served.append(client)
    print("no thread for a connection" in server.observation.trouble, server.thread.is_alive())
    print(all(map(is_echoed, served)), 1 <= len(served) <= 40)
    served.pop().close()
    server.journal.wait_for(lambda: len(server.observation.live) == len(served), 10)
    # Its thread is free a moment after its connection has ended.
    print(any(is_echoed(socket.create_connection(server.address)) for _ in range(100)))
"""


def test_fault_27_no_more_threads_for_this_user():
    """The system's own refusal. The client reads the end, all others go on, and the doctor has said so before."""
    ran = subprocess.run(
        [sys.executable, "-c", FULL],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (ran.stdout.split(), ran.stderr) == (["True"] * 7, "")


def found(name):
    return next(finding for finding in doctor().findings if finding.name == name)


def advice():
    return [finding.advice for finding in doctor().findings if finding.advice]


def test_where_all_is_well_there_is_no_advice(monkeypatch):
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    monkeypatch.setattr(machine, "user_limit", lambda: None)
    monkeypatch.setattr(machine, "container_limit", lambda: machine.Limit("this container or session", 30, 2048))
    assert advice() == []
    assert "; this container or session has 30 of at most 2048" in found("threads").value


def test_fault_27_a_container_that_is_nearly_full(monkeypatch):
    monkeypatch.setattr(machine, "container_limit", lambda: machine.Limit("this container or session", 2000, 2048))
    assert "this container or session may start only 48 more threads" in advice()[0]


def test_few_descriptors_and_how_to_have_more(monkeypatch):
    import resource

    used, hard = machine.descriptor_limit()[0].used, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    monkeypatch.setattr(resource, "getrlimit", lambda which: (used + 60, hard))
    assert "this kernel may open only" in advice()[-1]
    assert f"resource.setrlimit(resource.RLIMIT_NOFILE, ({hard}, {hard}))" in advice()[-1]


def test_a_unix_socket_is_recommended_where_a_hub_is_shared(monkeypatch):
    monkeypatch.setattr(machine, "other_people", lambda: ["alice", "bob\x1b[31m", "carol", "dave"])
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    assert not any(finding.name == "other people" for finding in doctor().findings)
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    people = found("other people")
    assert "(alice, bob\\x1b[31m, carol, …)" in people.value and "nbserver.serve(handler, unix=True)" in people.advice
    monkeypatch.setattr(machine, "other_people", lambda: [])
    assert not any(finding.name == "other people" for finding in doctor().findings)


def test_ipv6_is_there_if_a_server_can_listen_on_it():
    import socket

    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            is_there = True
    except OSError:
        is_there = False
    assert found("IPv6").value.startswith("yes" if is_there else "no")


def test_a_text_of_several_lines_stays_in_its_column():
    from nbserver import net

    with net.listen(net.Echo), net.listen(net.Echo):
        lines = str(doctor()).splitlines()
    column = next(line.index("<Server") for line in lines if "<Server" in line)
    assert [line.index("<Server") for line in lines if "<Server" in line] == [column] * 2


def test_packages_that_matter_are_named():
    assert {"ipykernel", "jupyter-server-proxy"} <= {each.split()[0] for each in found("packages").value.split(", ")}


def test_what_asks_for_attention_comes_first_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(machine, "container_limit", lambda: machine.Limit("this container or session", 2000, 2048))
    first, *others = doctor().findings
    assert (first.name, first.level) == ("threads", Level.WARNING)
    text = str(doctor())
    assert text.startswith("warning  threads  ") and text.index(" -> this container or session may") < text.index(
        "\nok "
    )
    assert {finding.level for finding in others} <= {Level.OK, Level.NOTE}


def test_a_server_that_a_network_reaches_is_pointed_out():
    from nbserver import net

    with net.listen(net.Echo, ("0.0.0.0", 0), access=net.Access(lan=True)):
        assert found("server").level is Level.NOTE and "token=True" in found("server").advice
    with net.listen(net.Echo, ("0.0.0.0", 0), access=net.Access(lan=True, allow_public=True)):
        assert found("server").level is Level.WARNING
    with net.listen(net.Echo, ("0.0.0.0", 0), access=net.Access(lan=True, token="our-class-token")):
        assert found("server").level is Level.OK and "our-class-token" not in found("server").value
    with net.listen(net.Echo):
        assert found("server").level is Level.OK and "this machine only" in found("server").value


def test_nest_asyncio_is_reported(monkeypatch):
    assert found("asyncio.run()").level is Level.OK
    monkeypatch.setattr("asyncio._nest_patched", True, raising=False)
    assert found("asyncio.run()").level is Level.NOTE and "restart the kernel" in found("asyncio.run()").advice


def test_in_a_page_it_is_text_in_one_element(monkeypatch):
    monkeypatch.setattr(machine, "other_people", lambda: ["<img/src=x/onerror=alert(1)>"])
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    text = doctor()._repr_html_()
    assert "&lt;img/src=x/onerror=alert(1)&gt;" in text
    assert set(re.findall(r"<[^>]*>", text)) == {"<pre>", "</pre>", "<b>", "</b>"}
