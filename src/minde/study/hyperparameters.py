"""The hyper-parameters of a study, which a table shows: the settings of every method, by tasks with equal settings."""

import json

from .design import Cell, options_of, task_of, training_of
from .methods import COMPETITORS
from .seeds import canonical


def table_settings(config: dict) -> str:
    """Return the settings for the table of hyper-parameters, which shows them.

    They are those of every method, by tasks with equal settings.
    """
    dims = {name: task_of(config, name) for name in config["tasks"]}
    return canonical(
        {
            "tasks": [[name, task.dim_x, task.dim_y] for name, task in dims.items()],
            "methods": {method: by_tasks(config, method) for method in config["methods"]},
        }
    )


def by_tasks(config: dict, method: str) -> list[dict]:
    """Return the hyper-parameters of a method, each set with its tasks."""
    found: dict[str, list[str]] = {}
    for task in config["tasks"]:
        settings = options_of(config, method) if method in COMPETITORS else _of_variant(config, method, task)
        found.setdefault(canonical(settings), []).append(task)
    return [{"tasks": tasks, "settings": json.loads(settings)} for settings, tasks in found.items()]


def _of_variant(config: dict, method: str, task: str) -> dict:
    """Return the hyper-parameters of a variant of MINDE on a task, which are the same at all train sizes."""
    settings = training_of(config, Cell(method=method, task=task, train_size=max(config["train_sizes"])))
    estimators = config["minde"]["estimators"]
    return {
        "recipe": config["minde"]["recipe"],
        "preprocess": settings["preprocess"],
        **settings["network"],
        **settings["training"],
        "sde": config["minde"]["sde"],
        "estimation": {name: estimators[name] for name in ("mc_draws", "importance_sampling", "times")},
    }
