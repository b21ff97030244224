"""A checkpoint is read unchanged by its own training, or refused with the reason."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minde.study import checkpoints

TENSORS = {"step": np.array([32, 0]), "parameters": np.arange(6, dtype=np.float32).reshape(2, 3)}
CURVE = [{"step": 32, "estimator": "σ", "estimate": 0.1}]
IDENTITY = {"settings": {"task": "a", "training": {"learning_rate": 20.0}}, "code": "0123456789abcdef"}


@pytest.fixture
def path(tmp_path):
    """A checkpoint of two replicates."""
    checkpoints.write(tmp_path / "state/cell.safetensors", TENSORS, CURVE, IDENTITY)
    return tmp_path / "state/cell.safetensors"


def test_a_checkpoint_comes_back(path) -> None:
    tensors, curve = checkpoints.read(path, IDENTITY)
    assert curve == CURVE
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == TENSORS[name].dtype
        np.testing.assert_array_equal(tensor, TENSORS[name])


def test_no_checkpoint_is_a_missing_file(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        checkpoints.read(tmp_path / "nowhere", IDENTITY)


def test_any_flipped_bit_is_found(path) -> None:
    whole = path.read_bytes()
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            with pytest.raises(checkpoints.UnusableError, match="it is damaged"):
                checkpoints.read(path, IDENTITY)


def test_a_truncated_file_is_found_at_any_length(path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(checkpoints.UnusableError, match="it is damaged"):
            checkpoints.read(path, IDENTITY)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"code": "f" * 64}, "code 0123456789ab there, ffffffffffff here"),
        ({"settings": {"task": "b", "training": {"learning_rate": 20}}}, "settings.task a there, b here"),
        (
            {"settings": {"task": "a", "training": {"learning_rate": 10, "times": "iid"}}},
            "settings.training.learning_rate 20.0 there, 10 here; settings.training.times None there, iid here",
        ),
    ],
)
def test_a_checkpoint_of_another_training_says_what_differs(path, changed: dict, reason: str) -> None:
    with pytest.raises(checkpoints.UnusableError) as error:
        checkpoints.read(path, IDENTITY | changed)
    assert str(error.value) == f"it is of another training ({reason})"


def test_an_interrupted_write_leaves_the_checkpoint_before(path, monkeypatch) -> None:
    def write_half(temporary, content):
        with temporary.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(OSError, match="no space"):
        checkpoints.write(path, {"step": np.array([64, 0])}, [], IDENTITY)
    assert checkpoints.read(path, IDENTITY)[1] == CURVE
    assert list(path.parent.iterdir()) == [path]


def test_removal_takes_what_killed_writers_left_and_nothing_else(path) -> None:
    (path.parent / f".{path.name}.123.tmp").write_bytes(b"half")
    other = path.parent / ".other.safetensors.123.tmp"
    other.write_bytes(b"half")
    checkpoints.remove(path)
    checkpoints.remove(path)
    assert list(path.parent.iterdir()) == [other]


WRITER = """
import sys, numpy as np
from minde.study import checkpoints
while True:
    checkpoints.write(sys.argv[1], {"step": np.zeros(2), "parameters": np.zeros((2, 10_000_000))}, [], {})
"""


def test_a_writer_killed_in_the_middle_leaves_nothing_that_removal_misses(path) -> None:
    """Killed in the middle of writing, when a file of another name is in the folder."""
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while all(file == path for file in path.parent.iterdir()):
            assert writer.poll() is None
            time.sleep(0.001)
        writer.kill()
        writer.wait()
        checkpoints.remove(path)
        assert not list(path.parent.iterdir())
