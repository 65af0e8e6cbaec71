"""``asyncio.run()`` in a cell, for those who ask for it."""

from __future__ import annotations

import asyncio


def allow_nested_asyncio() -> None:
    """Let ``asyncio.run()`` work in a cell, where a loop runs already.

    It patches asyncio for the whole session and cannot be undone without a restart of the kernel, so nbserver never
    does it by
    itself: a program under ``%%server`` or ``%%client`` has a thread of its own, where ``asyncio.run()`` works as it
        is.
    """
    import nest_asyncio

    nest_asyncio.apply()


def is_nested_asyncio() -> bool:
    """Whether asyncio has been patched so."""
    return hasattr(asyncio, "_nest_patched")
