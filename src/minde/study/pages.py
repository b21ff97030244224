"""The figures of a study, split into pages of tasks like the paper's, and the settings of each page."""

import math
from collections.abc import Callable

from .design import Cell, cells, truths
from .methods import VARIANTS
from .seeds import canonical
from .task_labels import in_order
from .tasks import HIGH_MI

TASKS_PER_PAGE = {
    "spread": 20,
    "training_size": 10,
    "training_curve": 10,
    "sigma": 10,
    "comparison": 20,
    "high_mi": len(HIGH_MI),
}
"""Figures and their number of tasks per page, as in the paper."""

OF_VARIANTS = ("training_curve", "sigma")  # figures of score networks only


def figure_settings(config: dict, figure: str, page: int) -> str:
    """Return the settings of a page of a figure, counted from 1, besides the estimates or training curves."""
    settings = {"tasks": tasks_of_page(config, figure, page)}
    if figure == "training_curve":
        settings["mi_true"] = truths(config, settings["tasks"])  # training does not know it
    if figure in ("spread", "training_size", "comparison", "high_mi"):
        settings["sigmas"] = config["tables"]["sigmas"]
    if figure == "comparison":
        settings["studies"] = [config["name"], config["compared_with"]]
    return canonical(settings)


def settings_of_page(config: dict, figure: str) -> Callable[..., str]:
    """Return the settings of a page of a figure, as a function of the wildcards."""
    return lambda wildcards: figure_settings(config, figure, int(wildcards.page))


def methods_of(config: dict, figure: str) -> list[str]:
    """Return the methods that a figure shows."""
    return [method for method in config["methods"] if figure not in OF_VARIANTS or method in VARIANTS]


def tasks_of(config: dict, figure: str) -> list[str]:
    """Return the tasks that a figure shows, in their order."""
    return in_order(task for task in config["tasks"] if figure != "high_mi" or task in HIGH_MI)


def tasks_of_page(config: dict, figure: str, page: int) -> list[str]:
    """Return the tasks of a page of a figure."""
    size = TASKS_PER_PAGE[figure]
    return tasks_of(config, figure)[(page - 1) * size : page * size]


def pages_of(config: dict, figure: str) -> range:
    """Return the pages of a figure, counted from 1; none if the study has nothing to show in it."""
    trains = any(method in VARIANTS for method in config["methods"])
    estimators = config["minde"]["estimators"]
    varied = trains and "sigma" in estimators["formulas"] and len(estimators["sigmas"]) > 1
    empty = {
        "training_size": len(config["train_sizes"]) == 1,
        "training_curve": not trains,
        "sigma": not varied,
        "comparison": not config["compared_with"],
        "high_mi": not set(HIGH_MI) <= set(config["tasks"]),
    }
    if empty.get(figure, False):
        return range(0)
    return range(1, math.ceil(len(tasks_of(config, figure)) / TASKS_PER_PAGE[figure]) + 1)


def curve_cells(config: dict, page: int = 0) -> list[Cell]:
    """Return the cells whose training curves a page shows, at the largest train size; by default those of all pages."""
    size = max(config["train_sizes"])
    shown = tasks_of_page(config, "training_curve", page) if page else config["tasks"]
    return [
        cell for cell in cells(config) if cell.method in VARIANTS and cell.train_size == size and cell.task in shown
    ]
