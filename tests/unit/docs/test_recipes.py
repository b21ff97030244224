"""The accuracy that docs/recipes.md states is that of the estimates in docs/results/accuracy."""

import re
import statistics
from pathlib import Path

import yaml

from minde.study import results

ROOT = Path(__file__).parents[3]


def test_the_table_is_that_of_the_estimates() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    tasks = yaml.safe_load((ROOT / "config/accuracy.yaml").read_text())["tasks"]
    quoted = config["minde"]["quoted"]["fast"]
    found, truth = {}, {}
    for row in results.read_estimates(ROOT / "docs/results/accuracy/estimates.parquet").to_pylist():
        if row["estimator"] == quoted[row["method"]]:
            found.setdefault((row["task"], row["method"]), []).append(row["estimate"])
            truth[row["task"]] = f"{row['mi_true']:.3f}"
    means = {key: f"{statistics.fmean(values):.3f}" for key, values in found.items()}

    page = (ROOT / "docs/recipes.md").read_text()
    shown = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| [\d,]+ \| ([\d.]+) \| ([\d.]+) \|$", page, flags=re.MULTILINE)
    assert shown == [(task, truth[task], means[task, "minde-c"], means[task, "minde-j"]) for task in tasks]
