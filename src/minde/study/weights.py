"""Weights of a cell, which its training writes by `minde.tensors`: read, or refused with what makes them anew."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from minde import tensors
from minde.files import remedy


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Read a cell's tensors, each `(replicates, …)`, and their provenance.

    Raises ValueError naming the file and the rule that makes it, if it is damaged or has no provenance.
    """
    return _read(tensors.read, path)


def read_provenance(path: str | Path) -> dict:
    """Read the provenance of a cell's tensors only. Raises ValueError like `read`, if the header is damaged."""
    return _read(tensors.read_header, path)


def _read(read: Callable, path: str | Path):
    try:
        return read(path)
    except tensors.UnreadableError as error:
        raise ValueError(f"{path} does not hold the weights of a cell ({error}); {remedy('train')}") from error
