"""The design of a study: its cells, and for each step exactly the settings that it reads.

Settings are canonical JSON and a param of the step's rule, so that the rule reruns exactly when a setting that it reads
has changed. `config` is always a config as `config.resolve` returns it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from . import consistency
from .methods import METHODS, UNTRAINED, VARIANTS
from .seeds import canonical
from .tasks import TASKS, Task, own_task


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """The unit of work, caching and cluster jobs; its replicates are run together."""

    method: str
    task: str
    train_size: int
    """Rows of training samples per replicate; 0 for a method that uses none."""

    @property
    def path(self) -> str:
        """Path of the cell's files, relative to the folder of their kind and without a suffix."""
        return f"{self.method}/{self.task}/{self.train_size}"


def cells(config: dict) -> list[Cell]:
    """Return every cell of the study, by method, task and train size in the order of the config."""
    return list(_cells(config["methods"], config["tasks"], config["train_sizes"]))


def sample_settings(config: dict, task: str) -> str:
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


def split_settings(config: dict, task: str) -> str:
    """Return the settings for splitting a user file into samples.

    The name of the file keeps files of the same content apart.
    """
    entry = config["data"][task]
    own = {"file": Path(entry["file"]).name, "x": entry["x"], "y": entry["y"]}
    return canonical(json.loads(sample_settings(config, task)) | own)


def latents_settings(config: dict) -> str:
    """Return the settings for the latents of the consistency tests."""
    return canonical({"seed": config["seed"], **config["consistency"]})


def consistency_settings(config: dict) -> str:
    """Return the settings for the figure of the consistency tests, besides the estimates."""
    return canonical({"tasks": list(consistency.entries(config)), "sigmas": config["tables"]["sigmas"]})


def ratio_settings(config: dict) -> str:
    """Return the settings for the table of the consistency tests, besides the estimates."""
    return canonical({"sigmas": config["tables"]["sigmas"]})


def train_settings(config: dict, cell: Cell) -> str:
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


def estimate_settings(config: dict, cell: Cell) -> str:
    """Return the settings for estimating with a cell's weights, whose metadata hold the training settings."""
    estimators = dict(config["minde"]["estimators"])
    if "sigma" not in estimators["formulas"]:
        estimators["sigmas"] = []  # not read: a change must rerun nothing
    return canonical({"task": cell.task, "train_size": cell.train_size, "seed": config["seed"], **estimators})


def score_error_settings(cell: Cell) -> str:
    """Return the settings for measuring and drawing the error of a cell's scores, besides its weights and samples."""
    return canonical({"task": cell.task, "train_size": cell.train_size, "method": cell.method})


def baseline_settings(config: dict, cell: Cell) -> str:
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


def experiment_settings(config: dict, name: str) -> str:
    """Return the settings of an experiment of MINE: its section of the config and the study's seed.

    In `dependence`, those of MINDE-c that the section leaves out are the recipe's, `fast`, and the network's.
    """
    settings = {"seed": config["seed"], **config["experiments"][name]}
    if name == "dependence":
        recipe = {key: value for key, value in config["recipes"]["fast"].items() if key != "duration"}
        settings["minde"] = recipe | config["minde"]["network"] | settings["minde"]
    return canonical(settings)


