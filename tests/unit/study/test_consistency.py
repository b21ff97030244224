"""The consistency tests: their tasks, and known ratios of made-up estimates."""

import pandas as pd
import pytest

from minde.study import consistency
from minde.study.consistency import IDEAL, entries
from minde.study.ratios import ratios, summarize
from minde.study.tables.consistency import texts, write_ratios

CONFIG = {"name": "images", "consistency": {"images": "digits", "rows": [2, 4, 8], "autoencoder": {"latent": 2}}}
NATS = {"baseline-2": 1.0, "baseline-4": 2.0, "baseline-8": 4.0, "processing-2-4": 2.0, "processing-4-8": 3.0}
NATS |= {"additivity-2": 2.0, "additivity-4": 4.0, "additivity-8": 6.0}


def estimates() -> pd.DataFrame:
    """Replicate r of every task is (1 + r) times its number of nats, so that ratios do not depend on r."""
    rows = [
        {"task": task, "method": method, "estimator": "inside", "train_size": 100, "replicate": r, "std_error": None}
        | {"estimate": (1.0 + r) * nats, "mi_true": None, "seconds": 1.0, "not_converged": None}
        for task, nats in NATS.items()
        for method in ("minde-c", "minde-j")
        for r in range(2)
    ]
    return pd.DataFrame(rows)


def test_each_task_pairs_the_columns_that_its_test_is_about() -> None:
    found = entries(CONFIG)
    assert list(found) == list(NATS)
    assert {entry["file"] for entry in found.values()} == {"<results>/latents.parquet"}
    assert (found["baseline-4"]["x"], found["baseline-4"]["y"]) == (["a_1", "a_2"], ["b4_1", "b4_2"])
    assert found["processing-2-4"]["y"] == ["b4_1", "b4_2", "b2_1", "b2_2"]
    assert found["additivity-2"]["x"] == ["a_1", "a_2", "a_1bis", "a_2bis"]
    assert found["additivity-2"]["y"] == ["b2_1", "b2_2", "b2_1bis", "b2_2bis"]


def test_a_study_without_images_has_no_such_tasks() -> None:
    assert entries(CONFIG | {"consistency": {}}) == {}
    with pytest.raises(ValueError, match="no tasks of a consistency test"):
        consistency.ratios_of(["1v1-normal-0.75"])


def test_ratios_are_to_the_reference_of_the_same_replicate() -> None:
    found = ratios(estimates()).set_index(["test", "rows", "method", "replicate"])["ratio"]
    expected = {("baseline", 2): 0.25, ("baseline", 4): 0.5, ("baseline", 8): 1.0}
    expected |= {("processing", 4): 1.0, ("processing", 8): 0.75}
    expected |= {("additivity", 2): 2.0, ("additivity", 4): 2.0, ("additivity", 8): 1.5}
    assert found.to_dict() == {
        (*key, method, r): ratio for key, ratio in expected.items() for method in ("minde-j", "minde-c") for r in (0, 1)
    }


def test_the_interval_is_students() -> None:
    replicates = pd.DataFrame({"test": "baseline", "rows": 2, "row": "MINDE-c", "method": "minde-c"}, index=range(3))
    replicates = replicates.assign(estimator="inside", replicate=range(3), ratio=[0.9, 1.0, 1.1])
    (row,) = summarize(replicates).to_dict("records")
    assert row["mean"] == pytest.approx(1.0)
    assert row["high"] - 1 == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-6)  # t of 2 degrees of freedom
    assert row["ideal"] == IDEAL["baseline"]


def test_the_table_has_a_line_per_test_and_a_column_per_row(tmp_path) -> None:
    rows = pd.concat([estimates(), estimates().assign(task="baseline-100")])  # a user file
    paths = [tmp_path / f"t.{kind}" for kind in ("md", "csv", "html")]
    write_ratios(rows, paths, tasks=list(NATS), sigmas=[1.0])
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert lines[0] == "| Test | Rows | Ideal | MINDE-j | MINDE-c |"
    assert lines[2] == "| baseline | 2 | → 1 | 0.25 ± 0.00 | 0.25 ± 0.00 |"
    assert len(lines) == 2 + len(consistency.ratios_of(NATS))
    assert len(pd.read_csv(tmp_path / "t.csv")) == 2 * len(NATS)
    assert '<td class="r">→ 1</td><td class="r">0.25 ± 0.00</td>' in (tmp_path / "t.html").read_text()


def test_another_kind_of_file_is_refused_before_anything_is_written(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"written as '.docx'; expected .csv, .md or .html"):
        write_ratios(estimates(), [tmp_path / "t.md", tmp_path / "t.docx"], tasks=list(NATS), sigmas=[1.0])
    assert not list(tmp_path.iterdir())


def test_replicates_that_did_not_converge_are_left_out_and_marked() -> None:
    frame = pd.concat([estimates(), estimates().assign(replicate=lambda rows: rows["replicate"] + 2)])
    lost = (frame["task"] == "baseline-2") & (frame["replicate"] > 1)
    all_lost = (frame["task"] == "additivity-8") & (frame["method"] == "minde-c")
    frame.loc[lost | all_lost, ["estimate", "not_converged"]] = [float("nan"), "no reason"]
    summary = summarize(ratios(frame))
    by_test = summary.set_index(["test", "rows", "method"])
    assert by_test.loc["baseline", 2, "minde-c"][["replicates", "converged"]].tolist() == [4, 2]
    assert by_test.loc["processing", 8, "minde-c"][["replicates", "converged"]].tolist() == [4, 4]
    _, body = texts(summary)
    assert "†" in body[0][3]
    assert body[-1][4] == "–"
    assert "±" in body[-1][3]


def test_a_reference_of_no_information_is_named() -> None:
    frame = estimates()
    frame.loc[(frame["task"] == "baseline-8") & (frame["replicate"] == 1), "estimate"] = 0.0
    with pytest.raises(
        ValueError, match="MINDE-j estimates 0 nats in replicate 1 of baseline-8, the denominator of the test baseline"
    ):
        ratios(frame)
