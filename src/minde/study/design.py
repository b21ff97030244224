"""The design of a study: its cells, their settings, and the estimates that must come out.

`config` is always a config as `config.resolve` returns it, or the part of it that `step_settings.origins` keeps: a new
key that a cell's settings read has to be added there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .methods import METHODS, UNTRAINED, VARIANTS
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


def cells_of(short: dict) -> list[Cell]:
    """Return the cells of the design from its short form (`step_settings.merge`)."""
    methods = [entry["method"] for entry in short["methods"]]
    return list(_cells(methods, short["tasks"], short["train_sizes"]))


def expected_keys(short: dict) -> list[tuple[str, str, str, int, int]]:
    """Return every (task, method, estimator, train_size, replicate) of the design, in order."""
    formulas = {entry["method"]: entry["estimators"] for entry in short["methods"]}
    return [
        (cell.task, cell.method, estimator, cell.train_size, replicate)
        for cell in cells_of(short)
        for estimator in formulas[cell.method]
        for replicate in range(short["replicates"])
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


def batch_size_key(config: dict, cell: Cell) -> str:
    """Return the key of the config that sets the batch size of a cell, unless an override does."""
    if cell.method in VARIANTS:
        return f"recipes.{config['minde']['recipe']}.batch_size"
    return f"baselines.{METHODS[cell.method].sections[0]}.batch_size"


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
    """Return whether a cell meets all given conditions: recipe, globs of task ids, methods, and ranges.

    Ranges are those of dimensions and of the train size; cells that do not train are in none of the latter.
    """
    sizes = {"dim_x": task.dim_x, "dim_y": task.dim_y, "train_size": cell.train_size}
    ranges = [(match[name], size) for name, size in sizes.items() if name in match]
    return (
        recipe == match.get("recipe", recipe)
        and any(fnmatchcase(cell.task, pattern) for pattern in match.get("tasks", ["*"]))
        and cell.method in match.get("methods", METHODS)
        and all(size and limits.get("min", size) <= size <= limits.get("max", size) for limits, size in ranges)
    )


def _cells(methods: list[str], tasks: list[str], train_sizes: list[int]) -> Iterator[Cell]:
    for method in methods:
        for task in tasks:
            for train_size in [0] if method in UNTRAINED else train_sizes:
                yield Cell(method=method, task=task, train_size=train_size)