def merge_settings(config: dict) -> str:
    """Return the design in short form and the tasks' known true values.

    `expected_keys` generates every key from the short form, since Snakemake records these settings with the output.
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


def origin_settings(config: dict) -> str:
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


def table1_settings(config: dict, train_size: int | None = None) -> str:
    """Return the settings of Table 1, besides the estimates; by default at the largest train size."""
    tables = config["tables"]
    settings = {"decimals": tables["decimals"], "sigmas": tables["sigmas"]}
    if train_size is None:
        return canonical(settings | {"reference": tables["reference"]})
    return canonical(settings | {"reference": False, "train_size": train_size})


def summary_settings(config: dict) -> str:
    """Return the settings of the summary of Table 1, besides the estimates."""
    tables, minde = config["tables"], config["minde"]
    quoted = minde["quoted"].get(minde["recipe"], {})
    return canonical(
        {"resamples": tables["resamples"], "sigmas": tables["sigmas"], "seed": config["seed"], "quoted": quoted}
    )


def bundle_settings(config: dict, holds: str) -> str:
    """Return the settings for making a bundle, besides the packed files.

    They are the config, without the machine's choices in `run`.
    """
    return canonical({"holds": holds, "config": {key: value for key, value in config.items() if key != "run"}})


def unpack_settings(file: str) -> str:
    """Return the settings for extracting a file from a bundle, besides the bundle."""
    return canonical({"file": file})


def plan_settings(config: dict) -> str:
    """Return the settings for predicting the cost of the study: the whole config."""
    return canonical(config)


def cells_of(merge_settings: dict) -> list[Cell]:
    """Return the cells of the design whose short form is `merge_settings`."""
    methods = [entry["method"] for entry in merge_settings["methods"]]
    return list(_cells(methods, merge_settings["tasks"], merge_settings["train_sizes"]))


def expected_keys(merge_settings: dict) -> list[tuple[str, str, str, int, int]]:
    """Return every (task, method, estimator, train_size, replicate) of the design, in order."""
    formulas = {entry["method"]: entry["estimators"] for entry in merge_settings["methods"]}
    return [
        (cell.task, cell.method, estimator, cell.train_size, replicate)
        for cell in cells_of(merge_settings)
        for estimator in formulas[cell.method]
        for replicate in range(merge_settings["replicates"])
    ]


def estimators(config: dict, method: str) -> list[str]:
    """Return the ids of a method's estimators.

    They are `inside`, `sigma=1`, `gap`, or the method's own id if it has a single formula.
    """
    if method not in VARIANTS:
        return [method]
    chosen = config["minde"]["estimators"]
    widths = [f"sigma={sigma:g}" for sigma in chosen["sigmas"]]
    return [name for formula in chosen["formulas"] for name in (widths if formula == "sigma" else [formula])]


def training_of(config: dict, cell: Cell) -> dict:
    """Return preprocessing, network and training settings of a cell: the study's, then each matching override."""
    network = dict(config["minde"]["network"])
    training = dict(config["recipes"][config["minde"]["recipe"]])
    for changes in _overrides(config, cell):
        network |= changes.get("network", {})
        training |= changes.get("training", {})
    return {"preprocess": preprocess_of(config, cell), "network": network, "training": training}


def preprocess_of(config: dict, cell: Cell) -> str:
    """Return the preprocessing of a cell: that of the study, or of the last matching override that has one."""
    return next((c["preprocess"] for c in _overrides(config, cell)[::-1] if "preprocess" in c), config["preprocess"])


def _overrides(config: dict, cell: Cell) -> list[dict]:
    """Return what overrides set in a cell, in order."""
    task, recipe = task_of(config, cell.task), config["minde"]["recipe"]
    return [override["set"] for override in config["overrides"] if matches(override["match"], cell, task, recipe)]


def options_of(config: dict, method: str) -> dict:
    """Return the settings of a competitor, from its sections of the config."""
    return {name: value for section in METHODS[method].sections for name, value in config["baselines"][section].items()}


def batch_size_of(config: dict, cell: Cell) -> int:
    """Return the batch size of a cell that trains."""
    if cell.method in VARIANTS:
        return training_of(config, cell)["training"]["batch_size"]
    section, *_ = METHODS[cell.method].sections
    return config["baselines"][section]["batch_size"]


def task_of(config: dict, task_id: str) -> Task:
    """Return a task of the study: a user file, or one of the benchmark."""
    return own_task(task_id, config["data"][task_id]) if task_id in config["data"] else TASKS[task_id]


def truths(config: dict, tasks: list[str]) -> dict[str, float]:
    """Return the true mutual information in nats of those tasks for which it is known.

    Only what shows it reads it: another value runs no training and no estimate again.
    """
    known = {task: task_of(config, task).mi_true for task in tasks}
    return {task: mi_true for task, mi_true in known.items() if mi_true is not None}


def matches(match: dict, cell: Cell, task: Task, recipe: str) -> bool:
    """Return whether a cell meets all given conditions: recipe, globs of task ids, methods, ranges of dimensions."""
    ranges = [(match.get(name, {}), dim) for name, dim in (("dim_x", task.dim_x), ("dim_y", task.dim_y))]
    return (
        recipe == match.get("recipe", recipe)
        and any(fnmatchcase(cell.task, pattern) for pattern in match.get("tasks", ["*"]))
        and cell.method in match.get("methods", METHODS)
        and all(limits.get("min", dim) <= dim <= limits.get("max", dim) for limits, dim in ranges)
    )


def _cells(methods: list[str], tasks: list[str], train_sizes: list[int]) -> Iterator[Cell]:
    for method in methods:
        for task in tasks:
            for train_size in [0] if method in UNTRAINED else train_sizes:
                yield Cell(method=method, task=task, train_size=train_size)
