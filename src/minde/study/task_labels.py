"""Names and order of tasks in tables and figures. Separate from the tasks: a new name must not redraw samples."""

import re
from collections.abc import Iterable, Sequence

from .tasks import TASKS

LISTED = 20  # entries of a list at most
SIZE = re.compile(r"\d+×\d+")

ABBREVIATIONS = {
    "Bivariate normal": "Bivariate Nm",
    "Normal CDF": "Nm CDF",
    "Half-cube": "Hc",
    "Spiral": "Sp",
    "Multinormal": "Mn",
    "Student-t": "St",
}
"""The paper's abbreviations of words in task names."""


def in_order(task_ids: Iterable[str]) -> list[str]:
    """Return the tasks, each once: those of the benchmark in its order, then user files by name."""
    found = set(task_ids)
    return [*(task_id for task_id in TASKS if task_id in found), *sorted(found - TASKS.keys())]


def label_of(task_id: str) -> str:
    """Return the paper's abbreviated name, such as `Hc @ Mn 25×25 (2-pair)`; for a user file, its id."""
    if task_id not in TASKS:
        return task_id
    label = TASKS[task_id].name
    for word, abbreviation in ABBREVIATIONS.items():
        label = label.replace(word, abbreviation)
    return label


def listed(task_ids: Sequence[str]) -> str:
    """Return the names of tasks, joined where they differ in size only: `Mn 2×2, 3×3 (dense); St 1×1 (dof=1)`.

    Of a long list, the first and the last name and the number of tasks.
    """
    sizes: dict[str, list[str]] = {}
    for label in map(label_of, task_ids):
        sizes.setdefault(SIZE.sub("{}", label), []).extend(SIZE.findall(label))
    if len(sizes) > LISTED:
        return f"{label_of(task_ids[0])}; …; {label_of(task_ids[-1])} ({len(task_ids)})"
    return "; ".join(name.format(", ".join(found)) for name, found in sizes.items())
