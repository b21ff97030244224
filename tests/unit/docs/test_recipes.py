"""What docs/recipes.md says of accuracy: the estimates in docs/results/accuracy, and the steps of their study."""

import re
import statistics
from pathlib import Path

import yaml
from snakemake.utils import update_config

from minde.steps import plan
from minde.study import config as configs
from minde.study import design, results

ROOT = Path(__file__).parents[3]


def test_the_table_is_that_of_the_estimates() -> None:
    config = {}
    for name in ("config", "accuracy"):
        update_config(config, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    quoted = config["minde"]["quoted"]["fast"]
    steps = {cell.task: f"{plan.training_of(config, cell).steps:,}" for cell in design.cells(config)}
    found, truth = {}, {}
    for row in results.read_estimates(ROOT / "docs/results/accuracy/estimates.parquet").to_pylist():
        if row["estimator"] == quoted[row["method"]]:
            found.setdefault((row["task"], row["method"]), []).append(row["estimate"])
            truth[row["task"]] = f"{row['mi_true']:.3f}"
    means = {key: f"{statistics.fmean(values):.3f}" for key, values in found.items()}

    page = (ROOT / "docs/recipes.md").read_text()
    shown = re.findall(r"^\| ([\w.-]+) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \|$", page, flags=re.MULTILINE)
    assert shown == [
        (task, truth[task], steps[task], means[task, "minde-c"], means[task, "minde-j"]) for task in config["tasks"]
    ]
