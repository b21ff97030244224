"""Samples: every task, the declared file format, independent replicates."""

import dataclasses
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from minde.study import samples
from minde.study.tasks import BENCHMARK, TASKS

SETTINGS = {"task": "swissroll_x-normal_cdf-1v1-normal-0.75", "seed": 3, "replicates": 2, "n_train": 7, "n_test": 5}


@pytest.fixture
def path(tmp_path):
    samples.draw(SETTINGS, tmp_path / "task.parquet")
    return tmp_path / "task.parquet"


def draw(path, **changes):
    samples.draw(SETTINGS | changes, path)
    return path


def test_the_file_is_as_declared(path):
    file = pq.ParquetFile(path)
    assert file.schema_arrow.names == ["replicate", "split", "x_0", "x_1", "y_0"]
    assert [str(field.type) for field in file.schema_arrow][2:] == ["float"] * 3
    groups = [file.read_row_group(i).to_pydict() for i in range(file.num_row_groups)]
    found = [(set(g["replicate"]), set(g["split"]), len(g["x_0"])) for g in groups]
    assert found == [({0}, {"train"}, 7), ({0}, {"test"}, 5), ({1}, {"train"}, 7), ({1}, {"test"}, 5)]


def test_the_metadata_says_what_is_held_and_what_made_it(path):
    held = samples.metadata(path)
    assert held["settings"] == SETTINGS
    assert (held["dim_x"], held["dim_y"]) == (2, 1)
    assert {"benchmark-mi", "jax", "numpy"} <= set(held["versions"])
    content = hashlib.sha256()
    for replicate in range(2):
        for split in ("train", "test"):
            for values in samples.read(path, replicate, split):
                content.update(values.tobytes())
    assert held["content_sha256"] == content.hexdigest()


def test_what_is_read_is_what_the_benchmark_draws(path):
    from bmi.benchmark import BENCHMARK_TASKS

    from minde.study.seeds import seed_of

    seed = seed_of(3, SETTINGS["task"], None, 1, "samples/test") % (2**31 - 1)
    x, y = BENCHMARK_TASKS[SETTINGS["task"]].sample(5, seed)
    found_x, found_y = samples.read(path, 1, "test")
    np.testing.assert_array_equal(found_x, np.asarray(x, dtype=np.float32))
    np.testing.assert_array_equal(found_y, np.asarray(y, dtype=np.float32))
    assert found_x.dtype == np.float32
    assert found_x.flags.c_contiguous


def test_the_first_rows_can_be_read_alone(path):
    x, y = samples.read(path, 0, "train", rows=3)
    assert (x.shape, y.shape) == ((3, 2), (3, 1))
    np.testing.assert_array_equal(x, samples.read(path, 0, "train")[0][:3])


def test_replicates_splits_and_seeds_differ(path, tmp_path):
    other = draw(tmp_path / "other.parquet", seed=4)
    drawn = [samples.read(p, r, s, rows=5)[0] for p in (path, other) for r in (0, 1) for s in ("train", "test")]
    assert len({values.tobytes() for values in drawn}) == 8


def test_more_replicates_or_training_rows_change_no_other_rows(path, tmp_path):
    more = draw(tmp_path / "more.parquet", replicates=3, n_train=9)
    for replicate in range(2):
        for found, expected in zip(
            samples.read(more, replicate, "test"), samples.read(path, replicate, "test"), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
    one_more = draw(tmp_path / "one-more.parquet", replicates=3)
    np.testing.assert_array_equal(samples.read(one_more, 1, "train")[0], samples.read(path, 1, "train")[0])


def test_drawing_again_gives_the_same_content(path, tmp_path):
    again = draw(tmp_path / "again.parquet")
    assert samples.metadata(again)["content_sha256"] == samples.metadata(path)["content_sha256"]


@pytest.mark.parametrize("task", [*BENCHMARK, "high-mi-0.0", "half_cube-high-mi-2.5", "spiral-high-mi-5.0"])
def test_every_task_can_be_drawn(task, tmp_path):
    path = draw(tmp_path / "task.parquet", task=task, replicates=1)
    x, y = samples.read(path, 0, "test")
    assert (x.shape, y.shape) == ((5, TASKS[task].dim_x), (5, TASKS[task].dim_y))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ((2, "train", None), r"holds 2 replicates of 7 train rows; asked for 7 rows of replicate 2"),
        ((-1, "train", None), r"rows of replicate -1"),
        ((0, "test", 6), r"holds 2 replicates of 5 test rows; asked for 6 rows"),
    ],
)
def test_more_than_the_file_holds_is_refused(path, request_, message):
    with pytest.raises(ValueError, match=message):
        samples.read(path, *request_)


def test_a_truncated_file_is_named_with_the_rule_that_makes_it(path):
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"task\.parquet is not a readable Parquet file.*rule `draw_samples`"):
        samples.read(path, 0, "train")


def test_a_flipped_bit_is_seen(path):
    column = pq.ParquetFile(path).metadata.row_group(0).column(2)
    last = (column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1
    content = bytearray(path.read_bytes())
    content[last] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"task\.parquet is damaged in replicate 0, train \(.*checksum"):
        samples.read(path, 0, "train")


def test_a_foreign_file_is_named_with_what_was_found(tmp_path):
    pq.write_table(pa.table({"time": [1.0], "price": [2.0]}), tmp_path / "task.parquet")
    with pytest.raises(ValueError, match=r"does not hold the samples.*found 1 row groups of columns time, price"):
        samples.metadata(tmp_path / "task.parquet")


def test_an_unknown_task_is_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown task 'bimodal'"):
        draw(tmp_path / "task.parquet", task="bimodal")


def test_samples_that_are_not_finite_are_refused_and_leave_no_file(tmp_path, monkeypatch):
    from bmi.benchmark import BENCHMARK_TASKS

    task = BENCHMARK_TASKS[SETTINGS["task"]]
    monkeypatch.setattr(type(task), "sample", lambda self, n, seed: (np.full((n, 2), np.inf), np.zeros((n, 1))))
    with pytest.raises(ValueError, match=r"replicate 0, train: 14 of 14 values of X are not finite"):
        draw(tmp_path / "task.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_task_without_a_sampler_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(TASKS, "ring", dataclasses.replace(TASKS["1v1-normal-0.75"], id="ring"))
    with pytest.raises(ValueError, match="there is no sampler for the task 'ring'"):
        samples.draw(SETTINGS | {"task": "ring"}, tmp_path / "ring.parquet")
