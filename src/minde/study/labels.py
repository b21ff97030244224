"""Labels of tables and figures in the report: what each one shows, its methods and its tasks."""

from collections.abc import Callable

from . import consistency, pages
from .methods import TABLE
from .task_labels import label_of
from .tasks import BENCHMARK, HIGH_MI

SPELLED_OUT = 6  # methods or tasks at most; more are counted


def of_study(config: dict, shows: str, kind: str) -> dict[str, str]:
    """Labels of a table of all methods and tasks; `kind` is the file format."""
    return _labels(config, shows, config["tasks"], kind)


def of_page(config: dict, shows: str, figure: str, kind: str) -> Callable[..., dict[str, str]]:
    """Labels of a page of a figure of pages.TASKS_PER_PAGE, as a function of the wildcards."""
    return lambda wildcards: _labels(config, shows, pages.tasks_of_page(config, figure, int(wildcards.page)), kind)


def _labels(config: dict, shows: str, tasks: list[str], kind: str) -> dict[str, str]:
    methods = [method.label for name, method in TABLE.items() if name in config["methods"]]
    return {
        "shows": shows,
        "methods": ", ".join(methods) if len(methods) <= SPELLED_OUT else f"all {len(methods)}",
        "tasks": ", ".join(map(label_of, tasks)) if len(tasks) <= SPELLED_OUT else _span(tasks),
        "format": kind,
    }


def _span(tasks: list[str]) -> str:
    return f"{len(tasks)}: {label_of(tasks[0])} to {label_of(tasks[-1])}"


def subject(config: dict) -> str:
    """What the study estimates the mutual information of, for its report (reStructuredText)."""
    tests, own = consistency.entries(config).keys(), config["data"].keys()
    benchmark, high_mi = (sum(task in group for task in config["tasks"]) for group in (BENCHMARK, HIGH_MI))
    counts = {
        "tasks of the benchmark of Czyż et al. (NeurIPS 2023, `benchmark-mi <https://github.com/cbg-ethz/bmi>`_), "
        "whose true value is known": benchmark,
        "plain and transformed multinormals, with known values up to 5 nats": high_mi,
        "user files": len(own - tests),
        "pairs of image latents, for consistency tests that need no true value": len(tests),
    }
    return ", and of ".join(f"{count} {kind}" for kind, count in counts.items() if count)
