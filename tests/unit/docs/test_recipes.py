"""The accuracy in docs/recipes.md is that of docs/results/accuracy, and the steps those of its study."""

import re
import statistics
from pathlib import Path

import yaml
from snakemake.utils import update_config

from minde.steps import plan
from minde.study import config as configs
from minde.study import design, results

ROOT = Path(__file__).parents[3]


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


def rows(pattern: str) -> list[tuple[str, ...]]:
    """The rows of a table of the page, by the pattern of its cells after the first."""
    page = (ROOT / "docs/recipes.md").read_text()
    return re.findall(rf"^ *\| ([\w.-]+(?: \*)?) \| {pattern} \|$", page, flags=re.MULTILINE)


def test_the_table_is_that_of_the_estimates() -> None:
    config = config_of("accuracy")
    steps = {cell.task: f"{plan.cost_of(config, cell).steps:,}" for cell in design.cells(config)}
    quoted = config["minde"]["quoted"]["fast"]
    found, truth = means("docs/results/accuracy/estimates.parquet", quoted)
    of_clusters, again = means("docs/results/accuracy/clusters.parquet", quoted)
    found |= of_clusters
    assert rows(r"([\d.]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+)") == [
        (
            f"{task} *" if task in again else task,
            truth[task],
            steps[task],
            found[task, "minde-c"],
            found[task, "minde-j"],
        )
        for task in config["tasks"]
    ]


def test_the_table_of_what_gaussianizing_does_is_that_of_the_estimates() -> None:
    quoted = config_of("accuracy")["minde"]["quoted"]["fast"]
    before, truth = means("docs/results/accuracy/estimates.parquet", quoted)
    after, _ = means("docs/results/accuracy/gaussianized.parquet", quoted)
    shown = rows(" \\| ".join([r"([\d.]+)"] * 5))
    assert {task for task, *_ in shown} == {task for task, _ in after}
    for task, *cells in shown:
        methods = ((found, method) for method in ("minde-c", "minde-j") for found in (before, after))
        assert cells == [truth[task], *(found[task, method] for found, method in methods)]
