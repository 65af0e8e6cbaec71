"""The class map as text for a terminal, and as Mermaid."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .classmap import Branch, Level, Lookup, Relative

_WIDTH = 110
_TITLES = {"server": "Server class", "handler": "Request class"}
_MEMBERS = 12  # of one class, in a diagram


def branch_text(branch: Branch) -> str:
    """The order, with what each class defines; the family tree; and what comes too late."""
    lines = [f"{_TITLES[branch.what]} {branch.name}: a name is looked up in this order", ""]
    seen: set[str] = set()
    width = max(len(level.name) for level in branch.levels)
    last = len(branch.levels) - 1
    for at, level in enumerate(branch.levels):
        later = {one.name for other in branch.levels[at + 1 : last] for one in other.definitions}
        lines += _level_lines(at + 1, level, width, seen, later)
        seen.update(one.name for one in level.definitions)
    if branch.own:
        lines += ["", *textwrap.wrap(f"The object itself holds, before any class: {', '.join(branch.own)}", _WIDTH)]
    lines += ["", "   name* overrides a later class's, (name) is hidden by an earlier one: super() reaches it"]
    for level in branch.late:
        lines += textwrap.wrap(late_text(branch, level), _WIDTH, initial_indent="   ! ", subsequent_indent="     ")
    if branch.family:
        lines += ["", f"Family of {branch.family[0].name}", "", *_tree(branch.family)]
    return "\n".join(lines)


def late_text(branch: Branch, level: Level) -> str:
    """What a mix-in in the wrong place does."""
    first = branch.levels[0].name
    names = ", ".join(level.late)
    return (
        f"{level.name} stands too late in the brackets of {first}: what it changes there "
        f"({names}) is found in an earlier class, so it does nothing. A mix-in comes first."
    )


def _level_lines(number: int, level: Level, width: int, seen: set[str], later: set[str]) -> list[str]:
    head = f"  {number:2}. {level.name:{width}}  "
    names = []
    for one in level.definitions if level.origin != "python" else ():
        call = f"{one.name}()" if one.kind == "method" else f"{one.name} = {one.value}" if one.value else one.name
        names.append(f"({call})" if one.name in seen else f"{call}*" if one.name in later else call)
    text = ", ".join(names) or f"({level.module})"
    body = textwrap.wrap(text, max(30, _WIDTH - len(head)), break_long_words=False) or [""]
    return [head + body[0], *(" " * len(head) + line for line in body[1:])]


def _tree(family: tuple[Relative, ...]) -> Iterator[str]:
    marks = {"this": "   <== this one", "ancestor": "   <-- inherited", "": ""}
    for at, one in enumerate(family):
        rails = ""
        for depth in range(1, one.depth + 1):
            following = next((other.depth for other in family[at + 1 :] if other.depth <= depth), 0)
            is_more = following == depth
            rails += ("├── " if is_more else "└── ") if depth == one.depth else ("│   " if is_more else "    ")
        bases = f"({', '.join(one.bases)})" if one.depth else ""
        yield f"  {rails}{one.name}{bases}{marks[one.place]}"


def lookup_text(lookup: Lookup) -> str:
    """The way of one name, in a sentence."""
    asked = [name for name, state in lookup.steps if state == "not here"]
    before = f"not in {', not in '.join(asked)}" if asked else ""
    if lookup.found is None:
        return f"{lookup.name}: {before}: found in no class. AttributeError"
    holder = "the object itself" if lookup.found == "self" else lookup.found
    place = lookup.definition.place if lookup.definition else None
    text = f"{lookup.name}: {before + ', ' if before else ''}found in {holder}" + (f" ({place})" if place else "")
    if not lookup.hidden:
        return text
    return f"{text}; {', '.join(lookup.hidden)} {'has' if len(lookup.hidden) == 1 else 'have'} one, too: hidden"


def mermaid(branches: tuple[Branch, ...]) -> str:
    """A class diagram of these branches, and who makes whom."""
    lines = ["classDiagram", "    direction BT"]
    for branch in branches:
        lines += _diagram(branch)
    if len(branches) == 2:
        lines.append("    server0 ..> handler0 : one object for each client")
    return "\n".join(lines)


def _diagram(branch: Branch) -> Iterator[str]:
    seen: set[str] = set()
    for at, level in enumerate(branch.levels[:-1]):  # without `object`
        yield f'    class {branch.what}{at}["{_plain(level.name)}"] {{'
        names = [one for one in level.definitions if one.name.isidentifier()]
        for one in names[:_MEMBERS]:
            hidden = " (hidden)" if one.name in seen else ""
            # Two low lines would begin bold letters.
            yield f"        {one.name.replace('_', '#95;')}{'()' if one.kind == 'method' else ''}{hidden}"
        if len(names) > _MEMBERS:
            yield f"        and {len(names) - _MEMBERS} more"
        yield "    }"
        seen.update(one.name for one in level.definitions)
    for at, level in enumerate(branch.levels[:-1]):
        for base in level.bases:
            if base < len(branch.levels) - 1:
                yield f"    {branch.what}{at} --|> {branch.what}{base}"


def _plain(name: str) -> str:
    """A class may be named anything: what could end the label becomes a low line."""
    return "".join(letter if letter.isalnum() or letter in "_." else "_" for letter in name)
