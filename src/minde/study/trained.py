"""What a training leaves: weights in safetensors, and the training curve in Parquet."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

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
        # Time since the first step, of the whole stack.
        pa.field("seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
    ]
)


def curve_table(rows: list[dict]) -> pa.Table:
    """Rows of a training curve as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=CURVE_SCHEMA)


def write_weights(path: str | Path, tensors: dict[str, np.ndarray], provenance: dict) -> None:
    """Write a stack's tensors, each `(replicates, …)`, with what made them in the file's metadata."""
    # safetensors writes the memory behind an array, whatever its strides: a view of a stack would come back as garbage.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    with atomic(path) as temporary:
        save_file(tensors, temporary, metadata={"minde": json.dumps(provenance, sort_keys=True)})


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
def _open(path: str | Path) -> Iterator[safe_open]:
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
