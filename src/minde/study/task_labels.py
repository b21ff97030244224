"""Names of tasks in tables and figures. Separate from the tasks, so that a new name does not redraw samples."""

from .tasks import TASKS

ABBREVIATIONS = {
    "Bivariate normal": "Bivariate Nm",
    "Normal CDF": "Nm CDF",
    "Half-cube": "Hc",
    "Spiral": "Sp",
    "Multinormal": "Mn",
    "Student-t": "St",
}
"""The paper's abbreviations of words in task names."""


def label_of(task_id: str) -> str:
    """The paper's abbreviated name, such as `Hc @ Mn 25×25 (2-pair)`; for a user file, its id."""
    if task_id not in TASKS:
        return task_id
    label = TASKS[task_id].name
    for word, abbreviation in ABBREVIATIONS.items():
        label = label.replace(word, abbreviation)
    return label
