"""What a training leaves: weights in safetensors, and the training curve in Parquet.

safetensors is imported where weights are: figures of training curves do without it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .files import atomic

CURVE_SCHEMA = pa.schema(
    [
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("step", pa.int64(), nullable=False, metadata={"unit": "steps done"}),
        # Mean over the last few steps of each replicate's own loss.
        pa.field("loss", pa.float64(), nullable=False, metadata={"unit": "1"}),
        pa.field("estimator", pa.string(), nullable=False),
        pa.field("estimate", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        pa.field("std_error", pa.float64(), nullable=False, metadata={"unit": "nats"}),
        # Time on its device since the first step: the replicate's share of its stack's.
        pa.field("seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
    ]
)


def curve_table(rows: list[dict]) -> pa.Table:
    """Rows of a training curve as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=CURVE_SCHEMA)


def read_curve(path: str | Path) -> tuple[pa.Table, dict]:
    """Read a training curve and what made it.

    Raises ValueError naming the path and the rule that makes it again, when the file is truncated or foreign.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        found = str(error)
    else:
        if table.schema.equals(CURVE_SCHEMA):
            return table, json.loads(table.schema.metadata[b"minde"])
        found = f"found columns {', '.join(table.column_names)}"
    raise ValueError(
        f"{path} is not a readable training curve ({found}); delete it and run the workflow again: the rule `train` "
        "makes it"
    )


def train_seconds(path: str | Path) -> dict[int, float]:
    """How long each replicate has trained, by a training curve."""
    table, _ = read_curve(path)
    of_each: dict[int, float] = {}
    for replicate, seconds in zip(*(table[name].to_pylist() for name in ("replicate", "seconds")), strict=True):
        of_each[replicate] = max(seconds, of_each.get(replicate, 0.0))
    return of_each


def write_weights(path: str | Path, tensors: dict[str, np.ndarray], provenance: dict) -> None:
    """Write a stack's tensors, each `(replicates, …)`, with what made them in the file's metadata."""
    from safetensors.numpy import save

    # safetensors writes the memory behind an array, whatever its strides: a view of a stack would come back as garbage.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    content = save(tensors, metadata={"minde": json.dumps(provenance, sort_keys=True)})
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def read_weights(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Read a stack's tensors and what made them.

    Raises ValueError naming the path and the rule that makes it again, when the file is truncated or foreign.
    """
    with _open(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        return tensors, json.loads(file.metadata()["minde"])


def read_provenance(path: str | Path) -> dict:
    """Read what made a stack's tensors, and none of them. Raises ValueError like `read_weights`."""
    with _open(path) as file:
        return json.loads(file.metadata()["minde"])


@contextmanager
def _open(path: str | Path) -> Iterator:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            if "minde" in (file.metadata() or {}):
                yield file
                return
            found = "no metadata of ours"
    except SafetensorError as error:
        found = str(error)
    raise ValueError(
        f"{path} does not hold the weights of a cell ({found}); delete it and run the workflow again: the rule "
        "`train` makes it"
    )
