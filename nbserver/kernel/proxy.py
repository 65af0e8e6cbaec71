"""Is there a jupyter-server-proxy, by which a browser reaches a port of the kernel's machine?"""

from __future__ import annotations

from importlib.util import find_spec


def has_server_proxy() -> bool:
    """Whether it is installed where this kernel runs, which on Binder is where the notebook's server runs, too."""
    return find_spec("jupyter_server_proxy") is not None
