"""What a cell shows beside its result, and what becomes of it later."""

from __future__ import annotations

import secrets

from .cells import shell


class Output:
    """One output that is shown in any number of cells, and refreshed in all of them.

    A page knows an output that it has received by its name, until the page is loaded anew. What is refreshed after that
    is not shown there, nor saved.
    """

    def __init__(self) -> None:
        """Shown nowhere yet."""
        self._name = {"display_id": f"nbserver-{secrets.token_hex(8)}"}

    def show(self, data: dict[str, str]) -> None:
        """Show it in the cell that runs, too. Thread: the main one."""
        shell().display_pub.publish(data=data, metadata={}, transient=self._name)

    def refresh(self, data: dict[str, str]) -> None:
        """Show `data` in its place, wherever it is shown. Thread: the main one or the publisher."""
        shell().display_pub.publish(data=data, metadata={}, transient=self._name, update=True)
