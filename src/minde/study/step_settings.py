"""For each step exactly the settings that it reads.

They are canonical JSON and a param of the step's rule, so that the rule reruns exactly when a setting that it reads has
changed. `config` is always a config as `config.resolve` returns it.
"""

import json
from pathlib import Path

from .consistency import entries
from .design import Cell, estimators, options_of, preprocess_of, training_of, truths
from .methods import METHODS, UNTRAINED, VARIANTS
from .seeds import canonical


def sample(config: dict, task: str) -> str:
    """Return the settings for drawing a task's samples."""
    rows = config["samples"]
    return canonical(
        {
            "task": task,
            "seed": config["seed"],
            "replicates": config["replicates"],
            "n_train": rows["train"],
            "n_test": rows["test"],
        }
    )


def split(config: dict, task: str) -> str:
    """Return the settings for splitting a user file into samples.

    The name of the file keeps files of the same content apart.
    """
    entry = config["data"][task]
    own = {"file": Path(entry["file"]).name, "x": entry["x"], "y": entry["y"]}
    return canonical(json.loads(sample(config, task)) | own)


def latents(config: dict) -> str:
    """Return the settings for the latents of the consistency tests."""
    return canonical({"seed": config["seed"], **config["consistency"]})


def consistency(config: dict) -> str:
    """Return the settings for table and figure of the consistency tests, besides the estimates."""
    return canonical({"tasks": list(entries(config)), "sigmas": config["tables"]["sigmas"]})


def train(config: dict, cell: Cell) -> str:
    """Return the settings for the training of a cell, with the overrides that match the cell applied."""
    return canonical(
        {
            "task": cell.task,
            "train_size": cell.train_size,
            "seed": config["seed"],
            "replicates": config["replicates"],
            "variant": VARIANTS[cell.method],
            "sde": config["minde"]["sde"],
            "curve": config["curve"],
            **training_of(config, cell),
        }
    )


def estimate(config: dict, cell: Cell) -> str:
    """Return the settings for estimating with a cell's weights, whose metadata hold the training settings."""
    chosen = dict(config["minde"]["estimators"])
    if "sigma" not in chosen["formulas"]:
        chosen["sigmas"] = []  # not read: a change must rerun nothing
    return canonical({"task": cell.task, "train_size": cell.train_size, "seed": config["seed"], **chosen})


def score_errors(cell: Cell) -> str:
    """Return the settings for measuring and drawing the error of a cell's scores, besides its weights and samples."""
    return canonical({"task": cell.task, "train_size": cell.train_size, "method": cell.method})


def baseline(config: dict, cell: Cell) -> str:
    """Return the settings of a competitor.

    They are its `options`, the train size and a seed if it trains, and `preprocess` by ranks. Of the other kinds of
    preprocessing, each method has its own.
    """
    settings = {
        "task": cell.task,
        "method": cell.method,
        "replicates": config["replicates"],
        "options": options_of(config, cell.method),
    }
    if cell.method not in UNTRAINED:
        settings |= {"train_size": cell.train_size, "seed": config["seed"]}
    if (preprocess := preprocess_of(config, cell)) == "gaussianize":
        settings["preprocess"] = preprocess
    return canonical(settings)


def experiment(config: dict, name: str) -> str:
    """Return the settings of an experiment of MINE: its section of the config and the study's seed.

    In `dependence`, those of MINDE-c that the section leaves out are the recipe's, `fast`, and the network's.
    """
    settings = {"seed": config["seed"], **config["experiments"][name]}
    if name == "dependence":
        recipe = {key: value for key, value in config["recipes"]["fast"].items() if key != "duration"}
        settings["minde"] = recipe | config["minde"]["network"] | settings["minde"]
    return canonical(settings)


def merge(config: dict) -> str:
    """Return the design in short form and the tasks' known true values.

    `design.expected_keys` generates every key from it, since Snakemake records these settings with the output.
    """
    return canonical(
        {
            "tasks": config["tasks"],
            "train_sizes": config["train_sizes"],
            "replicates": config["replicates"],
            "methods": [{"method": name, "estimators": estimators(config, name)} for name in config["methods"]],
            "mi_true": truths(config, config["tasks"]),
        }
    )


def origins(config: dict) -> str:
    """Return the parts of the config that determine the settings of all samples, trainings and estimates."""
    minde, used = config["minde"], {section for method in config["methods"] for section in METHODS[method].sections}
    whole = (
        "seed",
        "tasks",
        "methods",
        "train_sizes",
        "replicates",
        "samples",
        "preprocess",
        "overrides",
        "curve",
    )
    return canonical(
        {key: config[key] for key in whole}
        | {
            "data": {task: {key: entry[key] for key in ("file", "x", "y")} for task, entry in config["data"].items()},
            "minde": {key: value for key, value in minde.items() if key != "quoted"},
            "recipes": {minde["recipe"]: config["recipes"][minde["recipe"]]},
            "baselines": {section: value for section, value in config["baselines"].items() if section in used},
        }
    )


def table1(config: dict, train_size: int | None = None) -> str:
    """Return the settings of Table 1, besides the estimates; by default at the largest train size."""
    tables = config["tables"]
    settings = {"decimals": tables["decimals"], "sigmas": tables["sigmas"]}
    if train_size is None:
        return canonical(settings | {"reference": tables["reference"]})
    return canonical(settings | {"reference": False, "train_size": train_size})


def summary(config: dict) -> str:
    """Return the settings of the summary of Table 1, besides the estimates."""
    tables, minde = config["tables"], config["minde"]
    quoted = minde["quoted"].get(minde["recipe"], {})
    return canonical(
        {"resamples": tables["resamples"], "sigmas": tables["sigmas"], "seed": config["seed"], "quoted": quoted}
    )


def bundle(config: dict, holds: str) -> str:
    """Return the settings for making a bundle, besides the packed files.

    They are the config, without the machine's choices in `run`.
    """
    return canonical({"holds": holds, "config": {key: value for key, value in config.items() if key != "run"}})


def unpack(file: str) -> str:
    """Return the settings for extracting a file from a bundle, besides the bundle."""
    return canonical({"file": file})


def plan(config: dict) -> str:
    """Return the settings for predicting the cost of the study: the whole config."""
    return canonical(config)
