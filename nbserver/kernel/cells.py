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


def current_cell() -> Cell:
    """The cell that runs now; an empty one outside IPython. Thread: the main one."""
    ip = shell()
    if ip is None:
        return Cell("", 0)
    parent = ip.get_parent() if hasattr(ip, "get_parent") else {}
    # JupyterLab, Notebook 7 and nbclient name the cell in the request; where nobody does, its text is what stays the
    # same.
    cell_id = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", "")
    # Newer IPythons count on before the cell runs, older ones after it: what is being run knows its own number.
    running = getattr(ip.displayhook, "exec_result", None)
    return Cell(cell_id, getattr(running, "execution_count", None) or ip.execution_count)
