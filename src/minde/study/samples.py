"""Samples of a task in one Parquet file, one row group per (replicate, split), so that a replicate can be read alone.

The order of the groups is replicate 0 train, replicate 0 test, replicate 1 train … Columns: replicate, split, x_0 …,
y_0 … in float32.
"""

import hashlib
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from minde.files import atomic, encode, provenance, remedy

from .seeds import seed_of
from .sources import SOURCES
from .tasks import HIGH_MI, task

SPLITS = ("train", "test")

_REMEDY = remedy("draw_samples", "split_file")

# From a replicate and a split to X `(rows, dim_x)` and Y `(rows, dim_y)` in float32.
Draw = Callable[[int, str], tuple[np.ndarray, np.ndarray]]


def draw(settings: dict, path: str | Path) -> None:
    """Draw every replicate of a task with benchmark-mi and write them.

    `settings`: task, seed, replicates, n_train and n_test (rows per replicate). Raises ValueError for values that are
    not finite in float32.
    """
    made_by = provenance(
        settings,
        packages=("benchmark-mi", "jax", "jaxlib", "numpy", "pyarrow"),
        sources=SOURCES["draw_samples"],
    )
    drawn = task(settings["task"])
    write(path, partial(_draw_split, settings), made_by, dim_x=drawn.dim_x, dim_y=drawn.dim_y)


