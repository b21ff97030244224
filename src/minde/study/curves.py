"""Training curves in Parquet: loss and estimates of every replicate along a cell's training."""

from pathlib import Path

import pyarrow as pa

from .results import read_parquet

SCHEMA = pa.schema(
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


def table(rows: list[dict]) -> pa.Table:
    """Return rows of a training curve as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def read(path: str | Path) -> tuple[pa.Table, dict]:
    """Read a training curve and its provenance. Raises ValueError like `results.read_parquet`."""
    return read_parquet(path, SCHEMA, "training curve", ("train",))


def train_seconds(path: str | Path) -> dict[int, float]:
    """Return the training time of each replicate (device seconds), from its training curve."""
    curve, _ = read(path)
    longest = curve.group_by("replicate").aggregate([("seconds", "max")])
    return dict(zip(*(longest[name].to_pylist() for name in ("replicate", "seconds_max")), strict=True))
