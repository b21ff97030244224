"""User files are read exactly, split into replicates, and refused with file, column and row."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from minde.files import sha256_of
from minde.study import data, samples
from minde.study.data import DataError

COLUMNS = ["height", "weight", "age"]
SETTINGS = {
    "task": "mine",
    "file": "mine.csv",
    "seed": 0,
    "replicates": 2,
    "n_train": 20,
    "n_test": 10,
    "x": ["height", "age"],
    "y": ["weight"],
}


def table(rows=40):
    generator = np.random.default_rng(0)
    columns = {name: generator.normal(size=rows) for name in COLUMNS}
    return pa.table(columns | {"age": np.arange(rows) * 7 % 31, "name": [f"person {i}" for i in range(rows)]})


def write(path, columns):
    (pq.write_table if path.suffix == ".parquet" else pa_csv.write_csv)(columns, path)
    return path


@pytest.fixture(params=[".csv", ".parquet"])
def path(request, tmp_path):
    return write(tmp_path / f"mine{request.param}", table())


def with_value(column, row, value, rows=40):
    """The table with another value in one row, which may be of another type."""
    whole = table(rows)
    values = whole[column].to_pylist()
    values[row] = value
    if isinstance(value, str):
        values = list(map(str, values))
    return whole.set_column(whole.column_names.index(column), column, pa.array(values))


def read(path, columns=COLUMNS, duplicates=0.01):
    return data.read(path, columns, duplicates=duplicates)


def test_columns_come_in_the_order_asked_for_in_float32(path):
    values = read(path, ["age", "height"])
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values[:, 0], table()["age"].to_numpy())
    np.testing.assert_array_equal(values[:, 1], table()["height"].to_numpy().astype(np.float32))


def test_both_kinds_of_file_give_the_same_samples(tmp_path):
    first, second = (write(tmp_path / f"mine{suffix}", table()) for suffix in (".csv", ".parquet"))
    np.testing.assert_array_equal(read(first), read(second))


def test_splits_are_rows_of_the_file_and_disjoint_within_a_replicate(path, tmp_path):
    data.split(SETTINGS, path, tmp_path / "samples.parquet")
    whole = read(path, ["height", "age", "weight"])
    place = {row.tobytes(): i for i, row in enumerate(whole)}
    found = []
    for replicate in (0, 1):
        parts = [np.hstack(samples.read(tmp_path / "samples.parquet", replicate, part)) for part in samples.SPLITS]
        rows = [place[row.tobytes()] for part in parts for row in part]
        assert len(set(rows)) == len(rows) == 30
        found.append(rows)
    assert found[0] != found[1]
    held = samples.metadata(tmp_path / "samples.parquet")
    assert (held["dim_x"], held["dim_y"]) == (2, 1)
    made_by = samples.provenance_of(tmp_path / "samples.parquet")
    assert made_by["file"] == {"name": path.name, "sha256": sha256_of(path)}


def test_more_replicates_or_training_rows_change_no_other_rows(path, tmp_path):
    data.split(SETTINGS, path, tmp_path / "one")
    data.split(SETTINGS | {"replicates": 3, "n_train": 30}, path, tmp_path / "two")
    for replicate in (0, 1):
        for part, rows in (("train", 20), ("test", 10)):
            for one, two in zip(
                samples.read(tmp_path / "one", replicate, part),
                samples.read(tmp_path / "two", replicate, part, rows),
                strict=True,
            ):
                np.testing.assert_array_equal(one, two)


def test_too_few_rows_are_refused_and_leave_no_file(path, tmp_path):
    with pytest.raises(DataError, match=r"mine\.\w+ has 40 rows; samples\.train and samples\.test.* need 50"):
        data.split(SETTINGS | {"n_train": 40}, path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_columns_are_named_with_those_that_are_there(path):
    with pytest.raises(
        DataError, match=r"mine\.\w+: the column 'hieght' is missing; the file has 'height', 'weight', 'age'"
    ):
        read(path, ["hieght"])


@pytest.mark.parametrize(
    ("value", "found"),
    [("tall", "'tall'"), ("NA", "'NA'"), ("1,5", "'1,5'"), (float("nan"), "nan"), (float("inf"), "inf")],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_no_finite_number_is_named_with_its_row(tmp_path, suffix, value, found):
    path = write(tmp_path / f"mine{suffix}", with_value("weight", 16, value))
    with pytest.raises(
        DataError, match=rf"mine\{suffix}, column 'weight', row 17: found {found} where a finite number"
    ):
        read(path)


@pytest.mark.parametrize("column", ["weight", "age"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_value_is_named_with_its_row(tmp_path, suffix, column):
    path = write(tmp_path / f"mine{suffix}", with_value(column, 3, None))
    with pytest.raises(DataError, match=f"column '{column}', row 4: found nothing where"):
        read(path)


def test_a_bad_value_after_a_million_characters_is_named(tmp_path):
    path = write(tmp_path / "mine.csv", with_value("height", 59_998, "tall", rows=60_000))
    assert path.stat().st_size > 2**20  # beyond the block from which types are inferred
    with pytest.raises(DataError, match="column 'height', row 59999: found 'tall'"):
        read(path)


def test_text_is_no_number(path):
    with pytest.raises(DataError, match="column 'name', row 1: found 'person 0'"):
        read(path, ["name"])


def test_truth_values_are_zero_and_one(path):
    """As pandas.get_dummies codes categories."""
    write(path, table().append_column("tall", pa.array([True, False] * 20)))
    np.testing.assert_array_equal(read(path, ["height", "tall"])[:, 1], [1, 0] * 20)
    write(path, table().append_column("tall", pa.array([True, None] * 20)))
    with pytest.raises(DataError, match="column 'tall', row 2: found nothing where"):
        read(path, ["tall"])


def test_a_constant_column_is_named(path):
    write(path, table().append_column("unit", pa.array([2.5] * 40)))
    with pytest.raises(DataError, match=r"column 'unit': every row holds 2\.5; a constant"):
        read(path, ["height", "unit"])


def test_what_float32_cannot_hold_is_named_with_column_and_row(path):
    write(path, table().append_column("time", pa.array(1.7e9 + np.linspace(0, 99, 40))))
    with pytest.raises(DataError, match=r"column 'time', row \d+: 17.* is stored in float32, which loses"):
        read(path, ["time"])
    write(path, table().append_column("huge", pa.array(np.linspace(0, 1e39, 40))))
    with pytest.raises(DataError, match=r"column 'huge', row \d+: .* loses inf"):
        read(path, ["huge"])
    write(path, table().append_column("farther", pa.array(np.linspace(-1e200, 1e200, 40))))
    with pytest.raises(DataError, match=r"column 'farther', row \d+: .* loses inf"):
        read(path, ["farther"])


def test_large_integers_are_numbers(path):
    """Times in nanoseconds: float64 cannot represent all of them, which does not matter."""
    seconds = np.linspace(0, 1e9, 40).astype(np.int64)
    write(path, table().append_column("time", pa.array(1_700_841_877_240_412_545 + seconds)))
    with pytest.raises(DataError, match=r"column 'time', row \d+: 1\.7.* is stored in float32, which loses"):
        read(path, ["time"])
    write(path, table().append_column("since", pa.array(seconds * 1_000_000_007)))
    assert read(path, ["since"])[-1, 0] == pytest.approx(1e18, rel=1e-6)


def test_repeated_rows_beyond_the_share_are_named(path):
    whole = table()
    write(path, pa.concat_tables([whole, whole.slice(5, 2)]))
    with pytest.raises(
        DataError, match=r"row 41 repeats row 6 in height, weight, age, and 2 of 42 .* at most 1\.0% may"
    ):
        read(path)
    assert len(read(path, duplicates=0.05)) == 42


def test_the_allowed_share_is_checked_when_planning_and_is_not_in_the_samples(path, tmp_path):
    whole = table()
    write(path, pa.concat_tables([whole, whole.slice(5, 2)]))
    settings = json.dumps(SETTINGS)
    assert "repeats row 6" in data.problem(str(path), sha256_of(path), settings, 0.01)
    assert data.problem(str(path), sha256_of(path), settings, 0.05) == ""
    data.split(SETTINGS, path, tmp_path / "samples.parquet")
    assert samples.metadata(tmp_path / "samples.parquet")["settings"] == SETTINGS


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_damaged_file_is_named(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(b"a,b\n1,2\n3\n" if suffix == ".csv" else write(path, table()).read_bytes()[:-9])
    with pytest.raises(DataError, match=rf"mine\{suffix} cannot be read as {suffix[1:].upper()}: "):
        read(path, ["a"])


def test_a_csv_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "old.csv").write_bytes("größe,weight\n1,2\n3,4\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"old\.csv cannot be read as CSV: 'utf-8' codec"):
        read(tmp_path / "old.csv", ["weight"])


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("")
    with pytest.raises(DataError, match=r"mine\.csv cannot be read as CSV"):
        read(path)
    path.write_text("height,weight,age\n")
    with pytest.raises(DataError, match=r"mine\.csv has 0 rows"):
        read(path)
