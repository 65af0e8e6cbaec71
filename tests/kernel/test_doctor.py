"""What the doctor says of limits."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import pytest

doctor = importlib.import_module("nbserver.kernel.doctor")  # the module: the package has a function of this name


@pytest.mark.parametrize("name", ["/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"], ids=["v2", "v1"])
def test_fault_27_the_limit_of_processes_and_threads_is_shown(monkeypatch, tmp_path, name):
    file = tmp_path / name[1:]
    file.parent.mkdir(parents=True)
    file.write_text("2048\n")
    monkeypatch.setattr(doctor, "Path", lambda path: tmp_path / path[1:] if path.startswith("/sys/") else Path(path))
    facts = dict(doctor.doctor().facts)
    assert facts["threads"] == f"{threading.active_count()} alive, the container allows 2048"
