"""Values of the student's program are shown without running any of the student's code, and bounded."""

from __future__ import annotations

import enum
import socket

import pytest

from nbserver import teach
from nbserver.teach import attributes_of, class_name, first_of, shown, type_name

RUN: list[str] = []  # what of the hostile classes' code was run


class HostileMeta(type):
    def __getattribute__(cls, name):
        RUN.append(f"type.{name}")
        return super().__getattribute__(name)

    def __hash__(cls):
        RUN.append("type.__hash__")
        return 1

    def __eq__(cls, other):
        RUN.append("type.__eq__")
        return True


class Hostile(metaclass=HostileMeta):
    def __getattribute__(self, name):
        RUN.append(name)
        return object.__getattribute__(self, name)

    def method(self, *args):
        RUN.append("special")
        return 10**9

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __hash__ = __bool__ = __index__ = method  # type: ignore[assignment]

    @property
    def trap(self):
        RUN.append("trap")

    @property
    def __class__(self):
        RUN.append("__class__")
        return int


class Text(str):
    def __repr__(self):
        RUN.append("Text.__repr__")
        return "ran"


@pytest.fixture
def hostile():
    one = Hostile()
    object.__setattr__(one, "kept", 1)
    RUN.clear()
    return one


def test_no_code_of_the_students_runs(hostile):
    assert shown(hostile) == "<Hostile object>"
    assert shown([hostile, {"key": hostile}]) == "[<Hostile object>, {'key': <Hostile object>}]"
    assert shown(Text("x")) == "<Text object>"
    assert attributes_of(hostile) == [("kept", 1)]
    assert type_name(hostile) == "Hostile"
    assert not teach.is_hidden(type(hostile))
    assert RUN == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (10**30, str(10**30)),
        (1 << 1000, "an int of 1001 bits"),
        ("it's\x1b[2J", "'it\\'s\\x1b[2J'"),
        ("x" * 100, f"'{'x' * 80}…'"),
        (b"\x00a", "b'\\x00a'"),
        (b"a" * 100, f"b'{'a' * 80}'… (100 bytes)"),
        ((1,), "(1,)"),
        ([[[[1]]]], "[[[…]]]"),
        ({}, "{}"),
        (set(), "set()"),
        ({1}, "{1}"),
        (frozenset({1}), "frozenset({1})"),
        (list(range(1000)), "[0, 1, 2, 3, 4, 5, … 1000 in all]"),
        ({"a": {"b": {"c": 1}}}, "{'a': {'b': {…}}}"),
        (socket.AF_INET, "AddressFamily.AF_INET"),
        (enum.Enum("E", "x").x, "E.x"),  # type: ignore[attr-defined]
        (print, "<builtin_function_or_method object>"),
    ],
)
def test_python_s_own_types_are_shown_by_value_and_bounded(value, text):
    assert shown(value) == text


def test_what_contains_itself_and_what_is_huge_does_not_hurt():
    cycle: list[object] = []
    cycle.append(cycle)
    assert shown(cycle) == "[[[…]]]"
    wide: list[object] = [0]
    for _ in range(100):
        wide = [wide] * 100
    assert len(shown(wide)) < 1000


def test_what_changes_while_one_looks_raises_nothing():
    class Changing:
        def __iter__(self):
            yield 1
            raise RuntimeError("dictionary changed size during iteration")

    assert first_of({1: 2}.items(), 5) == [(1, 2)]
    assert first_of(Changing(), 1) == [1]
    assert first_of(Changing(), 5) is None


def test_a_class_may_be_named_anything():
    assert class_name(type("<img src=x>\n\u202e" + "x" * 200, (), {})) == "<img src=x>\\n\\u202e" + "x" * 47 + "…"


def test_an_object_without_a_dictionary_holds_nothing():
    class Slots:
        __slots__ = ("a",)

    assert attributes_of(Slots()) == [] == attributes_of(3)
