"""The cost of a study, against numbers worked out by hand."""

import json
from pathlib import Path

import pytest
import yaml

from minde.steps.plan import Rate, cost_of, per_second, report
from minde.study.config import resolve
from minde.study.design import Cell

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config() -> dict:
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    small = {"tasks": ["1v1-normal-0.75"], "methods": ["minde-c", "ksg"], "train_sizes": [2000, 10000]}
    return resolve(default | small, ROOT)


def measured(path: Path, *rates: Rate) -> Path:
    """Write the part of the throughput benchmark's results that a plan reads."""
    rows = [{"parameters": rate.work, "batch size": 1, "ours, replicate-steps/s": rate.per_second} for rate in rates]
    path.write_text(json.dumps({"device": "a machine", "table": rows}))
    return path


def test_a_plan_counts_jobs_steps_and_hours(config, tmp_path):
    config["recipes"]["fast"] |= {"duration": {"steps": 6000}}
    # The measured work per step is at least the study's, so its rate holds: 2 cells × 3 replicates × 6000 steps.
    text = report(config, [measured(tmp_path / "rates.json", Rate(10**9, 10.0))], [])
    assert "1 tasks, 3 replicates" in text
    assert "width  64,   2,000 samples:   1 trainings of     6,000 steps" in text
    assert "on a machine: 1.0 hours of training, the longest cell 0.5 (rates.json)" in text
    assert "jobs: 1 for samples, 2 for training, 2 for estimates\n" in text
    assert "hours are not predicted of 1 cells of competitors\n" in text


def test_what_is_not_predicted_is_named(config, tmp_path):
    config |= {"methods": ["ksg"], "experiments": {"gans": {}, "binary": {}}, "consistency": {"images": "digits"}}
    text = report(config, [measured(tmp_path / "rates.json", Rate(10**9, 10.0))], [])
    assert (
        "hours are not predicted of 1 cells of competitors, 2 experiments (gans, binary), "
        "the autoencoders of the consistency tests\n"
    ) in text
    assert "hours of training" not in text  # nothing is trained whose rate is known
    config |= {"methods": ["minde-c"], "experiments": {}, "consistency": {}}
    assert "not predicted" not in report(config, [], [])


def test_a_plan_says_how_far_real_trainings_were_from_their_prediction(config, tmp_path):
    checks = [tmp_path / "checked.json", tmp_path / "unchecked.json"]
    for path, checked in zip(checks, ({"task": "1v1-normal-0.75", "ratio": 1.467}, None), strict=True):
        path.write_text(json.dumps({"device": "a machine", "check": checked}))
    text = report(config, [], checks)
    assert "on a machine, real trainings of 1v1-normal-0.75 took 1.5 times their prediction (checked.json)" in text
    assert "unchecked" not in text


def test_epochs_drop_their_incomplete_batch(config):
    config["recipes"]["fast"] |= {"duration": {"epochs": 10}, "batch_size": 300}
    assert "2,000 samples:   1 trainings of        60 steps" in report(config, [], [])


def test_more_work_takes_longer_and_less_as_long():
    rates = [Rate(100, 50.0), Rate(10_000, 5.0)]
    assert per_second(rates, 100) == 50
    assert per_second(rates, 200) == 25
    assert per_second(rates, 10) == 50
    assert per_second(rates, 20_000) == 2.5


def test_extrapolated_hours_are_reported(config, tmp_path):
    config["tasks"] = ["1v1-normal-0.75", "multinormal-dense-50-50-0.5"]
    wide = cost_of(config, Cell(method="minde-c", task=config["tasks"][1], train_size=2000))
    text = report(config, [measured(tmp_path / "rates.json", Rate(wide.work // 4, 10.0))], [])
    assert (
        "hours at width 256 are extrapolated: a step is up to 4.0 times the work of the largest measured case" in text
    )
    assert "extrapolated" not in report(config, [measured(tmp_path / "rates.json", Rate(wide.work, 10.0))], [])
