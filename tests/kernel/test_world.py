"""The standard library's own server classes, through the front door, in a real kernel."""

from __future__ import annotations

import pytest

HANDLER = """
import http.server, urllib.request
import nbserver

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = f"the page {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
"""
WAYS = {
    "observe": "nbserver.observe(http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page))",
    "server_class": "nbserver.serve(Page, server_class=http.server.ThreadingHTTPServer)",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_client_in_the_next_cell_gets_its_page(kernel, way):
    kernel.must(HANDLER)
    shown = kernel.must(f"server = {WAYS[way]}\nserver")
    assert "application/vnd.jupyter.widget-view+json" in shown.data and not shown.text
    asked = kernel.must("print(urllib.request.urlopen(f'http://{server.address_text}/1', timeout=10).read())")
    assert asked.text == "b'the page /1'\n"  # and not what the server logs, which is on the row
    kernel.must("server[1].wait_closed(10)")
    logged = kernel.value("[e.data.decode() for e in server[1].transcript if e.kind == 'printed']")
    assert '"GET /1 HTTP/1.1" 200 -' in logged
    assert kernel.value("server.kind, server.accepted, server[1].state.value") == "('ThreadingHTTPServer', 1, 'closed')"
    assert kernel.value("server.stop().stragglers, nbserver.servers()") == "((), [])"
