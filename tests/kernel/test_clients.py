"""Clients in a real kernel: an unchanged program knows its connection, and runs again with variables of its own."""

from __future__ import annotations

from .page import Page


def rows(page: Page, table: str) -> list[list]:
    return [row for (name, _), row in sorted(page.rows.items()) if name == table]


def test_the_tutorials_clients_lead_to_their_rows(tutorial):
    page = Page(tutorial, "nbserver.servers()[0]")
    page.wait(lambda: sorted(row[15] for row in rows(page, "connections")) == [1, 2, 3])
    tutorial.must("members = live_clients()\nfleet = nbserver.Fleet(members)")
    assert tutorial.value("[nbserver.client_of(c.connection) is c for c in members]") == "[True, True, True]"
    links = {int(row[15]): row[0] for row in rows(page, "connections")}
    assert tutorial.value("[c.connection.number for c in members]") == str([links[n] for n in (1, 2, 3)])


def test_all_run_again_with_fresh_variables(tutorial):
    tutorial.must("members = live_clients()\nfleet = nbserver.Fleet(members)\nserver = nbserver.servers()[0]")
    tutorial.must("assert all(c.wait_waiting(10) for c in members)\nfleet.run_again()")
    tutorial.must("server.wait_for_connections(6, 10)\nassert all(c.wait_waiting(10) for c in members)")
    assert tutorial.value("[c.runs for c in members], [c.number for c in live_clients()]") == "([2, 2, 2], [1, 2, 3])"
    assert tutorial.value("sorted(c.connection.number for c in members)") == "[4, 5, 6]"


def test_each_run_begins_with_the_notebooks_variables(kernel):
    kernel.must("%load_ext nbserver")
    kernel.must("from nbserver.fleet import live_clients\nlist_of_mine = 'the notebook'")
    kernel.must("%%client\nprint(list_of_mine, 'left' in globals())\nleft = list_of_mine = 1\ninput()", "client")
    kernel.must("one = live_clients()[0]\nassert one.wait_waiting(10)\none.run_again()\nassert one.wait_waiting(10)")
    said = "[e.data.decode() for e in one.transcript if e.kind == 'printed']"
    assert kernel.value(said) == str(["the notebook False"] * 2)
    kernel.must("one.end_input()\none.wait_ended(10)")
    assert kernel.value("type(one.error).__name__") == "EOFError"


def test_a_client_that_was_added_ends_with_its_cell(kernel):
    kernel.must("%load_ext nbserver")
    kernel.must("import nbserver\nfrom nbserver.fleet import live_clients")
    kernel.must("server = nbserver.serve(nbserver.Echo)")
    kernel.must("one = nbserver.client(server, ['hi'])\none", "the cell")
    kernel.must("added = nbserver.panel(one).mirror.fleet.add_client()\nassert added.hear(10) == 'hi'")
    kernel.must("one = nbserver.client(server)", "the cell")
    assert kernel.value("added.has_ended, live_clients() == [one]") == "(True, True)"
