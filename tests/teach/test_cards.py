"""Cards: what is recognised has its words and its line; what is not has none, and nothing of the user's is run."""

from __future__ import annotations

import gc
import json
import re
import socket
import socketserver
import string
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbserver import net, teach
from nbserver.errors import AddressError
from nbserver.events import KEPT_BYTES
from nbserver.teach import cardwords
from nbserver.teach.cards import card
from nbserver.teach.recognise import half_at_the_end

HANDLER = teach.About("handler")
CHINESE = re.compile("[\u4e00-\u9fff]")


def explained(program: str, about: teach.About = HANDLER, **variables) -> teach.Card | None:
    """The card of what a program raises."""
    code = compile_known(program)
    try:
        exec(code, {"socket": socket, "socketserver": socketserver, **variables})
    except Exception as error:
        return teach.card_of(error, about)
    raise AssertionError("it raised nothing")


def compile_known(program: str):
    """The program's code; its lines are known, as those of a cell are."""
    import linecache

    name = f"<lesson {abs(hash(program))}>"
    linecache.cache[name] = (len(program), None, program.splitlines(keepends=True), name)
    return compile(program, name, "exec")


@pytest.fixture
def pair():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


# --- text and bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "fix", "size"),
    [
        ('s.sendall("hello!")', "'hello!'.encode('utf-8')", 6),
        ("s.sendall(text)", "text.encode('utf-8')", 6),
        ('s.send("to: " + text)', "('to: ' + text).encode('utf-8')", 10),
        ('s.send(f"{text} {number}")', "f'{text} {number}'.encode('utf-8')", 8),
    ],
)
def test_text_is_passed_where_bytes_are_needed_and_the_card_says_which_bytes_it_makes(pair, line, fix, size):
    found = explained(line, s=pair[0], text="你好", number=7)
    assert found.code == "str-for-bytes"
    assert found.title == f"You passed `str`; `.encode('utf-8')` makes these {size} bytes"
    assert fix in found.todo
    assert found.line == line and found.where.endswith(", line 1")


def test_a_text_that_cannot_be_known_without_running_code_is_not_named(pair):
    calls = []

    class Talker:
        @property
        def text(self):
            calls.append(1)
            return "hello"

    found = explained("s.sendall(talker.text)", s=pair[0], talker=Talker())
    assert found.code == "str-for-bytes" and "these" not in found.title
    assert calls == [1], "the program asked once, and nobody else did"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('b"a" + "b"', "str-and-bytes"),
        ('"a" + b"b"', "str-and-bytes"),
        ('b"a,b".split(",")', "str-for-bytes"),
        ('b"bye".startswith("b")', "str-for-bytes"),
        ('"b" in b"bye"', "str-for-bytes"),
        ('"bye".startswith(b"b")', "bytes-for-str"),
        ('b"b" in "bye"', "bytes-for-str"),
        ("__import__('json').dumps(b'a')", "bytes-for-str"),
        ('b"a".encode()', "bytes-already"),
        ('"a".decode()', "text-already"),
        ("socket.socket().sendall(5)", "no-bytes"),
        ('socket.socket().bind("127.0.0.1", 8008)', "one-address"),
        ('socket.socket().connect("127.0.0.1")', "one-address"),
        ('socketserver.TCPServer("127.0.0.1", 8008, socketserver.BaseRequestHandler)', "one-address"),
        ('socket.socket().bind(("127.0.0.1", "8008"))', "port-is-text"),
        ("conn, address = socket.socket().accept", "not-called"),
        ("socket.socket().recv.decode()", "not-called"),
        ("socket.socket().recv()", "no-size"),
        ("socketserver.BaseRequestHandler()", "handler-object"),
        ('socket.create_server(("8.8.8.8", 0))', "not-this-machine"),
        ("socket.socket().accept()", "not-listening"),
        ("socket.socket().recv(1)", "not-connected"),
        ('b"\\xe4\\xbd".decode()', "half-character"),
        ('"你".encode("gbk")[:1].decode("gbk")', "half-character"),
        ("(b'ab', socket.socket()).recv(1)", "udp-pair"),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_recognised_by_python_s_own_words(line, code):
    found = explained(line)
    assert found.code == code, found
    assert found.line == line
    assert CHINESE.search(found.zh.title + found.zh.text), "in Chinese as well"


