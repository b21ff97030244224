"""Checkpoints: where a training stands, in one safetensors file that is read whole and of this very training or not.

They are no output of a rule, since Snakemake deletes the outputs of a job that fails or is stopped.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .files import atomic


class UnusableError(ValueError):
    """A checkpoint that no training may go on from; the message is the reason."""


def write(path: str | Path, tensors: dict[str, np.ndarray], curve: list[dict], identity: dict) -> None:
    """Write a checkpoint whole, in place of the one before.

    `tensors` are the training's state, each `(replicates, …)`, `curve` the rows of its curve so far, `identity` all
    that its numbers depend on: settings, samples, code, versions.
    """
    text = json.dumps({"identity": identity, "curve": curve}, sort_keys=True)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    # Not by save_file, whose temporary file has a name of its own and would stay behind a process that is killed.
    content = save(tensors, metadata={"minde": text, "sha256": _sha256(tensors, text)})
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def read(path: str | Path, identity: dict) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Read the tensors and the curve so far of the training that has this identity.

    Raises FileNotFoundError where there is none, and UnusableError for one that is damaged or of another training,
    naming what differs.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            held = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, TypeError, ValueError) as error:  # the last two: names of types that numpy does not know
        raise UnusableError(f"it is damaged ({error})") from error
    text = held.get("minde", "")
    if held.get("sha256") != _sha256(tensors, text):
        raise UnusableError("it is damaged (its checksum is not that of its content)")
    found = json.loads(text)
    if differences := _differences(found["identity"], json.loads(json.dumps(identity))):
        raise UnusableError(f"it is of another training ({'; '.join(differences)})")
    return tensors, found["curve"]


def remove(path: str | Path) -> None:
    """Remove a checkpoint, if there is one, and what killed processes left of theirs while writing."""
    path = Path(path)
    for left in (path, *path.parent.glob(f".{path.name}.*.tmp")):
        left.unlink(missing_ok=True)


def _sha256(tensors: dict[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        digest.update(tensor)
    return digest.hexdigest()


def _differences(there: dict, here: dict, where: str = "") -> list[str]:
    """Every key whose value differs, with both values; long ones, such as hashes, in short."""
    found = []
    for key in sorted(there.keys() | here.keys()):
        a, b = there.get(key), here.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differences(a, b, f"{where}{key}.")
        elif a != b:
            found.append(f"{where}{key} {str(a)[:12]} there, {str(b)[:12]} here")
    return found
