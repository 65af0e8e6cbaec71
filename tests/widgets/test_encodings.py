"""What the board takes for a character, against the browser's own strict decoder and against Python's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbserver.widgets.hub import ENCODINGS
from nbserver.widgets.pack import pack

from .conftest import WIDGETS, Board

LOAD = "async (text) => (await import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))).default"
# Every pair of bytes that our tables take for whole characters and a strict decoder does not, or the other way round.
COMPARE = """
import { codecOf, ENCODINGS } from "CODECS";
const strict = (data, label) => {
  try { return new TextDecoder(label, { fatal: true }).decode(data) !== null; } catch { return false; }
};
const found = [];
for (const encoding of ENCODINGS.filter((name) => !["ascii", "latin-1", "windows-1252"].includes(name))) {
  const { lengthAt } = codecOf(encoding);
  const compare = (...values) => {
    const data = Uint8Array.from(values);
    let at = 0;
    for (let length = 1; length > 0 && at < data.length; at += length) length = lengthAt(data, at);
    if ((at === data.length) !== strict(data, encoding)) found.push([encoding, ...values]);
  };
  for (let pair = 0; pair < 0x10000; pair++) compare(pair >> 8, pair & 255);
  if (encoding !== "gbk") continue;
  for (const first of [0x81, 0x84, 0x85, 0x8f, 0x90, 0xe3, 0xe4, 0xfe]) {
    for (const second of [0x30, 0x31, 0x32, 0x39]) {
      for (const third of [0x81, 0x9a, 0x9b, 0xa4, 0xa5, 0xfe]) {
        for (let fourth = 0x30; fourth <= 0x39; fourth++) compare(first, second, third, fourth);
      }
    }
  }
}
export default [ENCODINGS, found];
"""


def test_characters_are_what_the_browser_says(board: Board, tmp_path: Path) -> None:
    entry = tmp_path / "entry.js"
    entry.write_text(COMPARE.replace("CODECS", os.path.relpath(WIDGETS / "js/encodings.js", tmp_path)))
    names, found = board.page.evaluate(LOAD, pack(entry))
    assert tuple(names) == ENCODINGS
    euro = [
        each for each in found if each[0] == "gbk" and 0x80 in each[1:3]
    ]  # browsers read 0x80 as €, Python refuses it
    assert [each for each in found if each not in euro] == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_python_knows_it_by_the_same_name(encoding: str) -> None:
    assert (
        b"h\x00i\x00".decode("utf-16le") == "hi" if encoding == "utf-16le" else "hi".encode(encoding).decode(encoding)
    )
