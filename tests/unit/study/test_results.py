"""Estimates keep their schema, are written atomically, and are merged only if the key set is the design's."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from minde.files import provenance
from minde.study import curves, experiment_rows, results
from minde.study.figures import score_errors


def row(replicate=0, **changes):
    return {
        "task": "1v1-normal-0.75",
        "method": "minde-c",
        "estimator": "inside",
        "train_size": 100,
        "replicate": replicate,
        "estimate": 0.4 + replicate,
        "std_error": None,
        "seconds": 1.5,
        "train_seconds": 20.0,
        "not_converged": None,
    } | changes


def key(replicate=0):
    return ("1v1-normal-0.75", "minde-c", "inside", 100, replicate)


def write(path, *rows):
    results.write_parquet(path, results.estimates_table(list(rows)), provenance({"sigma": 1}))
    return path


def test_round_trip_keeps_values_units_and_provenance(tmp_path):
    path = tmp_path / "new folder" / "a.parquet"
    made = provenance({"sigmas": [1.0]}, packages=("pyarrow",), sources=("study/results.py",))
    results.write_parquet(path, results.estimates_table([row(0), row(1, std_error=0.01)]), made)
    table = results.read_estimates(path, results.CELL_SCHEMA)
    assert table.to_pylist() == [row(0), row(1, std_error=0.01)]
    assert table.schema.field("estimate").metadata == {b"unit": b"nats"}
    assert table.schema.field("seconds").metadata == {b"unit": b"s"}
    assert results.read_provenance(path) == made
    assert made["versions"] == {"pyarrow": pa.__version__}
    assert [file.name for file in path.parent.iterdir()] == ["a.parquet"]


def test_the_code_hash_covers_the_named_sources_only():
    one = provenance({}, sources=("study/results.py",))["code"]
    assert one == provenance({}, sources=("study/results.py",))["code"]
    assert one != provenance({}, sources=("study/results.py", "study/tasks.py"))["code"]


def test_a_failing_write_leaves_the_old_file(tmp_path):
    path = write(tmp_path / "a.parquet", row())
    with pytest.raises(TypeError):
        results.write_parquet(path, results.estimates_table([row(1)]), {"not JSON": object()})
    assert results.read_estimates(path, results.CELL_SCHEMA).num_rows == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("estimate", [float("nan"), float("inf")])
def test_a_non_finite_estimate_is_refused(estimate):
    with pytest.raises(ValueError, match=r"replicate=3 is (nan|inf)"):
        results.estimates_table([row(3, estimate=estimate)])


def test_what_did_not_converge_keeps_its_key_and_its_reason(tmp_path):
    lost = row(1, estimate=None, not_converged="the loss was not finite at step 7")
    merged = results.merge([key(0), key(1)], [write(tmp_path / "a.parquet", row(0), lost)], {})
    assert merged.drop_columns("mi_true").to_pylist() == [row(0), lost]


@pytest.mark.parametrize("changes", [{"estimate": None}, {"not_converged": "diverged"}])
def test_a_row_has_an_estimate_or_a_reason_why_not(changes):
    with pytest.raises(ValueError, match="replicate=0: expected an estimate or a reason why it did not converge"):
        results.estimates_table([row(0, **changes)])


def test_a_row_with_other_columns_is_refused():
    with pytest.raises(ValueError, match="sigma"):
        results.estimates_table([row(sigma=1.0)])


def test_a_truncated_file_is_named_with_the_rule_that_makes_it(tmp_path):
    path = write(tmp_path / "a.parquet", row())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"a\.parquet is not a readable .*, `torch_baseline` or `merge` makes"):
        results.read_estimates(path)


READERS = {
    "estimates file": results.read_estimates,
    "training curve": curves.read,
    "file of an experiment's rows": experiment_rows.read,
    "file of score errors": lambda path: score_errors.write_figure(path, "minde-c", [path.with_suffix(".png")]),
}


@pytest.mark.parametrize("kind", READERS)
def test_a_foreign_or_truncated_file_is_named_with_what_was_found(tmp_path, kind):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1.0]}), path)
    found = r"\(found columns x double, and no provenance\); delete it"
    with pytest.raises(ValueError, match=rf"a\.parquet is not a readable {kind} {found}"):
        READERS[kind](path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=rf"a\.parquet is not a readable {kind} \(.*the rule `\w+`.* makes it"):
        READERS[kind](path)
    with pytest.raises(FileNotFoundError):
        READERS[kind](tmp_path / "nowhere.parquet")


def test_estimates_without_provenance_are_refused(tmp_path):
    pq.write_table(results.estimates_table([row()]), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"not_converged string, and no provenance\)"):
        results.read_estimates(tmp_path / "a.parquet", results.CELL_SCHEMA)


def test_merge_takes_the_order_of_the_design(tmp_path):
    paths = [write(tmp_path / "b.parquet", row(2), row(1)), write(tmp_path / "a.parquet", row(0))]
    merged = results.merge([key(0), key(1), key(2)], paths, {})
    assert merged["replicate"].to_pylist() == [0, 1, 2]
    assert merged.schema.equals(results.SCHEMA, check_metadata=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(0)], r"1 missing: \('1v1-normal-0.75', 'minde-c', 'inside', 100, 1\)"),
        ([row(0), row(1), row(2)], r"1 not in the design: .*100, 2\)"),
        ([row(0), row(0), row(1)], r"1 duplicated: .*100, 0\)"),
    ],
)
def test_merge_names_every_key_that_is_off(tmp_path, rows, message):
    path = write(tmp_path / "a.parquet", *rows)
    with pytest.raises(ValueError, match=message):
        results.merge([key(0), key(1)], [path], {})


def test_merged_estimates_have_the_true_values_that_are_known(tmp_path):
    path = write(tmp_path / "a.parquet", row(0), row(1, task="mine"))
    keys = [key(0), ("mine", *key(1)[1:])]
    assert results.merge(keys, [path], {"mine": 0}).column("mi_true").to_pylist() == [None, 0.0]
