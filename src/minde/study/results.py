"""Estimates between rules: one declared schema, written whole, merged only when the key set is the design's.

A row is one estimate; its key is (task, method, estimator, train_size, replicate). Where a method did not converge, the
row holds the reason in place of the estimate: a result, unlike a failure, which raises and leaves no row.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .files import atomic, encode, provenance

__all__ = [
    "KEYS",
    "SCHEMA",
    "estimates_table",
    "merge",
    "provenance",
    "read_estimates",
    "read_provenance",
    "write_parquet",
]

_REMEDY = "delete it and run the workflow again: the rule `estimate`, `baseline` or `merge` makes it"

KEYS = ("task", "method", "estimator", "train_size", "replicate")
SCHEMA = pa.schema(
    [
        pa.field("task", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("estimator", pa.string(), nullable=False),
        pa.field("train_size", pa.int64(), nullable=False, metadata={"unit": "rows per replicate; 0: none used"}),
        pa.field("replicate", pa.int64(), nullable=False),
        # Null where the method did not converge.
        pa.field("estimate", pa.float64(), metadata={"unit": "nats"}),
        # Monte Carlo standard error; null where a method has none.
        pa.field("std_error", pa.float64(), metadata={"unit": "nats"}),
        # Null where nobody knows it.
        pa.field("mi_true", pa.float64(), metadata={"unit": "nats"}),
        # Time of this step on its device, per replicate, with the training of a method that trains in the same step.
        pa.field("seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
        # Time of the training on its device, per replicate, where that is a step of its own; else 0.
        pa.field("train_seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
        # Why there is no estimate; null where there is one.
        pa.field("not_converged", pa.string()),
    ]
)


def write_parquet(path: str | Path, table: pa.Table, provenance: dict) -> None:
    """Write a table with its provenance in the file's metadata, under a temporary name first."""
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(encode(provenance)), temporary)


def estimates_table(rows: list[dict]) -> pa.Table:
    """Rows as a table of the declared schema.

    Raises ValueError for other columns, an estimate that is not finite, or a row that has both an estimate and a reason
    why there is none, or neither.
    """
    for row in rows:
        if set(row) != set(SCHEMA.names):
            odd = sorted(set(row) ^ set(SCHEMA.names))
            raise ValueError(
                f"an estimates row must have exactly the columns {SCHEMA.names}; missing or unknown: {odd}"
            )
        key = ", ".join(f"{name}={row[name]}" for name in KEYS)
        if (row["estimate"] is None) != bool(row["not_converged"]):
            found = f"{row['estimate']} and {row['not_converged']!r}"
            raise ValueError(f"{key}: expected an estimate or a reason why it did not converge, found {found}")
        if row["estimate"] is not None and not abs(row["estimate"]) < float("inf"):
            raise ValueError(f"the estimate of {key} is {row['estimate']}; a finite number of nats was expected")
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def read_estimates(path: str | Path) -> pa.Table:
    """Read an estimates file. Raises ValueError when it is truncated, foreign or of another schema."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} is not a readable Parquet file ({error}); {_REMEDY}") from error
    if not table.schema.equals(SCHEMA):
        found = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        raise ValueError(f"{path} holds other columns than estimates do: found {found}; {_REMEDY}")
    return table


def merge(expected: Iterable[tuple], paths: Iterable[str | Path]) -> pa.Table:
    """Concatenate estimates in the order of the expected keys, each (task, method, estimator, train_size, replicate).

    Raises ValueError naming keys that are missing, not in the design, or there twice: nothing is dropped in silence.
    """
    table = pa.concat_tables([SCHEMA.empty_table(), *(read_estimates(path) for path in paths)])
    found = list(zip(*(table[name].to_pylist() for name in KEYS), strict=True))
    expected = list(expected)
    rows = {key: row for row, key in enumerate(found)}
    problems = {
        "missing": [key for key in expected if key not in rows],
        "not in the design": sorted(set(found) - set(expected)),
        "there more than once": sorted(key for key, count in Counter(found).items() if count > 1),
    }
    if any(problems.values()):
        lines = [f"  {len(keys)} {problem}: {_some(keys)}" for problem, keys in problems.items() if keys]
        raise ValueError(
            "the estimates are not those of the design; by (" + ", ".join(KEYS) + "):\n" + "\n".join(lines)
        )
    return table.take([rows[key] for key in expected])


def read_provenance(path: str | Path) -> dict:
    """What made this file: settings, code, versions. Raises ValueError when it is truncated or foreign."""
    try:
        return json.loads(pq.read_metadata(path).metadata[b"minde"])
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a Parquet file that says what made it ({error}); {_REMEDY}") from error


def _some(keys: list[tuple], shown: int = 5) -> str:
    text = "; ".join(str(key) for key in keys[:shown])
    return text + (f"; and {len(keys) - shown} more" if len(keys) > shown else "")
