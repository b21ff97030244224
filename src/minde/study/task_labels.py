"""What tables and figures call a task. Apart from the tasks, since another name must not draw samples again."""

from .tasks import TASKS

ABBREVIATIONS = {
    "Bivariate normal": "Bivariate Nm",
    "Normal CDF": "Nm CDF",
    "Half-cube": "Hc",
    "Spiral": "Sp",
    "Multinormal": "Mn",
    "Student-t": "St",
}
"""The paper's, of words in the names of tasks."""


def label_of(task_id: str) -> str:
    """The name as the paper abbreviates it, such as `Hc @ Mn 25×25 (2-pair)`; the id of a task that is one's own."""
    if task_id not in TASKS:
        return task_id
    label = TASKS[task_id].name
    for word, abbreviation in ABBREVIATIONS.items():
        label = label.replace(word, abbreviation)
    return label
