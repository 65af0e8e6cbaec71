"""Which cell runs now, and under which number does the user know it?"""

from __future__ import annotations

from typing import Any, NamedTuple

from IPython.core.getipython import get_ipython


class Cell(NamedTuple):
    """A cell of the notebook.

    Attributes:
        id: The same in every run of the cell; "" outside a notebook.
        run: Which execution this is: the number in brackets beside it.
    """

    id: str
    run: int

    def __str__(self) -> str:
        return f"cell [{self.run}]" if self.run else ""


def shell() -> Any:
    """The IPython shell of this process, or None."""
    return get_ipython()  # type: ignore[no-untyped-call]


def cell_of(filename: str) -> str:
    """The cell whose code has this file name, as its number says: ``cell [3]``; "" if it is none."""
    known = getattr(getattr(shell(), "compile", None), "format_code_name", lambda name: None)(filename)
    return f"cell {known[1].removeprefix('In')}" if known else ""


def current_cell() -> Cell:
    """The cell that runs now; an empty one outside IPython. Thread: the main one."""
    ip = shell()
    if ip is None:
        return Cell("", 0)
    parent = ip.get_parent() if hasattr(ip, "get_parent") else {}
    # JupyterLab, Notebook 7 and nbclient name the cell in the request; where nobody does, its text is what stays the
    # same.
    cell_id = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", "")
    # Not execution_count: newer IPythons have counted on to the next cell already while this one runs.
    return Cell(cell_id, len(ip.history_manager.input_hist_parsed) - 1)
