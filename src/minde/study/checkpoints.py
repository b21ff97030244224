"""Checkpoints: the state of a training in one safetensors file, used only if intact and from the same training.

They are not an output of a rule, since Snakemake deletes the outputs of a job that fails or is stopped.
"""

import json
from pathlib import Path

import numpy as np

from minde import tensors
from minde.files import leftovers


class UnusableError(ValueError):
    """A checkpoint that cannot be resumed from; the message is the reason."""


def write(path: str | Path, state: dict[str, np.ndarray], curve: list[dict], identity: dict) -> None:
    """Replace the checkpoint atomically.

    `state` are the training's arrays, each `(replicates, …)`, `curve` the rows of its curve so far, `identity`
    everything that its numbers depend on: settings, samples, code, versions.
    """
    tensors.write(path, state, {"identity": identity, "curve": curve})


def read(path: str | Path, identity: dict) -> tuple[dict[str, np.ndarray], list[dict]]:
    """Read the arrays and the curve so far of the training with this identity.

    Raises FileNotFoundError if there is no checkpoint, and UnusableError if it is damaged or of another training,
    naming what differs.
    """
    try:
        state, found = tensors.read(path)
    except tensors.UnreadableError as error:
        raise UnusableError(f"it is damaged ({error})") from error
    if differences := _differences(found["identity"], json.loads(json.dumps(identity))):
        raise UnusableError(f"it is of another training ({'; '.join(differences)})")
    return state, found["curve"]


def remove(path: str | Path) -> None:
    """Remove a checkpoint, if there is one, and temporary files of writers that were killed."""
    path = Path(path)
    for left in (path, *leftovers(path)):
        left.unlink(missing_ok=True)


def _differences(there: dict, here: dict, where: str = "") -> list[str]:
    """Return every key whose value differs, with both values, shortened to 12 characters."""
    found = []
    for key in sorted(there.keys() | here.keys()):
        a, b = there.get(key), here.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += _differences(a, b, f"{where}{key}.")
        elif a != b:
            found.append(f"{where}{key} {str(a)[:12]} there, {str(b)[:12]} here")
    return found
