"""The outputs of a training: weights in safetensors, and the training curve in Parquet.

`minde.tensors` is imported only by what handles weights: figures of training curves do without safetensors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from minde.files import remedy

from .results import read_parquet

CURVE_SCHEMA = pa.schema(
    [
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("step", pa.int64(), nullable=False, metadata={"unit": "steps done"}),
        # Mean of the replicate's own loss over the last few steps.
        pa.field("loss", pa.float64(), nullable=False, metadata={"unit": "1"}),
        pa.field("estimator", pa.string(), nullable=False),
        pa.field("estimate", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        pa.field("std_error", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        # Device time since the first step: the replicate's share of its stack's time.
        pa.field("seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
    ]
)


def curve_table(rows: list[dict]) -> pa.Table:
    """Return rows of a training curve as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=CURVE_SCHEMA)


def read_curve(path: str | Path) -> tuple[pa.Table, dict]:
    """Read a training curve and its provenance. Raises ValueError like `results.read_parquet`."""
    return read_parquet(path, CURVE_SCHEMA, "training curve", ("train",))


def train_seconds(path: str | Path) -> dict[int, float]:
    """Return the training time of each replicate (device seconds), from its training curve."""
    table, _ = read_curve(path)
    longest: dict[int, float] = {}
    for replicate, seconds in zip(*(table[name].to_pylist() for name in ("replicate", "seconds")), strict=True):
        longest[replicate] = max(seconds, longest.get(replicate, 0.0))
    return longest


def write_weights(path: str | Path, tensors: dict[str, np.ndarray], provenance: dict) -> None:
    """Write a cell's tensors, each `(replicates, …)`, with their provenance in the file's metadata."""
    from minde.tensors import write

    write(path, tensors, provenance)


def read_weights(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Read a cell's tensors and their provenance.

    Raises ValueError naming the file and the rule that makes it, if it is damaged or has no provenance.
    """
    from minde.tensors import read

    with _explained(path):
        return read(path)


def read_provenance(path: str | Path) -> dict:
    """Read the provenance of a cell's tensors only. Raises ValueError like `read_weights`, if the header is damaged."""
    from minde.tensors import read_header

    with _explained(path):
        return read_header(path)


@contextmanager
def _explained(path: str | Path) -> Iterator[None]:
    from minde.tensors import UnreadableError

    try:
        yield
    except UnreadableError as error:
        raise ValueError(f"{path} does not hold the weights of a cell ({error}); {remedy('train')}") from error
