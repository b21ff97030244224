"""The figures of a study, parted into pages of tasks as the paper's are, and what each part reads."""

from .design import Cell, canonical, cells
from .methods import VARIANTS
from .tasks import HIGH_MI, TASKS

FIGURES = {
    "spread": 20,
    "training_size": 10,
    "training_curve": 10,
    "sigma": 10,
    "comparison": 20,
    "high_mi": len(HIGH_MI),
}
"""Figures, and how many tasks are on one page; the paper's are parted alike."""


def figure_settings(config: dict, figure: str, part: int) -> str:
    """What a part of a figure, counted from 1, reads beside the estimates."""
    settings = {"tasks": tasks_of_part(config, figure, part)}
    if figure in ("spread", "training_size", "comparison", "high_mi"):
        settings["sigmas"] = config["tables"]["sigmas"]
    if figure == "comparison":
        settings["studies"] = [config["name"], config["compared_with"]]
    return canonical(settings)


def tasks_of_part(config: dict, figure: str, part: int) -> list[str]:
    """The tasks of a part of a figure, in the benchmark's order."""
    order, size = {task: place for place, task in enumerate(TASKS)}, FIGURES[figure]
    tasks = sorted(config["tasks"], key=lambda task: (order.get(task, len(order)), task))
    if figure == "high_mi":
        return [task for task in tasks if task in HIGH_MI]
    return tasks[(part - 1) * size : part * size]


def parts_of(config: dict, figure: str) -> range:
    """The parts of a figure, counted from 1; none where the study has nothing that it shows."""
    trains = any(method in VARIANTS for method in config["methods"])
    estimators = config["minde"]["estimators"]
    varied = trains and "sigma" in estimators["formulas"] and len(estimators["sigmas"]) > 1
    empty = {
        "training_curve": not trains,
        "sigma": not varied,
        "comparison": not config["compared_with"],
        "high_mi": not set(HIGH_MI) <= set(config["tasks"]),
    }
    if empty.get(figure, False):
        return range(0)
    return range(1, 2 if figure == "high_mi" else -(-len(config["tasks"]) // FIGURES[figure]) + 1)


def curve_cells(config: dict, tasks: list[str] | None = None) -> list[Cell]:
    """The cells whose training curves are drawn: at the largest train size, of these tasks or all."""
    size, shown = max(config["train_sizes"]), config["tasks"] if tasks is None else tasks
    return [
        cell for cell in cells(config) if cell.method in VARIANTS and cell.train_size == size and cell.task in shown
    ]
