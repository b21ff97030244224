"""Samples from a file of one's own: columns of a Parquet or CSV file, checked, and split into replicates.

The rows of a file are finite, so a replicate is a random split of them: its test rows are the first of a permutation
that its own seed draws, its training rows the next. The two are disjoint within a replicate; across replicates rows
come again. The spread over replicates is hence that of splits and trainings, and not that of fresh samples.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from minde import doubts
from minde.progress import tell

from . import samples
from .files import provenance, sha256_of
from .seeds import seed_of
from .sources import SOURCES

PRECISION = 1e-3
"""How much of a column's standard deviation float32, in which samples are kept, may change a value by."""


class DataError(ValueError):
    """A file of one's own that no mutual information can be estimated from; names the file, and column and row."""


def split(settings: dict, file: Path, out: Path) -> None:
    """Split the rows of a file into every replicate's training and test samples, and write them.

    `settings`: task, seed, replicates, n_train and n_test (rows per replicate), x and y (names of columns), mi_true
    (nats, or None) and duplicates (the share of rows that may be). Raises DataError.
    """
    values = check(settings, file)
    dim_x = len(settings["x"])
    for number, name in enumerate([*settings["x"], *settings["y"]]):
        variable, of = ("x", "") if number < dim_x else ("y", ", for minde-j")
        if doubt := doubts.of_few_values(variable, repr(name), values[:, number]):
            tell(f"Warning{of}: {settings['task']}: {doubt}")

    def draw(replicate: int, part: str) -> tuple[np.ndarray, np.ndarray]:
        seed = seed_of(settings["seed"], settings["task"], None, replicate, "samples/split")
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(values))
        # Test rows first: more training rows leave the others as they are.
        first = 0 if part == "test" else settings["n_test"]
        rows = values[order[first : first + settings[f"n_{part}"]]]
        return rows[:, :dim_x], rows[:, dim_x:]

    made_by = provenance(settings, packages=("numpy", "pyarrow"), sources=SOURCES["split_file"])
    made_by["file"] = {"name": file.name, "sha256": sha256_of(file)}
    samples.write(out, draw, made_by, dim_x=dim_x, dim_y=len(settings["y"]), mi_true=settings["mi_true"])


@cache
def problem(file: str, content: str, settings: str) -> str:
    """Return why a file of such content (its hash) cannot be split by such settings (JSON); empty if it can."""
    try:
        check(json.loads(settings), Path(file))
    except DataError as error:
        return str(error)
    return ""


def check(settings: dict, file: Path) -> np.ndarray:
    """Return the rows of a file that can be split by these settings, as :func:`read` does; raises DataError."""
    values = read(file, [*settings["x"], *settings["y"]], duplicates=settings["duplicates"])
    needed = settings["n_train"] + settings["n_test"]
    if len(values) < needed:
        raise DataError(
            f"{file} has {len(values)} rows; samples.train and samples.test, which are disjoint, need {needed}: "
            "set them lower, or give a file with more rows"
        )
    return values


def read(file: Path, columns: list[str], *, duplicates: float) -> np.ndarray:
    """The columns of a file as `(rows, columns)` in float32.

    Raises DataError for a column that is missing, there twice, constant, or too fine for float32; for a value that is
    missing, no number, or not finite; and where more than the share `duplicates` of rows repeat another.
    """
    table = _read_table(file, columns)
    if table.num_rows < 2:
        raise DataError(f"{file} has {table.num_rows} rows; at least 2 were expected")
    values = np.stack([_numbers(file, name, table[name]) for name in columns], axis=1)
    for problem in _problems(values, columns, duplicates):
        raise DataError(f"{file}, {problem}")
    return values.astype(np.float32)


def _read_table(file: Path, columns: list[str]) -> pa.Table:
    """The named columns of a file, in whatever types it has them."""
    try:
        if file.suffix == ".parquet":
            names = pq.read_schema(file).names
        else:
            with pa_csv.open_csv(file) as reader:
                names = reader.schema.names
        for column in columns:
            if (count := names.count(column)) != 1:
                found = f"is there {count} times" if count else f"is missing; it has {', '.join(names)}"
                raise DataError(f"{file}: the column {column!r} {found}; name columns that are there once")
        if file.suffix == ".parquet":
            return pq.read_table(file, columns=columns)
        # Only an empty field is a missing value: what else may stand for one is the file's own secret.
        return pa_csv.read_csv(
            file,
            convert_options=pa_csv.ConvertOptions(include_columns=columns, null_values=[""], strings_can_be_null=True),
        )
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as {file.suffix[1:].upper()}: {error}") from error


def _numbers(file: Path, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """A column in float64, or DataError naming the first row that holds no finite number."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # A missing value becomes NaN; of a large integer is lost here what float32 would lose, and is said below.
        numbers = column.cast(pa.float64(), safe=False).to_numpy()
        bad = np.flatnonzero(~np.isfinite(numbers))
        if not len(bad):
            return numbers
        row = int(bad[0])
    else:
        row = next((i for i, value in enumerate(column.to_pylist()) if not _is_number(value)), 0)
    found = column[row].as_py()
    shown = "nothing" if found is None else repr(found)
    raise DataError(f"{file}, column {name!r}, row {row + 1}: found {shown} where a finite number was expected")


def _is_number(value) -> bool:
    try:
        return not isinstance(value, bool) and np.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _problems(values: np.ndarray, columns: list[str], duplicates: float) -> Iterator[str]:
    """What keeps float64 values from being samples, in words."""
    for name, column in zip(columns, values.T, strict=True):
        if np.ptp(column) == 0:
            yield f"column {name!r}: every row holds {column[0]!r}; a constant says nothing about anything"
        with np.errstate(over="ignore"):
            lost = np.abs(column - column.astype(np.float32))
        row = int(np.argmax(lost))
        if not (np.isfinite(lost[row]) and lost[row] <= PRECISION * column.std()):
            yield (
                f"column {name!r}, row {row + 1}: {column[row]!r} is kept in float32, which loses {lost[row]:.2g}, "
                f"more than {PRECISION:g} standard deviations of the column; subtract an offset or rescale it"
            )
    rows = np.ascontiguousarray(values.astype(np.float32)).view([("row", np.void, 4 * len(columns))])[:, 0]
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse] != np.arange(len(rows)))
    if len(repeats) > duplicates * len(rows):
        row = int(repeats[0])
        yield (
            f"row {row + 1} repeats row {first[inverse[row]] + 1} in {', '.join(columns[:6])}, and {len(repeats)} of "
            f"{len(rows)} rows repeat another; at most {duplicates:.1%} may: they would stand in training and test "
            "samples both, and mutual information of repeated values is not that of densities. Remove them, or raise "
            "`duplicates` if they belong there"
        )