@pytest.mark.parametrize(
    "line",
    [
        "1 / 0",
        "int('')",
        'raise TypeError("something else")',
        'raise OSError("without a number")',
        'b"\\xff\\xfe".decode()',
        'b"\\xbd\\xa0".decode()',
        "().recv(1)",
        "('a', 'b').sendall",
        "[].decode",
        'open("/nowhere/at/all")',
        "int(b'x', 'y')",
    ],
)
def test_in_doubt_there_is_no_card(line):
    assert explained(line) is None


def test_in_a_cell_without_a_socket_python_s_words_may_be_about_anything(tmp_path, pair):
    program = 'open(path, "wb").write("text")'
    in_a_cell = teach.About("cell")
    assert explained(program, in_a_cell, path=tmp_path / "a") is None
    assert explained('b"a" + "b"', in_a_cell) is None
    assert explained('b"a" + "b"', in_a_cell, sock=pair[0]).code == "str-and-bytes"


def test_an_error_of_a_class_of_the_user_s_is_never_looked_into():
    class Odd(TypeError):
        def __str__(self):
            raise AssertionError("run by nobody")

        __getattr__ = __str__

    def fail():
        raise Odd("a bytes-like object is required, not 'str'")

    with pytest.raises(Odd) as caught:
        fail()
    assert teach.card_of(caught.value, HANDLER) is None


# --- half a character ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cut", "more"), [("你", 1, "2 bytes"), ("你", 2, "1 byte"), ("ok 😀", 4, "3 bytes"), ("é", 1, "1 byte")]
)
def test_how_many_bytes_are_missing(text, cut, more):
    found = explained("data.decode()", data=text.encode()[:cut])
    assert found.title == f"Half a character: {more} more"


@given(st.text(), st.integers(0, 80))
def test_what_a_piece_ends_with_is_the_half_that_python_misses(text, cut):
    piece = text.encode("utf-8", "surrogatepass")[:cut] if not any("\ud800" <= c <= "\udfff" for c in text) else b""
    half = half_at_the_end(piece)
    assert piece.endswith(half)
    assert piece[: len(piece) - len(half)].decode("utf-8") + half.decode("utf-8", "ignore") == piece.decode(
        "utf-8", "ignore"
    )


def test_the_second_half_is_known_by_the_piece_before():
    begin, rest = "你".encode()[:2], "你".encode()[2:]
    about = teach.About("handler", (b"abc" + begin, rest + b"def"))
    found = explained("data.decode()", about, data=rest + b"def")
    assert found.code == "second-half" and "`e4 bd a0` is one character" in found.text
    assert explained("data.decode()", teach.About("handler", (b"abc", rest)), data=rest) is None
    assert explained("data.decode()", teach.About("handler", (b"abc" + begin, b"other")), data=rest) is None


# --- sockets ------------------------------------------------------------------------------------------------


def test_the_line_that_closed_the_socket_is_named_if_there_is_only_one(pair):
    program = "def talk(sock):\n    sock.close()\n    sock.sendall(b'x')\ntalk(s)"
    found = explained(program, s=pair[0])
    assert found.code == "closed-socket" and found.title == "This socket was closed in line 2"
    assert "`sock.close()`" in found.text and found.where.endswith(", line 3")


def test_of_two_lines_that_close_it_none_is_named(pair):
    program = "def talk(sock):\n    sock.close()\n    sock.close()\n    sock.sendall(b'x')\ntalk(s)"
    assert explained(program, s=pair[0]).title == "This socket has been closed already"


def test_after_a_with_it_is_closed(pair):
    program = "def talk(s):\n    with s as sock:\n        pass\n    sock.recv(1)\ntalk(s)"
    assert explained(program, s=pair[0]).title == "This socket was closed in line 3"


def test_a_time_limit_of_its_own_is_told_from_the_system_s(pair):
    pair[0].settimeout(0.01)
    found = explained("s.recv(10)", s=pair[0])
    assert found.code == "timeout" and "nothing came" in found.text
    assert explained('raise TimeoutError(110, "Connection timed out")') is None


def test_refused_says_what_nbserver_listens_on():
    with socket.socket() as free, net.listen() as server:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        found = explained("socket.create_connection(address)", address=("127.0.0.1", port))
        asked = explained(f'socket.socket().connect(("127.0.0.1", {port}))')
        asyncio = explained(f"raise ConnectionRefusedError(111, \"Connect call failed ('127.0.0.1', {port})\")")
    for one in (found, asked, asyncio):
        assert one.title == f"Connection refused: nothing listens on {port}"
        assert f"nbserver listens on `{server.address_text}`" in one.text


