"""Weights are read as they were written, or refused."""

import numpy as np
import pytest

from minde import tensors
from minde.study import weights


def test_weights_round_trip_even_as_views(tmp_path) -> None:
    """Views of a larger array, like a stack's parameters, also with another axis order."""
    stack = np.arange(2 * 30, dtype=np.float32).reshape(2, 30)
    written = {"a": stack[:, 5:15].reshape(2, 5, 2), "b": stack[:, 20:], "c": stack.T}
    path = tmp_path / "weights.safetensors"
    tensors.write(path, written, {"settings": {"task": "σ"}})
    found, provenance = weights.read(path)
    assert provenance == {"settings": {"task": "σ"}}
    assert found.keys() == written.keys()
    for name, tensor in written.items():
        np.testing.assert_array_equal(found[name], tensor)


def test_the_same_weights_are_the_same_bytes(tmp_path) -> None:
    for name in ("one", "two"):
        tensors.write(tmp_path / name, {"b": np.ones(3), "a": np.zeros(2)}, {"settings": {}})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_provenance_is_read_without_the_tensors(tmp_path) -> None:
    tensors.write(tmp_path / "weights", {"a": np.zeros(100)}, {"settings": {"task": "σ"}})
    assert weights.read_provenance(tmp_path / "weights") == {"settings": {"task": "σ"}}


def truncated(content: bytes) -> bytes:
    return content[:-9]


def with_a_flipped_bit(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("damage", [truncated, with_a_flipped_bit])
def test_damaged_weights_are_named_with_the_rule_that_makes_them(tmp_path, damage) -> None:
    path = tmp_path / "weights.safetensors"
    tensors.write(path, {"a": np.zeros(100)}, {"settings": {}})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"weights.safetensors does not hold the weights.*the rule `train` makes it"):
        weights.read(path)


def test_foreign_weights_are_named(tmp_path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other.safetensors does not hold the weights of a cell \(it has no header"):
        weights.read(tmp_path / "other.safetensors")


def test_missing_weights_are_a_missing_file(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        weights.read(tmp_path / "nowhere.safetensors")