def write(path: str | Path, draw: Draw, made_by: dict, *, dim_x: int, dim_y: int) -> None:
    """Write the splits of every replicate, which `draw` returns, with their provenance.

    `made_by` holds the settings: task, seed, replicates, n_train and n_test.
    """
    settings, schema, content = made_by["settings"], _schema(dim_x, dim_y), hashlib.sha256()
    options = {"use_dictionary": ["split"], "write_page_checksum": True}
    with atomic(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        for replicate in range(settings["replicates"]):
            for split in SPLITS:
                x, y = draw(replicate, split)
                content.update(x.tobytes() + y.tobytes())
                writer.write_table(_group(schema, replicate, split, x, y), row_group_size=len(x))
        about = {"dim_x": dim_x, "dim_y": dim_y, "content_sha256": content.hexdigest()}
        writer.add_key_value_metadata(encode(made_by | about))


def metadata(path: str | Path) -> dict:
    """Return content and provenance of the file: dimensions, settings such as task and seed, versions, content hash.

    Raises ValueError naming the file, what was found and the rule that makes it, if it is not a samples file.
    """
    with _open(path) as file:
        return _metadata(file, path)


def provenance_of(path: str | Path) -> dict:
    """Return provenance of the file and the hash of its content. Raises ValueError like `metadata`."""
    held = metadata(path)
    keys = ("settings", "code", "versions", "python", "content_sha256", "file")  # the last: of a user file
    return {key: held[key] for key in keys if key in held}


def check_same(path: str | Path, other: str | Path, expected: dict) -> None:
    """Raise ValueError if the file's samples are not those that `other` was made from (provenance `expected`)."""
    found = metadata(path)["content_sha256"]
    if found != expected["content_sha256"]:
        raise ValueError(
            f"{path} holds other samples (SHA-256 {found[:12]}) than {other} was trained on "
            f"({expected['content_sha256'][:12]}, drawn with {expected['versions']}). "
            "Draw them with the same software, or use the same file; or delete the weights to train on these samples"
        )


def read(path: str | Path, replicate: int, split: str, rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return X `(rows, dim_x)` and Y `(rows, dim_y)` in float32.

    They are the first `rows` of a replicate's split, by default all. Reads only that replicate's row group. Raises
    ValueError if the file has too few replicates or rows, or is not a samples file.
    """
    with _open(path) as file:
        held = _metadata(file, path)
        replicates, available = held["settings"]["replicates"], held["settings"][f"n_{split}"]
        rows = available if rows is None else rows
        if not 0 <= replicate < replicates or rows > available:
            raise ValueError(
                f"{path} holds {replicates} replicates of {available} {split} rows; "
                f"asked for {rows} rows of replicate {replicate}; {_REMEDY}"
            )
        try:
            group = file.read_row_group(2 * replicate + SPLITS.index(split))
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path} is damaged in replicate {replicate}, {split} ({error}); {_REMEDY}") from error
    dim_x = held["dim_x"]
    values = np.stack([column.to_numpy()[:rows] for column in group.columns[2:]], axis=1)
    return np.ascontiguousarray(values[:, :dim_x]), np.ascontiguousarray(values[:, dim_x:])


def _draw_split(settings: dict, replicate: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    seed = seed_of(settings["seed"], settings["task"], None, replicate, f"samples/{split}")
    # jax takes the lower 32 bits of a seed as a signed integer.
    x, y = _sampler(settings["task"]).sample(settings[f"n_{split}"], seed % (2**31 - 1))
    x, y = np.asarray(x, dtype="<f4"), np.asarray(y, dtype="<f4")
    for name, values in (("X", x), ("Y", y)):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            raise ValueError(
                f"task {settings['task']}, replicate {replicate}, {split}: {bad} of {values.size} values of {name} "
                "are not finite in float32; choose another `seed` to draw other samples"
            )
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def _sampler(task_id: str):
    """Return benchmark-mi's task with this id, or a task of high mutual information, built from its samplers."""
    from bmi.benchmark import BENCHMARK_TASKS  # imports jax, which only drawing needs
    from bmi.benchmark.tasks.half_cube import transform_half_cube_task
    from bmi.benchmark.tasks.multinormal import task_multinormal_sparse
    from bmi.benchmark.tasks.spiral import transform_spiral_task

    if task_id in BENCHMARK_TASKS:
        return BENCHMARK_TASKS[task_id]
    if task_id not in HIGH_MI:
        raise ValueError(f"there is no sampler for the task {task_id!r}: not a task of benchmark-mi or of high MI")
    # Each of the two pairs has correlation strength² / (1 + strength²) and half of the mutual information.
    correlation = math.sqrt(1 - math.exp(-task(task_id).mi_true))
    base = task_multinormal_sparse(3, 3, n_interacting=2, strength=math.sqrt(correlation / (1 - correlation)))
    versions = {"half_cube": transform_half_cube_task, "spiral": transform_spiral_task}
    transform = versions.get(task_id.split("-")[0], lambda unchanged: unchanged)
    return transform(base)


def _schema(dim_x: int, dim_y: int) -> pa.Schema:
    fields = [("replicate", pa.int16()), ("split", pa.dictionary(pa.int8(), pa.string()))]
    fields += [(f"x_{i}", pa.float32()) for i in range(dim_x)] + [(f"y_{i}", pa.float32()) for i in range(dim_y)]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])


def _group(schema: pa.Schema, replicate: int, split: str, x: np.ndarray, y: np.ndarray) -> pa.Table:
    splits = pa.array(np.full(len(x), SPLITS.index(split), dtype=np.int8))
    keys = [pa.array(np.full(len(x), replicate, dtype=np.int16)), pa.DictionaryArray.from_arrays(splits, list(SPLITS))]
    values = [pa.array(np.ascontiguousarray(column)) for column in (*x.T, *y.T)]
    return pa.Table.from_arrays(keys + values, schema=schema)


def _open(path: str | Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a readable Parquet file ({error}); {_REMEDY}") from error


def _metadata(file: pq.ParquetFile, path: str | Path) -> dict:
    text = (file.metadata.metadata or {}).get(b"minde")
    held = json.loads(text) if text else {}
    if "content_sha256" not in held or file.metadata.num_row_groups != 2 * held["settings"]["replicates"]:
        columns = ", ".join(file.schema_arrow.names[:6])
        found = f"{file.metadata.num_row_groups} row groups of columns {columns} …"
        raise ValueError(f"{path} does not hold the samples of a task: found {found}; {_REMEDY}")
    return held
