"""Python's own tests of socketserver, run on the observed classes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import socketserver, sys, unittest
from nbserver.net import Observed, observed_class
for name, cls in list(vars(socketserver).items()):
    if isinstance(cls, type) and issubclass(cls, socketserver.BaseServer) and name != "BaseServer":
        setattr(socketserver, name, observed_class(cls))
        assert issubclass(getattr(socketserver, name), Observed)
from test import support
support.use_resources = ["network"]
unittest.main("test.test_socketserver", argv=["suite", "-v"])
"""


def test_pythons_own_tests_pass_on_the_observed_classes(tmp_path):
    found = subprocess.run([sys.executable, "-c", "import test.test_socketserver"], capture_output=True, text=True)
    assert found.returncode == 0, (
        f"this Python ({sys.executable}) has no test package: install it "
        f"(Debian: apt-get install libpython3-testsuite, Fedora: dnf install python3-test)\n{found.stderr}"
    )
    done = subprocess.run(
        [sys.executable, "-c", SUITE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    ran = re.search(r"^Ran (\d+) tests.*\n\n(OK.*)\n", done.stderr, re.MULTILINE)
    assert done.returncode == 0 and ran, done.stdout + done.stderr
    assert int(ran[1]) >= 20
    assert ran[2] == "OK", done.stderr  # and not "OK (skipped=3)"
