"""Columns of a file as samples: Parquet, CSV and TSV by the names of columns, npz by those of arrays."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from zipfile import BadZipFile

import numpy as np


@dataclass(frozen=True)
class Columns:
    """Samples with the names of their columns and the number of their first row, which messages about them use."""

    values: np.ndarray
    """`(rows, dim)`."""
    columns: list[str]
    first_row: int = 1
    """Rows of files are counted from 1, without the header; rows of arrays from 0."""

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Return the values."""
        return self.values if dtype is None else self.values.astype(dtype)


def read_pair(path: Path, x: str, y: str) -> tuple[Columns, Columns]:
    """Read x and y from a .parquet, .csv, .tsv or .npz file.

    `x` and `y` are names separated by commas; `*` and `?` match any characters. Only what they name is read. Raises
    FileNotFoundError; ValueError, naming the path, for another kind of file, a file that cannot be read, a name that is
    missing, that the file has twice, or that is in both; TypeError for values that are not numbers, such as dates.
    """
    readers = {".parquet": _read_parquet, ".csv": _read_text, ".tsv": _read_text, ".npz": _read_arrays}
    kind = path.suffix.lower()
    if kind not in readers:
        raise ValueError(f"{path}: files of type {path.suffix!r} are not supported; expected {', '.join(readers)}")
    chosen = {}

    def choose(names: list[str]) -> list[str]:
        chosen.update((option, _matching(path, option, pattern, names)) for option, pattern in (("--x", x), ("--y", y)))
        if both := [name for name in chosen["--x"] if name in chosen["--y"]]:
            raise _SelectionError(f"{path}: {both[0]!r} is in both --x and --y; a column can be on one side only")
        return chosen["--x"] + chosen["--y"]

    try:
        held = readers[kind](path, choose)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist") from None
    except _SelectionError:
        raise
    except (OSError, ValueError, BadZipFile) as error:
        is_text = readers[kind] is _read_text
        hint = "; expected UTF-8, commas (.tsv: tabs) between columns, decimal points" if is_text else ""
        raise ValueError(f"{path} is not a readable {kind} file: {error}{hint}") from error
    return tuple(_side_by_side(path, {name: np.asarray(held[name]) for name in own}) for own in chosen.values())


class _SelectionError(ValueError):
    """Names that a file does not have, or that cannot be told apart."""


Choose = Callable[[list[str]], list[str]]
"""The selected ones of a file's names."""


def _read_parquet(path: Path, choose: Choose) -> dict:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        names = choose(file.schema_arrow.names)
        return dict(zip(names, file.read(names).select(names).columns, strict=True))


def _read_text(path: Path, choose: Choose) -> dict:
    import pyarrow.csv as text

    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    parsing = text.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with text.open_csv(path, parse_options=parsing) as file:  # the types of its first block are not needed
        names = choose(file.schema.names)
    table = text.read_csv(path, parse_options=parsing, convert_options=text.ConvertOptions(include_columns=names))
    return dict(zip(names, table.columns, strict=True))


def _read_arrays(path: Path, choose: Choose) -> dict:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in choose(arrays.files)}


def _matching(path: Path, option: str, patterns: str, names: list[str]) -> list[str]:
    """Return the names that an option selects, in its order."""
    chosen = []
    for pattern in map(str.strip, patterns.split(",")):
        if not pattern:  # it would match a column without a name, such as the index that pandas writes
            raise _SelectionError(f"{option} is {patterns!r}, which has an empty name; expected names of columns")
        literal = pattern.replace("[", "[[]")  # to fnmatch, the square brackets in a name would be a set of characters
        found = (
            [name for name in names if name == pattern]
            or [name for name in names if name.strip() == pattern]
            or [name for name in names if fnmatchcase(name, literal)]
        )
        if not found:
            near = get_close_matches(pattern, names, n=1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
            if all(map(_is_number, names)):
                shown += "; the first line of the file has to name the columns"
            elif len(names) == 1 and re.search(r"[;\t|]", names[0]):
                shown += "; columns have to be separated by commas, in a .tsv file by tabs"
            raise _SelectionError(f"{path} has no column {pattern!r}, which {option} names{hint}; it has {shown}")
        if twice := [name for name, count in Counter(found).items() if count > 1]:
            raise _SelectionError(f"{path} has more than one column {twice[0]!r}, which {option} names")
        chosen += [name for name in found if name not in chosen]
    return chosen


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _side_by_side(path: Path, arrays: dict[str, np.ndarray]) -> Columns:
    """Join columns, and arrays of several columns, of the same number of rows."""
    if any(array.ndim not in (1, 2) for array in arrays.values()) or len({len(array) for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"{path}: arrays must be (rows,) or (rows, columns), of the same number of rows; found {shapes}"
        )
    for name, array in arrays.items():
        if array.dtype.kind not in "fiubOUS":  # numpy cannot join it with numbers; text is reported with x and y
            raise TypeError(f"{path}: {name} holds values of type {array.dtype}; expected real numbers")
    names = [
        f"{name}[{i}]" if columns > 1 else name
        for name, columns in ((name, array[:1].size) for name, array in arrays.items())
        for i in range(columns)
    ]
    # Text beside numbers would make text of them.
    joined = [array.astype(object) if array.dtype.kind in "US" else array for array in arrays.values()]
    return Columns(np.column_stack(joined), names)
