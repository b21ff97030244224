"""Samples from a user file: columns of a Parquet or CSV file, checked and split into replicates.

A file has a finite number of rows, so a replicate is a random split of them: its seed draws a permutation, whose first
rows are the test rows and whose next rows are the training rows. The two are disjoint within a replicate, but different
replicates share rows. The spread over replicates is therefore that of splits and trainings, not that of fresh samples.
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
from minde.files import provenance, sha256_of
from minde.progress import tell

from . import samples
from .seeds import seed_of
from .sources import SOURCES

DUPLICATES = 0.01
"""Default share of the rows of a user file that may repeat another row."""

PRECISION = 1e-3
"""Largest rounding error of float32, the type of samples, in standard deviations of a column."""


_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
"""What the type of a column must be; truth values are 0 and 1, as in arrays for the estimator."""


class DataError(ValueError):
    """A user file that cannot be used as samples; the message names the file, and column and row."""


def split(settings: dict, file: Path, out: Path) -> None:
    """Split the rows of a file into every replicate's training and test samples, and write them.

    `settings`: task, seed, replicates, n_train and n_test (rows per replicate), x and y (names of columns), and the
    name of the file, which changes nothing. Raises DataError; repeated rows are left to :func:`problem`, since the
    share that is allowed changes no sample.
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
        # Test rows first: more training rows do not change the other rows.
        first = 0 if part == "test" else settings["n_test"]
        rows = values[order[first : first + settings[f"n_{part}"]]]
        return rows[:, :dim_x], rows[:, dim_x:]

    made_by = provenance(settings, packages=("numpy", "pyarrow"), sources=SOURCES["split_file"])
    made_by["file"] = {"name": file.name, "sha256": sha256_of(file)}
    samples.write(out, draw, made_by, dim_x=dim_x, dim_y=len(settings["y"]))


@cache
def problem(file: str, content: str, settings: str, duplicates: float) -> str:
    """Return why a file of such content (its hash) cannot be split by such settings (JSON); empty if it can.

    `duplicates` is the largest allowed share of repeated rows.
    """
    try:
        check(json.loads(settings), Path(file), duplicates)
    except DataError as error:
        return str(error)
    return ""


def check(settings: dict, file: Path, duplicates: float = 1.0) -> np.ndarray:
    """Return the rows of a file that can be split by these settings, as :func:`read` does; raises DataError."""
    values = read(file, [*settings["x"], *settings["y"]], duplicates=duplicates)
    needed = settings["n_train"] + settings["n_test"]
    if len(values) < needed:
        raise DataError(
            f"{file} has {len(values)} rows; samples.train and samples.test, which are disjoint, need {needed}: "
            "reduce them, or use a file with more rows"
        )
    return values


def read(file: Path, columns: list[str], *, duplicates: float) -> np.ndarray:
    """Return the columns of a file as `(rows, columns)` in float32.

    Raises DataError for a column that is missing, duplicated, constant, or too fine for float32; for a value that is
    missing, not a number, or not finite; and if more than the share `duplicates` of rows repeat another row.
    """
    table = _read_table(file, columns)
    if table.num_rows < 2:
        raise DataError(f"{file} has {table.num_rows} rows; at least 2 were expected")
    values = np.stack([_numbers(file, name, table[name]) for name in columns], axis=1)
    for found in _problems(values, columns, duplicates):
        raise DataError(f"{file}, {found}")
    return values.astype(np.float32)


def _read_table(file: Path, columns: list[str]) -> pa.Table:
    """Return the named columns of a file, in their own types."""
    try:
        if file.suffix == ".parquet":
            names = pq.read_schema(file).names
        else:
            with pa_csv.open_csv(file) as reader:
                names = reader.schema.names
        for column in columns:
            if (count := names.count(column)) != 1:
                found = f"exists {count} times" if count else f"is missing; the file has {', '.join(map(repr, names))}"
                raise DataError(f"{file}: the column {column!r} {found}; name columns that exist once")
        if file.suffix == ".parquet":
            return pq.read_table(file, columns=columns)
        # Only an empty field is a missing value: other markers of the file are unknown.
        return pa_csv.read_csv(
            file,
            convert_options=pa_csv.ConvertOptions(include_columns=columns, null_values=[""], strings_can_be_null=True),
        )
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as {file.suffix[1:].upper()}: {error}") from error


def _numbers(file: Path, name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Return a column in float64. Raises DataError naming the first row without a finite number."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if any(is_kind(kind) for is_kind in _NUMERIC):
        # A missing value becomes NaN; a large integer is rounded, which _problems reports if it matters.
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
        return np.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _problems(values: np.ndarray, columns: list[str], duplicates: float) -> Iterator[str]:
    """Yield reasons why float64 values cannot be samples."""
    for name, column in zip(columns, values.T, strict=True):
        if np.ptp(column) == 0:
            yield f"column {name!r}: every row holds {column[0]!r}; a constant carries no information"
        with np.errstate(over="ignore"):
            lost = np.abs(column - column.astype(np.float32))
        row = int(np.argmax(lost))
        if not (np.isfinite(lost[row]) and lost[row] <= PRECISION * column.std()):
            yield (
                f"column {name!r}, row {row + 1}: {column[row]!r} is stored in float32, which loses {lost[row]:.2g}, "
                f"more than {PRECISION:g} standard deviations of the column; subtract an offset or rescale it"
            )
    rows = np.ascontiguousarray(values.astype(np.float32)).view([("row", np.void, 4 * len(columns))])[:, 0]
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse] != np.arange(len(rows)))
    if len(repeats) > duplicates * len(rows):
        row = int(repeats[0])
        yield (
            f"row {row + 1} repeats row {first[inverse[row]] + 1} in {', '.join(columns[:6])}, and {len(repeats)} of "
            f"{len(rows)} rows repeat another; at most {duplicates:.1%} may: they would be in both training and test "
            "samples, and repeated values have no density. Remove them, or raise `duplicates` if they are intended"
        )
