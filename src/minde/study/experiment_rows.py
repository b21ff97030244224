"""The rows of an experiment as a Parquet file: one declared schema for all experiments."""

import math
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from .results import read_parquet, write_parquet

RULES = ("experiment",)
"""The rules that make files of rows."""

UNITS = {
    "information": "nats",
    "divergence": "nats",
    "bits": "bits",
    "modes": "modes",
    "touched": "modes",
    "high_quality": "share of the samples",
    "reconstruction": "units of the data",
    "error": "share of the test rows",
    "red": "intensity from 0 to 1",
    "green": "intensity from 0 to 1",
    "blue": "intensity from 0 to 1",
    "point": "none",
}
"""The quantities of the experiments' rows, and their units."""

SCHEMA = pa.schema(
    [
        pa.field("panel", pa.string(), nullable=False),
        pa.field("series", pa.string(), nullable=False),
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("quantity", pa.string(), nullable=False),
        # In the quantity's unit, which is in the file's metadata. Null for points, and if there is no result.
        pa.field("value", pa.float64()),
        pa.field("x", pa.float64()),
        pa.field("y", pa.float64()),
    ]
)


def table(rows: Iterable[dict]) -> pa.Table:
    """Return rows (see `minde.experiments.rows.Row`) as a table of the declared schema.

    Raises ValueError for a row with other columns, a value or coordinate that is NaN, or a quantity whose unit is not
    declared.
    """
    rows = list(rows)
    for row in rows:
        if set(row) != set(SCHEMA.names):
            odd = sorted(set(row) ^ set(SCHEMA.names))
            raise ValueError(f"an experiment's row must have the columns {SCHEMA.names}; missing or unknown: {odd}")
        if row["quantity"] not in UNITS:
            raise ValueError(f"unknown quantity {row['quantity']!r}; add it to UNITS: {', '.join(UNITS)}")
        if any(isinstance(row[name], float) and math.isnan(row[name]) for name in ("value", "x", "y")):
            raise ValueError(f"NaN in {row}; a number was expected, or null if there is no result")
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write(path: str | Path, rows: Iterable[dict], provenance: dict) -> None:
    """Write rows with their provenance and the units of their quantities."""
    found = table(rows)
    units = {quantity: UNITS[quantity] for quantity in sorted(set(found["quantity"].to_pylist()))}
    write_parquet(path, found, provenance | {"units": units})


def read(path: str | Path) -> pa.Table:
    """Read an experiment's rows. Raises ValueError like `results.read_parquet`."""
    found, _ = read_parquet(path, SCHEMA, "file of an experiment's rows", RULES)
    return found
