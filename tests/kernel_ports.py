"""Ports of kernels that no other test can take in the second between their choice and the kernel's start.

What starts kernels here imports it. A kernel that finds its port taken dies.
"""

from jupyter_client.connect import LocalPortCache

from tests.conftest import a_free_port


class FreePorts(LocalPortCache):
    """In the place of Jupyter's, which chooses among those that the system gives to everybody."""

    def find_available_port(self, ip: str) -> int:  # noqa: ARG002 - on this machine, as all kernels of the tests
        return a_free_port()


FreePorts.instance()  # from now on LocalPortCache.instance() is this one
