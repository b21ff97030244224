"""Labels of tables and figures in the report: what each one shows, its methods and its tasks.

The report lists results by their labels, which the browser's search covers; the report's own covers file names only.
"""

from collections.abc import Callable, Iterable

from . import consistency, pages
from .methods import METHODS
from .task_labels import label_of, listed
from .tasks import BENCHMARK, HIGH_MI

SPELLED_OUT = 6  # tasks of a study at most; more are counted, since every table has all of them

EXPERIMENTS = {
    "estimation": "Estimation",
    "dependence": "Dependence",
    "gans": "GANs",
    "bigan": "Bidirectional GANs",
    "bottleneck": "Information bottleneck",
    "stacked": "Stacked digits",
    "binary": "Binary network",
}
"""What the figure of each experiment of MINE shows."""


def of_study(config: dict, shows: str, kind: str) -> dict[str, str]:
    """Return the labels of a table or figure of all methods and tasks; `kind` is the file format."""
    tasks = config["tasks"]
    names = "; ".join(map(label_of, tasks)) if len(tasks) <= SPELLED_OUT else f"all {len(tasks)}"
    return _labels(shows, config["methods"], names, kind)


def of_page(config: dict, shows: str, figure: str, kind: str) -> Callable[..., dict[str, str]]:
    """Return the labels of a page of a figure of pages.TASKS_PER_PAGE, as a function of the wildcards."""
    count, methods = len(pages.pages_of(config, figure)), pages.methods_of(config, figure)

    def labels(wildcards) -> dict[str, str]:
        number = f", page {wildcards.page} of {count}" if count > 1 else ""
        tasks = listed(pages.tasks_of_page(config, figure, int(wildcards.page)))
        return _labels(shows + number, methods, tasks, kind)

    return labels


def of_cell(shows: str, kind: str) -> Callable[..., dict[str, str]]:
    """Return the labels of a figure of one cell, as a function of the wildcards."""
    return lambda wildcards: {
        **_labels(shows, [wildcards.method], label_of(wildcards.task), kind),
        "train size": wildcards.train_size,
    }


def of_experiment(name: str, kind: str) -> dict[str, str]:
    """Return the labels of the figure of an experiment of MINE."""
    return {"shows": EXPERIMENTS[name], "format": kind}


def _labels(shows: str, methods: Iterable[str], tasks: str, kind: str) -> dict[str, str]:
    names = ", ".join(method.label for name, method in METHODS.items() if name in methods)
    return {"shows": shows, "methods": names, "tasks": tasks, "format": kind}


def subject(config: dict) -> str:
    """Return what the study estimates the mutual information of, for its report (reStructuredText)."""
    of_images, own = consistency.entries(config).keys(), config["data"].keys()
    benchmark, high_mi = (sum(task in group for task in config["tasks"]) for group in (BENCHMARK, HIGH_MI))
    counts = {
        "tasks of the benchmark of Czyż et al. (NeurIPS 2023, `benchmark-mi <https://github.com/cbg-ethz/bmi>`_), "
        "whose true value is known": benchmark,
        "plain and transformed multinormals, with known values up to 5 nats": high_mi,
        "user files": len(own - of_images),
        "pairs of image latents, for consistency tests that need no true value": len(of_images),
    }
    return ", and of ".join(f"{count} {kind}" for kind, count in counts.items() if count)
