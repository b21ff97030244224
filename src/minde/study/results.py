"""Estimates between rules: one declared schema, written atomically, merged only if the key set is the design's.

A row is one estimate; its key is (task, method, estimator, train_size, replicate). If a method did not converge, the
row holds the reason in place of the estimate: that is a result, unlike a failure, which raises and leaves no row.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from minde.files import atomic, encode, remedy

RULES = ("estimate", "baseline", "critic", "torch_baseline", "merge")
"""The rules that make files of estimates."""

SHOWN = 5  # keys that an error message names

KEYS = ("task", "method", "estimator", "train_size", "replicate")
SCHEMA = pa.schema(
    [
        pa.field("task", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("estimator", pa.string(), nullable=False),
        pa.field("train_size", pa.int64(), nullable=False, metadata={"unit": "rows per replicate; 0: none used"}),
        pa.field("replicate", pa.int64(), nullable=False),
        # Null if the method did not converge.
        pa.field("estimate", pa.float64(), metadata={"unit": "nats"}),
        # Monte Carlo standard error; null if the method has none.
        pa.field("std_error", pa.float64(), metadata={"unit": "nats"}),
        # Null if unknown. Only in merged estimates.
        pa.field("mi_true", pa.float64(), metadata={"unit": "nats"}),
        # Device time of this step per replicate, including training if the method trains in the same step.
        pa.field("seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
        # Device time of the training per replicate if that is a separate step; otherwise 0.
        pa.field("train_seconds", pa.float64(), nullable=False, metadata={"unit": "s"}),
        # Why there is no estimate; null if there is one.
        pa.field("not_converged", pa.string()),
    ]
)
CELL_SCHEMA = SCHEMA.remove(SCHEMA.get_field_index("mi_true"))
"""Of a cell's estimates: its steps do not know the true value, so that another one does not run them again."""


def write_parquet(path: str | Path, table: pa.Table, provenance: dict) -> None:
    """Write a table with its provenance in the file's metadata, atomically."""
    with atomic(path) as temporary:
        pq.write_table(table.replace_schema_metadata(encode(provenance)), temporary)


def read_parquet(path: str | Path, schema: pa.Schema, kind: str, rules: Iterable[str]) -> tuple[pa.Table, dict]:
    """Read a table of a declared schema and its provenance, as `write_parquet` wrote them.

    Raises ValueError naming the file, what was found and the rules that make it, if it is damaged, has another schema
    or no provenance. `kind` says what the file should be.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a readable {kind} ({error}); {remedy(*rules)}") from error
    made_by = (table.schema.metadata or {}).get(b"minde")
    if table.schema.equals(schema) and made_by:
        return table, json.loads(made_by)
    columns = ", ".join(f"{field.name} {field.type}" for field in table.schema)
    found = f"columns {columns}{'' if made_by else ', and no provenance'}"
    raise ValueError(f"{path} is not a readable {kind} (found {found}); {remedy(*rules)}")


def estimates_table(rows: list[dict]) -> pa.Table:
    """Return rows of a cell as a table of its declared schema.

    Raises ValueError for other columns, an estimate that is not finite, or a row with both or neither of an estimate
    and a reason why there is none.
    """
    for row in rows:
        if odd := sorted(set(row) ^ set(CELL_SCHEMA.names)):
            raise ValueError(
                f"an estimates row must have exactly the columns {CELL_SCHEMA.names}; missing or unknown: {odd}"
            )
        key = ", ".join(f"{name}={row[name]}" for name in KEYS)
        if (row["estimate"] is None) != bool(row["not_converged"]):
            found = f"{row['estimate']} and {row['not_converged']!r}"
            raise ValueError(f"{key}: expected an estimate or a reason why it did not converge, found {found}")
        if row["estimate"] is not None and not abs(row["estimate"]) < float("inf"):
            raise ValueError(f"the estimate of {key} is {row['estimate']}; a finite number of nats was expected")
    return pa.Table.from_pylist(rows, schema=CELL_SCHEMA)


def read_estimates(path: str | Path, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Read merged estimates, or with CELL_SCHEMA those of a cell. Raises ValueError like `read_parquet`."""
    table, _ = read_parquet(path, schema, "estimates file", RULES)
    return table


def merge(expected: Iterable[tuple], paths: Iterable[str | Path], truths: dict[str, float]) -> pa.Table:
    """Concatenate estimates in the order of the expected keys, each (task, method, estimator, train_size, replicate).

    `truths` are the known true values by task (nats).

    Raises ValueError naming keys that are missing, not in the design, or duplicated: nothing is dropped silently.
    """
    table = pa.concat_tables([CELL_SCHEMA.empty_table(), *(read_estimates(path, CELL_SCHEMA) for path in paths)])
    found = list(zip(*(table[name].to_pylist() for name in KEYS), strict=True))
    expected = list(expected)
    rows = {key: row for row, key in enumerate(found)}
    problems = {
        "missing": [key for key in expected if key not in rows],
        "not in the design": sorted(set(found) - set(expected)),
        "duplicated": sorted(key for key, count in Counter(found).items() if count > 1),
    }
    if any(problems.values()):
        lines = [f"  {len(keys)} {problem}: {_some(keys)}" for problem, keys in problems.items() if keys]
        raise ValueError("the estimates do not match the design; keys (" + ", ".join(KEYS) + "):\n" + "\n".join(lines))
    table = table.take([rows[key] for key in expected])
    place = SCHEMA.get_field_index("mi_true")
    mi_true = pa.array([truths.get(task) for task in table["task"].to_pylist()], pa.float64())
    return table.add_column(place, SCHEMA.field(place), mi_true)


def read_provenance(path: str | Path, rules: Iterable[str] = RULES) -> dict:
    """Return a file's provenance: settings, code, versions.

    Raises ValueError naming the rules that make such files, if it is damaged or has none.
    """
    try:
        return json.loads(pq.read_metadata(path).metadata[b"minde"])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a Parquet file with provenance ({error}); {remedy(*rules)}") from error


def _some(keys: list[tuple]) -> str:
    text = "; ".join(str(key) for key in keys[:SHOWN])
    return text + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
