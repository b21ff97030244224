"""What the report lists tables and figures by, so that a reader finds each by what it shows, its methods and tasks."""

from collections.abc import Callable

from . import consistency, parts
from .methods import LABELS
from .task_labels import label_of
from .tasks import BENCHMARK, HIGH_MI

SPELLED_OUT = 6  # methods or tasks at most


def of_study(config: dict, shows: str, kind: str) -> dict[str, str]:
    """The labels of a table of all methods and tasks; `kind` is that of the file."""
    return _labels(config, shows, config["tasks"], kind)


def of_part(config: dict, shows: str, figure: str, kind: str) -> Callable[..., dict[str, str]]:
    """The labels of a part of a figure of parts.FIGURES, as a function of the wildcards that name the part."""
    return lambda wildcards: _labels(config, shows, parts.tasks_of_part(config, figure, int(wildcards.part)), kind)


def _labels(config: dict, shows: str, tasks: list[str], kind: str) -> dict[str, str]:
    methods = [label for method, label in LABELS.items() if method in config["methods"]]
    return {
        "shows": shows,
        "methods": ", ".join(methods) if len(methods) <= SPELLED_OUT else f"all {len(methods)}",
        "tasks": ", ".join(map(label_of, tasks)) if len(tasks) <= SPELLED_OUT else _span(tasks),
        "format": kind,
    }


def _span(tasks: list[str]) -> str:
    return f"{len(tasks)}: {label_of(tasks[0])} to {label_of(tasks[-1])}"


def subject(config: dict) -> str:
    """What a study estimates the mutual information of, for its report (reStructuredText)."""
    tests, own = consistency.entries(config).keys(), config["data"].keys()
    counts = {
        "tasks of the benchmark of Czyż et al. (NeurIPS 2023, `benchmark-mi <https://github.com/cbg-ethz/bmi>`_), "
        "whose true value is known": sum(task in BENCHMARK for task in config["tasks"]),
        "multinormals, plain and transformed, of known values up to 5 nats": sum(t in HIGH_MI for t in config["tasks"]),
        "files of one's own": len(own - tests),
        "pairs of latents of images, for tests of consistency that need no true value": len(tests),
    }
    return ", and of ".join(f"{count} {kind}" for kind, count in counts.items() if count)