def test_the_other_end_is_gone(pair):
    pair[1].close()
    program = "s.sendall(b'x' * 10)\ns.sendall(data)"
    client = teach.About("client")
    found = explained(program, client, s=pair[0], data=b"12345")
    assert found.code == "server-gone"
    assert explained("s.shutdown(1)\ns.sendall(b'x')", client, s=pair[0]) is None, "its own side was closed"
    assert explained("s.sendall(b'x')", teach.About("cell"), s=pair[0]) is None, "which end it is cannot be known"


# --- a port in use ------------------------------------------------------------------------------------------


def test_a_port_in_use_names_our_server_and_the_cell_that_made_it():
    with net.listen() as server:
        server.cell = "cell [7]"
        port = server.address[1]
        bare = explained(f'socketserver.TCPServer(("127.0.0.1", {port}), None)')
        with pytest.raises(AddressError) as caught:
            net.listen(address=("127.0.0.1", port))
        ours = teach.card_of(caught.value)
        for found in (bare, ours):
            assert found.title == f"Port {port} is in use: this notebook's cell [7] holds it"
            assert found.own_port == port
        assert found.zh.title == f"端口 {port} 被占用：占用者是本笔记本的单元格 [7]"
        assert net.take_over(port).stragglers == ()
        with pytest.raises(ValueError, match="no server of this notebook"):
            net.take_over(port)


def test_a_socket_of_this_process_that_is_no_server_of_ours_is_not_offered():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        found = explained("socket.create_server(address)", address=("127.0.0.1", port))
        assert found.own_port == 0 and found.code == "port-in-use"
        with pytest.raises(ValueError, match="no server of this notebook"):
            net.take_over(port)


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (teach.Holder("process", pid=12, name="nc"), "process 12 (`nc`) holds it"),
        (teach.Holder("user"), "a program of another user holds it"),
        (teach.Holder("waiting"), "connections that ended less than a minute ago"),
        (teach.Holder("here"), "this notebook itself holds it"),
        (teach.Holder(), "is in use"),
    ],
)
def test_who_holds_a_port(monkeypatch, holder, words):
    monkeypatch.setattr(teach.World, "holder", staticmethod(lambda address: holder))
    found = teach.card_of(AddressError("in use", 98, ("127.0.0.1", 8008)))
    assert words in found.title and "8008" in found.title and CHINESE.search(found.zh.title)


# --- the cards themselves -----------------------------------------------------------------------------------


def test_both_languages_say_the_same_cards_with_the_same_values():
    assert cardwords.ENGLISH.keys() == cardwords.CHINESE.keys()

    def fields(words):
        return {name for text in words for _, name, _, _ in string.Formatter().parse(text) if name}

    for code, english in cardwords.ENGLISH.items():
        chinese = cardwords.CHINESE[code]
        assert fields(english) == fields(chinese), code
        assert all(text.count("`") % 2 == 0 for text in (*english, *chinese)), code
        assert all(CHINESE.search(text) for text in chinese), code


@pytest.mark.parametrize("code", cardwords.ENGLISH)
@pytest.mark.parametrize(
    "value",
    ["<script>alert(1)</script>`" * 20, "\u202e" * 500, "你" * 500, "\ud800" * 100],
    ids=["markup", "hidden", "wide", "halves"],
)
def test_whatever_is_filled_in_a_card_fits_an_event_and_is_safe(code, value):
    names = {n for text in cardwords.ENGLISH[code] for _, n, _, _ in string.Formatter().parse(text) if n}
    made = card(code, None, 0, **dict.fromkeys(names, value))
    body = made.body().encode()
    assert len(body) <= KEPT_BYTES
    assert json.loads(body)["en"][0] == made.en.title
    assert "<script" not in made._repr_html_()
    assert all(text.replace("\n", "").isprintable() for text in (*made.en, *made.zh))
    assert all(text.count("`") % 2 == 0 for text in (*made.en, *made.zh))


def test_a_long_line_is_cut():
    found = explained(f"b'' + '{'你' * 4000}'")
    assert len(found.line) < 200 and len(found.body().encode()) <= KEPT_BYTES


def test_a_card_keeps_neither_frames_nor_variables_alive(pair):
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    found = explained("s.sendall('x')", s=pair[0], thing=thing)
    del thing
    gc.collect()
    assert found.code == "str-for-bytes" and gone() is None


def test_the_chosen_language_is_spoken():
    found = explained("b'' + 'x'")
    teach.speak("zh")
    try:
        assert found.title == found.zh.title and CHINESE.search(str(found))
    finally:
        teach.speak("")
    assert found.title == found.en.title
    assert str(found).splitlines()[0] == found.title
