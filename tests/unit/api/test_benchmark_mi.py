"""The estimator with benchmark-mi's own tools."""

import inspect

import numpy as np
import pytest
import yaml
from bmi.benchmark.result import run_estimator
from bmi.benchmark.task import Task
from bmi.interface import BaseModel, EstimateResult, IMutualInformationPointEstimator
from bmi.samplers import SplitMultinormal
from pairs import SMALL

from minde import MINDE

SAMPLER = SplitMultinormal(dim_x=2, dim_y=1, covariance=np.array([[1.0, 0, 0.7], [0, 1, 0.3], [0.7, 0.3, 1]]))


@pytest.mark.parametrize("name", ["estimate", "estimate_with_info", "parameters"])
def test_the_methods_are_those_of_the_protocol(name) -> None:
    expected = inspect.signature(getattr(IMutualInformationPointEstimator, name))
    assert list(inspect.signature(getattr(MINDE, name)).parameters) == list(expected.parameters)


def test_the_protocols_results_are_of_its_types() -> None:
    x, y = SAMPLER.sample(500, rng=0)  # jax arrays
    estimator = MINDE(replicates=2, **SMALL)
    value = estimator.estimate(x, y)
    assert type(value) is float
    info = estimator.estimate_with_info(x, y)
    assert isinstance(info, EstimateResult)
    assert info.mi_estimate == value
    assert len(info.additional_information["replicates"]) == 2
    assert isinstance(estimator.parameters(), BaseModel)
    assert estimator.parameters().dict() == estimator.get_params()


def test_a_run_of_the_benchmark_succeeds_and_can_be_written(tmp_path) -> None:
    """As benchmark-mi tests its own neural estimators: 3,000 samples, the estimate within 0.05 nats."""
    task = Task(SAMPLER, task_id="normals", task_name="Normals")
    task.save_sample(tmp_path / "samples.csv", n_samples=3000, seed=0)
    result = run_estimator(MINDE(replicates=2, **SMALL), "MINDE", tmp_path / "samples.csv", task_id=task.id, seed=0)
    assert result.success, result.additional_information
    assert result.mi_estimate == pytest.approx(task.mutual_information, abs=0.05, rel=0.01)
    assert result.time_in_seconds > 0
    result.dump(tmp_path / "result.yaml")
    assert yaml.safe_load((tmp_path / "result.yaml").read_text())["mi_estimate"] == result.mi_estimate


def test_a_run_that_cannot_be_estimated_says_why(tmp_path) -> None:
    Task(SAMPLER, task_id="normals", task_name="Normals").save_sample(tmp_path / "samples.csv", n_samples=20, seed=0)
    result = run_estimator(MINDE(**SMALL), "MINDE", tmp_path / "samples.csv", task_id="normals", seed=0)
    assert not result.success
    assert "20 rows" in result.additional_information["error"]
