"""What the machine allows, read from files as the systems write them."""

from __future__ import annotations

import os
import threading

import pytest

from nbserver.kernel import machine

V2 = "30 23 0:26 {shown} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "40 23 0:30 {shown} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "41 23 0:31 {shown} /sys/fs/cgroup/pids rw shared:5 - cgroup cgroup rw,pids\n"
)
OTHER = os.getuid() + 1 if 1000 <= os.getuid() < 59_000 else 1000


def tree(root, **files):
    """A small root folder; a name is a path with `/` as `__`."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "mounts", "folders", "expected"),
    [
        pytest.param("0::/\n", V2.format(shown="/"), {"": (120, 2048)}, (120, 2048), id="a container of its own"),
        pytest.param(
            "0::/user.slice/user-1000.slice/app.slice\n",
            V2.format(shown="/"),
            {"user.slice/user-1000.slice/app.slice": (10, "max"), "user.slice/user-1000.slice": (900, 1000)},
            (900, 1000),
            id="the limit is set on a group that holds ours",
        ),
        pytest.param(
            "0::/a/b\n",
            V2.format(shown="/"),
            {"a/b": (10, 50), "a": (95, 100)},
            (95, 100),
            id="the one with less room bites first",
        ),
        pytest.param(
            "9:memory:/docker/abc\n8:pids:/docker/abc\n",
            V1.format(shown="/docker/abc"),
            {"pids": (7, 4096), "pids/docker/abc": (1, 1)},
            (7, 4096),
            id="version 1, told as seen from outside the container",
        ),
        pytest.param(
            "8:pids:/mine\n0::/\n",
            V1.format(shown="/") + V2.format(shown="/").replace("cgroup rw,", "cgroup/unified rw,"),
            {"pids/mine": (3, 64), "pids": (5, "max")},
            (3, 64),
            id="both versions at once",
        ),
        pytest.param("0::/../..\n", V2.format(shown="/"), {"": (2, 90)}, (2, 90), id="a group outside what is shown"),
        pytest.param("0::/\n", V2.format(shown="/"), {"": (120, "max")}, None, id="no limit"),
        pytest.param("0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", {}, None, id="no control groups are shown"),
    ],
)
def test_limit_of_the_container(tmp_path, groups, mounts, folders, expected):
    tree(tmp_path, proc__self__cgroup=groups, proc__self__mountinfo=mounts)
    for folder, (used, most) in folders.items():
        place = tmp_path / "sys/fs/cgroup" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "pids.current").write_text(f"{used}\n")
        (place / "pids.max").write_text(f"{most}\n")
    limit = machine.container_limit(tmp_path)
    assert (limit and (limit.used, limit.most)) == expected


def test_a_system_without_such_files_has_no_such_limits(tmp_path):
    assert machine.container_limit(tmp_path) is None
    assert machine.other_people(tmp_path) == []


def test_threads_of_this_user_are_counted_on_the_whole_machine(tmp_path, monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (500, 600))
    status = "Name:\tpython\nUid:\t{0}\t0\t0\t0\nThreads:\t{1}\n".format
    tree(tmp_path, proc__7__status=status(os.getuid(), 3), proc__8__status=status(OTHER, 40))
    tree(tmp_path, proc__9__status=status(os.getuid(), 4), proc__cpuinfo="")
    limit = machine.user_limit(tmp_path)
    assert (limit.used, limit.most, limit.left) == (7, 500, 493)
    assert machine.user_limit().used >= threading.active_count()


def test_other_people_have_a_home_or_a_process(tmp_path):
    accounts = [("root", 0, "/root"), ("me", os.getuid(), ""), ("alice", OTHER, "/home/alice"), ("nobody", 65534, "/")]
    accounts += [("bob", OTHER + 1, "/home/bob"), ("gone", OTHER + 2, "/home/gone")]
    passwd = "# people\n+::::::\n" + "".join(f"{name}:x:{uid}:1::{home}:/bin/sh\n" for name, uid, home in accounts)
    tree(tmp_path, etc__passwd=passwd, proc__5__status=f"Uid:\t{OTHER + 1}\nThreads:\t1\n")
    tree(tmp_path, home__alice__file="", root__file="", proc__6__status=f"Uid:\t{OTHER + 3}\nThreads:\t1\n")
    assert machine.other_people(tmp_path) == ["alice", "bob", f"user {OTHER + 3}"]
