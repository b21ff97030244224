"""Estimates that were made with other settings than the study's are told."""

import json
from pathlib import Path

import pytest
from some_cells import cell

from minde.study import origins, step_settings


@pytest.mark.parametrize(
    ("stage", "change", "remove"),
    [
        ("samples", {"seed": 5}, "samples/1v1-normal-0.75.parquet"),
        ("training", {"preprocess": "none"}, "networks/minde-c/1v1-normal-0.75/2000.safetensors"),
        ("estimates", {"mc_draws": 3}, "estimates/minde-c/1v1-normal-0.75/2000.parquet"),
    ],
)
def test_estimates_of_other_settings_are_told_from_the_study_s(config, stage, change, remove):
    asked = cell()
    settings = {
        "samples": json.loads(step_settings.sample(config, asked.task)),
        "training": json.loads(step_settings.train(config, asked)) | {"dim_x": 1, "dim_y": 1},
        "estimates": json.loads(step_settings.estimate(config, asked)),
    }
    made_by = {
        "settings": settings["estimates"],
        "training": {"settings": settings["training"], "samples": {"settings": settings["samples"]}},
    }
    path = Path(f"results/small/estimates/{asked.path}.parquet")
    whole = json.loads(step_settings.origins(config))
    origins.check(path, made_by, whole, asked)
    [(key, value)] = change.items()
    message = rf"{key} of its {stage} is {value}, expected {settings[stage][key]}\..* Delete results/small/{remove} and"
    settings[stage] |= change
    with pytest.raises(ValueError, match=message):
        origins.check(path, made_by, whole, asked)


def test_estimates_of_another_file_of_the_same_columns_are_told(config):
    """Of which Snakemake knows nothing while the file that the config names does not exist."""
    config["tasks"] = ["mine"]
    config["data"] = {"mine": {"file": "new/mine.csv", "x": ["a"], "y": ["b"]}}
    asked = cell("ksg", task="mine", train_size=0)
    made_by = {
        "settings": json.loads(step_settings.baseline(config, asked)),
        "samples": {"settings": json.loads(step_settings.split(config, "mine"))},
    }
    path, whole = Path(f"results/small/estimates/{asked.path}.parquet"), json.loads(step_settings.origins(config))
    origins.check(path, made_by, whole, asked)
    made_by["samples"]["settings"]["file"] = "old.csv"
    message = (
        rf"file of its samples is old.csv, expected mine.csv\..* Delete results/small/samples/mine.parquet and {path}"
    )
    with pytest.raises(ValueError, match=message):
        origins.check(path, made_by, whole, asked)
