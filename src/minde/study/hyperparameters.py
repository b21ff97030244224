"""The hyper-parameters of a study, which a table shows: the settings of every method, by tasks with equal settings."""

import json

from .design import Cell, options_of, preprocess_of, task_of, training_of
from .methods import COMPETITORS, UNTRAINED
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
    """Return the hyper-parameters of a method, each set with its tasks, and with train sizes if it depends on them."""
    found: dict[str, tuple[list[str], dict]] = {}
    for task in config["tasks"]:
        for settings, sizes in _of_task(config, method, task).items():
            about = {"settings": json.loads(settings)}
            if sizes != config["train_sizes"]:
                about["train_sizes"] = sizes
            tasks, _ = found.setdefault(canonical([settings, sizes]), ([], about))
            tasks.append(task)
    return [{"tasks": tasks} | about for tasks, about in found.values()]


def _of_task(config: dict, method: str, task: str) -> dict[str, list[int]]:
    """Return the hyper-parameters of a method on a task, as text, and at which train sizes it has them."""
    found: dict[str, list[int]] = {}
    for size in config["train_sizes"]:
        cell = Cell(method=method, task=task, train_size=0 if method in UNTRAINED else size)
        settings = _of_competitor(config, cell) if method in COMPETITORS else _of_variant(config, cell)
        found.setdefault(canonical(settings), []).append(size)
    return found


def _of_competitor(config: dict, cell: Cell) -> dict:
    """Return the options of a competitor, and `preprocess` if by ranks, see :func:`.step_settings.baseline`."""
    preprocess = preprocess_of(config, cell)
    return ({"preprocess": preprocess} if preprocess == "gaussianize" else {}) | options_of(config, cell.method)


def _of_variant(config: dict, cell: Cell) -> dict:
    """Return the hyper-parameters of a cell of MINDE."""
    settings, estimators = training_of(config, cell), config["minde"]["estimators"]
    return {
        "recipe": config["minde"]["recipe"],
        "preprocess": settings["preprocess"],
        **settings["network"],
        **settings["training"],
        "sde": config["minde"]["sde"],
        "estimation": {name: estimators[name] for name in ("mc_draws", "importance_sampling", "times")},
    }
