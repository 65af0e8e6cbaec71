"""Which code is the student's, and what is said of its lines."""

from __future__ import annotations

import ast
import os
import socket
import sys

import pytest

from nbserver.teach import Cells, Line, is_ours, is_students, student

CELL = "/tmp/ipykernel_7/123.py"


def test_whose_code_it_is():
    assert is_students(__file__)
    assert is_students(CELL)
    assert not any(map(is_students, (socket.__file__, student.__file__, pytest.__file__, "<frozen importlib>")))
    assert not is_students(os.path.join("elsewhere", "dist-packages", "module.py"))
    assert is_ours(student.__file__)
    assert not is_ours(__file__)


def test_what_is_known_of_files_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(student, "_MOST_FILES", 10)
    files = student._Files()
    assert all(files[f"/tmp/ipykernel_7/{n}.py"] for n in range(50))
    assert len(files) <= 11


def test_a_line_says_where_it_stands(monkeypatch):
    line = Line(__file__, sys._getframe().f_lineno)
    assert line.text == "line = Line(__file__, sys._getframe().f_lineno)"
    assert str(line) == f"test_student.py, line {line.number}: {line.text}"
    monkeypatch.setattr(Cells, "numbers", {CELL: 3})
    assert str(Line(CELL, 2)) == "cell [3], line 2"


def test_a_line_is_one_printable_line_and_a_backslash_stays_one(tmp_path):
    (tmp_path / "program.py").write_text('    sock.sendall(b"a\\n")  # \u202e\n', encoding="utf-8")
    assert Line(str(tmp_path / "program.py"), 1).said == 'line 1: sock.sendall(b"a\\n")  # \\u202e'


def test_a_program_is_read_once_more_when_another_thread_has_disturbed_the_reading(monkeypatch):
    parse, disturbed = ast.parse, [SystemError("AST constructor recursion depth mismatch (before=45, after=40)")]

    def once(*args, **options):
        if disturbed:
            raise disturbed.pop()
        return parse(*args, **options)

    monkeypatch.setattr(ast, "parse", once)
    assert ast.dump(student.parsed("1 + 1", "eval")) == ast.dump(parse("1 + 1", mode="eval"))
    assert not disturbed
