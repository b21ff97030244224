"""Atomic writes leave a whole file or none, and clear up after processes that were killed."""

import os
import time

import pytest

from minde.files import DAY, atomic


def test_a_failed_write_keeps_what_was_there(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("before")

    def fail() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_is_removed_when_a_day_old(tmp_path) -> None:
    path = tmp_path / "file[1]"  # with characters that mean something in patterns
    old, young, another = (tmp_path / name for name in (".file[1].1.tmp", ".file[1].2.tmp", ".file1.1.tmp"))
    for left in (old, young, another):
        left.write_text("half")
    for left in (old, another):
        os.utime(left, (time.time() - DAY - 1,) * 2)
    with atomic(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert {left.name for left in tmp_path.iterdir()} == {path.name, young.name, another.name}
