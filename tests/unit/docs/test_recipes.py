"""The accuracy in docs/recipes.md is that of docs/results/accuracy, and the steps those of its study."""

import re
import statistics
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import torch
import yaml
from snakemake.utils import update_config

from minde.api.result import combine
from minde.steps import plan
from minde.study import config as configs
from minde.study import design, results
from minde.study.tables.published import MINDE_C
from minde.study.tasks import HIGH_MI, HIGH_MI_VERSIONS

ROOT = Path(__file__).parents[3]

LARGEST_ERRORS = {
    "1v1-normal-0.75": 0.01,
    "1v1-additive-0.1": 0.04,
    "wiggly-1v1-normal-0.75": 0.02,
    "half_cube-1v1-normal-0.75": 0.02,
    "multinormal-dense-5-5-0.5": 0.02,
    "multinormal-dense-50-50-0.5": 0.08,
    "multinormal-sparse-25-25-2-2.0": 0.04,
    "spiral-multinormal-sparse-3-3-2-2.0": 0.05,
    "spiral-multinormal-sparse-25-25-2-2.0": 0.10,
    "student-identity-1-1-1": 0.05,
    "student-identity-2-2-1": 0.05,
}
"""What the recipe `fast` has to reach, in nats."""

WITHOUT_WAVES = "docs/results/accuracy/without_waves.parquet"
"""Estimates of the same tasks by networks without sines and cosines among their inputs, as the gaussianized ones."""


def config_of(name: str) -> dict:
    """A study's config, resolved."""
    config = {}
    for part in ("config", name):
        update_config(config, yaml.safe_load((ROOT / f"config/{part}.yaml").read_text()))
    return configs.resolve(config, ROOT)


def means(path: str, quoted: dict[str, str]) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """The mean of each task and method by the quoted formula, and each task's truth, as printed."""
    found, truth = {}, {}
    for row in results.read_estimates(ROOT / path).to_pylist():
        if row["estimator"] == quoted[row["method"]]:
            found.setdefault((row["task"], row["method"]), []).append(row["estimate"])
            truth[row["task"]] = f"{row['mi_true']:.3f}"
    return {key: f"{statistics.fmean(values):.3f}" for key, values in found.items()}, truth


def page() -> str:
    return (ROOT / "docs/recipes.md").read_text()


def rows(pattern: str) -> list[tuple[str, ...]]:
    """The rows of a table of the page, by the pattern of its cells after the first."""
    return re.findall(rf"^ *\| ([\w.-]+) \| {pattern} \|$", page(), flags=re.MULTILINE)


def test_the_table_is_that_of_the_estimates() -> None:
    config = config_of("accuracy")
    steps = {cell.task: f"{plan.cost_of(config, cell).steps:,}" for cell in design.cells(config)}
    quoted = config["minde"]["quoted"]["fast"]
    found, truth = means("docs/results/accuracy/estimates.parquet", quoted)
    assert rows(r"([\d.]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+)") == [
        (
            task,
            truth[task],
            steps[task],
            found[task, "minde-c"],
            found[task, "minde-j"],
        )
        for task in config["tasks"]
    ]


def test_the_table_of_what_gaussianizing_does_is_that_of_the_estimates() -> None:
    config = config_of("accuracy")
    quoted = config["minde"]["quoted"]["fast"]
    before, truth = means(WITHOUT_WAVES, quoted)
    after, _ = means("docs/results/accuracy/gaussianized.parquet", quoted)
    columns = [(found, method) for method in ("minde-c", "minde-j") for found in (before, after)]
    assert rows(" \\| ".join([r"([\d.]+)"] * 5)) == [
        (task, truth[task], *(found[task, method] for found, method in columns))
        for task in config["tasks"]
        if not task.startswith("student-")  # gaussianized in both
    ]


def test_the_table_of_the_recipe_paper_is_that_of_the_estimates() -> None:
    quoted = {"minde-c": "inside", "minde-j": "gap"}
    found, truth = means("docs/results/reproduction/estimates.parquet", quoted)
    fast, _ = means("docs/results/accuracy/estimates.parquet", quoted)
    tasks = yaml.safe_load((ROOT / "config/reproduction.yaml").read_text())["tasks"]
    assert rows(r"([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+)") == [
        (task, truth[task], f"{MINDE_C[task]:.1f}", found[task, "minde-c"], fast[task, "minde-c"]) for task in tasks
    ]


def test_the_table_of_high_mutual_information_is_that_of_the_estimates() -> None:
    found, truth = means("docs/results/high_mi/estimates.parquet", config_of("accuracy")["minde"]["quoted"]["fast"])
    cells = [(version, method) for version in HIGH_MI_VERSIONS for method in ("minde-c", "minde-j")]
    tasks = [task for task in HIGH_MI if task.startswith("high-mi-")]
    assert rows(" \\| ".join([r"(-?[\d.]+)"] * 6)) == [
        (f"{float(truth[task]):.1f}", *(found[f"{version}{task}", method] for version, method in cells))
        for task in tasks
    ]


def test_the_table_of_the_ablation_is_that_of_the_estimates() -> None:
    """Errors of means over replicates, and deviations over them, averaged over the tasks of the ablation."""
    frames = [
        results.read_estimates(ROOT / f"docs/results/{study}/estimates.parquet").to_pandas()
        for study in ("accuracy", "uniform_times")
    ]
    tasks = set(frames[1]["task"])
    assert len(tasks) == 8
    found = []
    for frame in frames:
        shown = frame[frame["task"].isin(tasks)].assign(error=lambda rows: rows["estimate"] - rows["mi_true"])
        by_task = shown.groupby(["method", "estimator", "task"])["error"].agg(["mean", "std"])
        found.append(by_task.abs().groupby(["method", "estimator"]).mean())
    table = re.findall(r"^\| ([cj]), (\w+) " + 4 * r"\| ([\d.]+) " + r"\|$", page(), flags=re.MULTILINE)
    assert len(table) == 6
    for variant, formula, *numbers in table:
        row = (f"minde-{variant}", "sigma=1" if formula == "sigma" else formula)
        expected = [study.loc[row, column] for column in ("mean", "std") for study in found]
        assert numbers == [f"{value:.3f}" for value in expected]


def test_the_kept_estimates_are_as_accurate_as_the_recipe_has_to_be() -> None:
    """Of the run whose estimates the repository has; no edit of an estimator changes them."""
    found, truth = means("docs/results/accuracy/estimates.parquet", config_of("accuracy")["minde"]["quoted"]["fast"])
    for task, method in product(LARGEST_ERRORS, ("minde-c", "minde-j")):
        assert float(found[task, method]) == pytest.approx(float(truth[task]), abs=LARGEST_ERRORS[task]), (task, method)


def test_the_page_counts_the_intervals_that_hold_the_truth() -> None:
    held = Counter()
    rows = results.read_estimates(ROOT / "docs/results/accuracy/estimates.parquet").to_pandas()
    for (method, formula, _), own in rows.groupby(["method", "estimator", "task"]):
        errors = torch.tensor(own["std_error"].to_numpy())
        low, high = combine(torch.tensor(own["estimate"].to_numpy()), errors, len(own)).interval()
        held[method, formula] += low <= own["mi_true"].iloc[0] <= high
    text = " ".join((ROOT / "docs/estimators.md").read_text().split())
    found = re.search(r"on (\d+) \(c\) and (\d+) \(j\) of 40 tasks by `inside`, and on (\d+) and (\d+) by `gap`", text)
    expected = [held[method, formula] for formula in ("inside", "gap") for method in ("minde-c", "minde-j")]
    assert list(map(int, found.groups())) == expected
