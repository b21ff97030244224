"""The verbs sample and merge, called as their rules call them."""

import json

import pytest

from minde.files import provenance
from minde.steps.__main__ import main
from minde.study import results, samples

SAMPLE = {"task": "1v1-normal-0.75", "seed": 0, "replicates": 1, "n_train": 4, "n_test": 3}
DESIGN = {
    "tasks": ["1v1-normal-0.75"],
    "train_sizes": [100],
    "replicates": 2,
    "methods": [{"method": "minde-c", "estimators": ["inside"]}, {"method": "cca", "estimators": ["cca"]}],
    "mi_true": {"1v1-normal-0.75": 0.41},
}


def write(folder, method, estimator, train_size, replicates):
    key = {"task": "1v1-normal-0.75", "method": method, "estimator": estimator, "train_size": train_size}
    values = {"estimate": 0.4, "std_error": None, "seconds": 1.0}
    values |= {"train_seconds": 0.0, "not_converged": None}
    table = results.estimates_table([key | values | {"replicate": replicate} for replicate in replicates])
    results.write_parquet(folder / f"{method}/1v1-normal-0.75/{train_size}.parquet", table, provenance({}))


def merge(tmp_path):
    arguments = [
        "--settings",
        json.dumps(DESIGN),
        "--estimates",
        f"{tmp_path}/estimates",
        "--out",
        f"{tmp_path}/all.parquet",
    ]
    main(["merge", *arguments])
    return results.read_estimates(tmp_path / "all.parquet")


def test_sample_writes_the_samples(tmp_path):
    main(["sample", "--settings", json.dumps(SAMPLE), "--out", f"{tmp_path}/samples.parquet"])
    assert samples.read(tmp_path / "samples.parquet", 0, "train")[0].shape == (4, 1)


def test_merge_reads_every_cell_of_the_design(tmp_path):
    write(tmp_path / "estimates", "minde-c", "inside", 100, [0, 1])
    write(tmp_path / "estimates", "cca", "cca", 0, [0, 1])
    write(tmp_path / "estimates", "ksg", "ksg", 0, [0, 1])  # left by an earlier study; not of this design
    merged = merge(tmp_path)
    assert merged["method"].to_pylist() == ["minde-c", "minde-c", "cca", "cca"]
    assert merged["mi_true"].to_pylist() == [0.41] * 4
    made_by, cell = results.read_provenance(tmp_path / "all.parquet"), provenance({})
    assert made_by["settings"] == DESIGN
    cells = {"versions": {}, "python": [cell["python"]], "hardware": [], "code_sha256": [cell["code"]]}
    assert made_by["cells"] == cells


def test_merge_fails_when_a_replicate_is_missing(tmp_path, capsys):
    write(tmp_path / "estimates", "minde-c", "inside", 100, [0])
    write(tmp_path / "estimates", "cca", "cca", 0, [0, 1])
    with pytest.raises(ValueError, match=r"1 missing: .*'minde-c', 'inside', 100, 1"):
        merge(tmp_path)
    assert not (tmp_path / "all.parquet").exists()
    assert "minde.steps merge failed" in capsys.readouterr().err
