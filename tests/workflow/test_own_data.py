"""A user file is a task like others: every kind of method estimates it, and a change of its content runs it again."""

import os

import numpy as np
import pandas as pd
import pytest
import yaml
from running import TINY, checkout, pending, snakemake

from minde.study import results

CHANGED = {
    "tasks": ["mine"],
    "data": {"mine": {"file": "mine.csv", "x": ["height", "weight"], "y": ["age"]}},
    "replicates": 3,
}
CELLS = {"minde-c": "minde-c/mine/100", "cca": "cca/mine/0"}


def write(path, seed=0, rows=80_000):
    """Height and age with a correlation of 0.8, and independent weight, in a file of more than the megabyte up to which
    Snakemake compares the content of files by default."""
    normal = np.random.default_rng(seed).normal(size=(3, rows))
    columns = [170 + 10 * normal[0], 70 + 5 * normal[1], 40 + 8 * normal[0] + 6 * normal[2]]
    lines = ["height,weight,age", *(",".join(f"{value:.4f}" for value in row) for row in zip(*columns, strict=True))]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def estimated(tmp_path_factory):
    """A checkout in which a study of one file is complete."""
    folder = checkout(tmp_path_factory.mktemp("own") / "minde")
    write(folder / "mine.csv")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(yaml.safe_load((folder / "tiny.yaml").read_text()) | CHANGED))
    snakemake(folder, "--configfile", "tiny.yaml")
    return folder


def test_every_method_estimates_every_replicate_without_a_truth(estimated):
    table = results.read_estimates(estimated / "results/tiny/estimates.parquet").to_pylist()
    assert {row["mi_true"] for row in table} == {None}
    found = [row["estimate"] for row in table if row["method"] == "cca"]
    assert len(set(found)) == 3
    # 0.51 nats; 100 test rows leave an error of about 0.08.
    assert np.mean(found) == pytest.approx(-0.5 * np.log(1 - 0.8**2), abs=0.2)
    assert sum(row["method"] == "minde-c" for row in table) == 3 * 3


def test_tables_show_no_truth_and_no_error(estimated):
    [line] = [row for row in (estimated / "results/tiny/tables/table1.md").read_text().splitlines() if "mine" in row]
    assert line.startswith("| mine | – | ")
    page = (estimated / "results/tiny/tables/table1.html").read_text()
    assert "nan" not in page
    assert "– if unknown" in page


def test_a_true_value_and_more_allowed_repetitions_train_nothing(estimated):
    again = pending(estimated, {"data": {"mine": {"mi_true": 0.51}}})
    assert {"estimates.parquet", "tables/table1.csv", "figures/training_curve_1.png"} <= again
    assert not [output for output in again if output.startswith(("samples/", "networks/", "estimates/"))]
    assert pending(estimated, {"data": {"mine": {"duplicates": 0.5}}}) == set()


def test_other_content_of_the_file_however_old_runs_everything_again_and_a_newer_file_nothing(estimated):
    assert pending(estimated) == set()
    assert (estimated / "mine.csv").stat().st_size > 1_000_000
    os.utime(estimated / "mine.csv")
    assert pending(estimated) == set()
    write(estimated / "mine.csv", seed=1)
    os.utime(estimated / "mine.csv", (1e9, 1e9))  # for example a copy that kept its date
    again = pending(estimated)
    assert {
        "samples/mine.parquet",
        "estimates.parquet",
        *(f"estimates/{cell}.parquet" for cell in CELLS.values()),
    } < again


def test_columns_whose_names_fill_more_than_an_argument_are_merged_and_discrete_ones_warned_of(estimated):
    """An argument holds 128 KiB; braces are Snakemake's wildcards; the summary has what needs no truth."""
    generator = np.random.default_rng(0)
    wide = {f"{'of a long name ' * 10}{{{number}}}": generator.normal(size=300) for number in range(400)}
    pd.DataFrame(wide | {"dose": generator.integers(2, size=300)}).to_parquet(estimated / "wide.parquet")
    names = list(wide)
    data = {f"wide{i}": {"file": "wide.parquet", "x": ["dose"], "y": names[i:]} for i in range(3)}
    config = {
        "name": "wide",
        "tasks": [*data],
        "data": data,
        "methods": ["ksg"],
        "samples": {"train": 100, "test": 100},
    }
    (estimated / "wide.yaml").write_text(yaml.safe_dump(TINY | CHANGED | config))
    snakemake(estimated, "--configfile", "wide.yaml")
    snakemake(estimated, "plan", "bundle", "--configfile", "wide.yaml")
    log = (estimated / "results/wide/logs/split_file/wide0.log").read_text()
    assert "x: column 'dose' has 2 different values in 300 rows" in log
    assert "| KSG | 3 | – | – | – | – |" in (estimated / "results/wide/tables/summary.md").read_text()


def test_a_bad_file_stops_with_file_column_and_row(estimated):
    content = (estimated / "mine.csv").read_text().splitlines()
    content[7] = "170,seventy,40"
    (estimated / "bad.csv").write_text("\n".join(content) + "\n")
    (estimated / "bad.yaml").write_text(yaml.safe_dump({"name": "bad", "data": {"mine": {"file": "bad.csv"}}}))
    printed = snakemake(estimated, "--configfile", "tiny.yaml", "bad.yaml", fails=True)
    assert "bad.csv, column 'weight', row 7: found 'seventy' where a finite number was expected" in printed
    assert not (estimated / "results/bad/samples/mine.parquet").exists()


def test_a_bad_file_in_place_of_a_good_one_costs_nothing(estimated):
    """Snakemake deletes the samples that are there before it runs the job that would refuse the file."""
    config = {"name": "kept", "data": {"mine": {"file": "kept.csv"}}, "methods": ["cca"]}
    (estimated / "kept.yaml").write_text(yaml.safe_dump(config))
    write(estimated / "kept.csv", rows=400)
    configs = ("--configfile", "tiny.yaml", "kept.yaml")
    snakemake(estimated, *configs)
    good = (estimated / "kept.csv").read_text()
    (estimated / "kept.csv").write_text(good.replace("\n", "\n170,seventy,40\n", 1))
    printed = snakemake(estimated, *configs, fails=True)
    assert "kept.csv, column 'weight', row 1: found 'seventy' where a finite number was expected" in printed
    (estimated / "kept.csv").write_text(good)
    assert "Nothing to be done" in snakemake(estimated, *configs)


def test_a_file_that_is_missing_stops_a_study_that_has_results(estimated):
    """Snakemake would take the estimates that are there for those of the study, and exit with status 0."""
    more = {"tasks": ["mine", "more"], "data": {"more": {"file": "mroe.csv", "x": ["height"], "y": ["age"]}}}
    (estimated / "more.yaml").write_text(yaml.safe_dump(more))
    printed = snakemake(estimated, "--configfile", "tiny.yaml", "more.yaml", fails=True)
    assert "data.more.file: found mroe.csv; allowed: a file that exists" in printed


def test_a_file_that_is_not_there_is_named_although_samples_of_another_one_are(estimated):
    (estimated / "gone.yaml").write_text(yaml.safe_dump({"data": {"mine": {"file": "gone.csv"}}}))
    printed = snakemake(estimated, "--configfile", "tiny.yaml", "gone.yaml", fails=True)
    assert "gone.csv does not exist; results/tiny/samples/mine.parquet is used as it is" in printed
    assert "file of its samples is mine.csv, expected gone.csv" in printed
