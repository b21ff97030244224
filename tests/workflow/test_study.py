"""The default study end to end, like `make study`, in the repository's own results folder, so that it runs once."""

import json
import math
import re
import statistics

import pyarrow.parquet as pq
import pytest
import yaml
from running import ROOT, snakemake

from minde.study import config as configs
from minde.study import design, methods, results, step_settings
from minde.study.tasks import TASKS

pytestmark = pytest.mark.slow

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
FOLDER = ROOT / "results" / CONFIG["name"]

# How far the mean of three replicates may be from the truth at the largest train size, in nats.
TOLERANCE = 0.1


@pytest.fixture(scope="module")
def estimates():
    """The estimates of the default study, by (method, estimator, task, train size)."""
    snakemake(ROOT)
    found = {}
    for row in results.read_estimates(FOLDER / "estimates.parquet").to_pylist():
        key = (row["method"], row["estimator"], row["task"], row["train_size"])
        found.setdefault(key, []).append(row)
    return found


@pytest.mark.parametrize("task", CONFIG["tasks"])
@pytest.mark.parametrize("method", methods.VARIANTS)
def test_minde_is_near_the_truth(estimates, method, task):
    for estimator in design.estimators(CONFIG, method):
        rows = estimates[method, estimator, task, max(CONFIG["train_sizes"])]
        mean = statistics.fmean(row["estimate"] for row in rows)
        assert mean == pytest.approx(TASKS[task].mi_true, abs=TOLERANCE), estimator


@pytest.mark.parametrize("task", [task for task in CONFIG["tasks"] if task.startswith(("1v1-normal", "multinormal"))])
def test_cca_is_right_on_gaussians(estimates, task):
    for row in estimates["cca", "cca", task, 0]:
        assert row["estimate"] == pytest.approx(TASKS[task].mi_true, abs=0.05)


def test_ksg_is_right_in_low_dimensions(estimates):
    for task in CONFIG["tasks"]:
        if TASKS[task].dim_x == 1:
            for row in estimates["ksg", "ksg", task, 0]:
                assert row["estimate"] == pytest.approx(TASKS[task].mi_true, abs=0.06)


def test_the_merged_estimates_hold_the_config_that_determines_them(estimates):
    held = results.read_provenance(FOLDER / "estimates.parquet")["config"]
    assert held == json.loads(step_settings.origins(configs.resolve(CONFIG, ROOT)))


def test_monte_carlo_errors_are_stated_and_small(estimates):
    for (method, *_), rows in estimates.items():
        for row in rows:
            if method in methods.VARIANTS:
                assert 0 < row["std_error"] < 0.1
            assert math.isfinite(row["seconds"])


def test_every_output_is_there(estimates):
    for name in ("tables/table1.tex", "tables/summary.html", "figures/spread_1.png", "figures/training_size_1.pdf"):
        assert (FOLDER / name).stat().st_size > 0


def test_the_docs_show_how_to_read_the_results(estimates, monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs/study.md").read_text()
    (shown,) = re.findall(r"^```python\n(.*?trained_model.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    exec(shown[shown.index("from pathlib") :], names := {})
    assert names["noise_pred"].shape == (CONFIG["replicates"], CONFIG["samples"]["test"], 1)
    for path, columns in re.findall(r"^\| `(\S+\.parquet)` \| (.*) \|$", page, flags=re.MULTILINE):
        filled = path.replace("TASK", CONFIG["tasks"][0]).replace("METHOD", "minde-c").replace("SIZE", "10000")
        held = pq.read_schema(FOLDER / filled).names
        named = set(re.findall(r"`(\w+)`", columns)) - {"inside", "gap"}
        assert named <= set(held), path
        assert set(held) - named <= {"train_size"} | {name for name in held if name[:2] in ("x_", "y_")}, path


def test_the_study_is_complete(estimates):
    assert "Nothing to be done" in snakemake(ROOT)
