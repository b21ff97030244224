"""The table of hyper-parameters: the settings of each method by groups of tasks."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..methods import METHODS
from ..task_labels import label_of, listed
from . import html, latex
from .rendering import markdown, to_csv, write

KEYS = ("method", "task", "dim_x", "dim_y")
LENGTHS = {
    "duration.epochs": "{:,} epochs",
    "duration.steps": "{:,} steps",
    "steps": "{:,} steps",
    "max_steps": "up to {:,} steps",
}
HEAD = ["Method", "Tasks", "Width", "Length", "Batch size", "Learning rate", "Other settings"]
TEXTS = "ltllllt"
IN_COLUMNS = ("train_sizes", "hidden", *LENGTHS, "batch_size", "learning_rate", "schedule")
SPELLED_OUT = 6  # tasks of the largest group at most

NOTE = (
    "Tasks are named as in Table 1; sizes, the numbers of coordinates of x × y, stand for all tasks of these sizes. "
    "Width: units of a score network, or of each hidden layer. Other settings have the names of the config, which "
    "config/schema.yaml explains; the CSV file has every setting of every task."
)

Group = tuple[tuple[str, ...], dict]
"""Tasks, and the settings that a method has for all of them."""


def write_hyperparameters(lines: list[dict], paths: Iterable[str | Path]) -> None:
    """Write the table to every path: .csv (a line per method and task), .md, .tex or .html (a line per group of tasks).

    `lines` are those of the step `hyperparameters`. Raises ValueError for another suffix; nothing is written then.
    """
    body = texts(lines)
    kinds = {
        ".csv": lambda: to_csv(pd.DataFrame([{name: _text(value) for name, value in line.items()} for line in lines])),
        ".md": lambda: markdown(HEAD, body, TEXTS),
        ".tex": lambda: latex.plain(HEAD, body, NOTE, TEXTS),
        ".html": lambda: html.plain("Hyper-parameters", HEAD, body, NOTE, TEXTS),
    }
    write(paths, kinds)


def texts(lines: list[dict]) -> list[list[str]]:
    """Return the lines of the table, under HEAD: methods with equal settings together, a line per group of tasks."""
    sizes = {line["task"]: (line["dim_x"], line["dim_y"]) for line in lines}
    shared: dict[str, tuple[list[str], list[Group]]] = {}
    for method in dict.fromkeys(line["method"] for line in lines):
        groups = _groups([line for line in lines if line["method"] == method])
        methods, _ = shared.setdefault(json.dumps(groups), ([], groups))
        methods.append(METHODS[method].label)
    return [[", ".join(methods), *line] for methods, groups in shared.values() for line in _lines_of(groups, sizes)]


def _groups(lines: list[dict]) -> list[Group]:
    """Return the tasks of a method with equal settings, by their first task."""
    found: dict[str, Group] = {}
    for line in lines:
        settings = {name: value for name, value in line.items() if name not in KEYS}
        tasks, _ = found.get(json.dumps(settings), ((), settings))
        found[json.dumps(settings)] = (*tasks, line["task"]), settings
    return list(found.values())


def _lines_of(groups: list[Group], sizes: dict[str, tuple[int, int]]) -> list[list[str]]:
    """Return the lines of one method; other settings that equal those of the line above are not repeated.

    Train sizes are named where settings depend on them.
    """
    named = [(_by_size(tasks, sizes), tasks, settings) for tasks, settings in groups]
    rest = max((tasks for name, tasks, _ in named if not name), key=len, default=())
    # The largest group of tasks that are no range of sizes is what the others leave.
    named.sort(key=lambda group: group[1] == rest)
    lines, above = [], None
    for name, tasks, settings in named:
        if not name:
            name = f"the other {len(tasks)}" if tasks == rest and len(tasks) > SPELLED_OUT else listed(tasks)
        if "train_sizes" in settings:
            name += f", {' and '.join(f'{size:,}' for size in settings['train_sizes'])} samples"
        other = _others(settings)
        lines.append([name, *_columns(settings), "as above" if other == above != "none" else other])
        above = other
    return lines


def _by_size(tasks: tuple[str, ...], sizes: dict[str, tuple[int, int]]) -> str:
    """Return what tasks are called if they are all of the study, or all of a range of sizes; otherwise empty."""
    if len(tasks) == len(sizes):
        return label_of(tasks[0]) if len(tasks) == 1 else f"all {len(tasks)}"
    dims_x, dims_y = zip(*(sizes[task] for task in tasks), strict=True)
    low, high = (min(dims_x), min(dims_y)), (max(dims_x), max(dims_y))
    if sum(low[0] <= x <= high[0] and low[1] <= y <= high[1] for x, y in sizes.values()) > len(tasks):
        return ""
    first, last = (f"{dim_x}×{dim_y}" for dim_x, dim_y in (low, high))
    return first if first == last else f"{first} to {last}"


def _columns(settings: dict) -> list[str]:
    """Return width, length, batch size and learning rate; empty for a method without."""
    [length] = [text.format(settings[name]) for name, text in LENGTHS.items() if name in settings] or [""]
    rate = f"{settings['learning_rate']:g}" if "learning_rate" in settings else ""
    schedule = f", {settings['schedule']}" if "schedule" in settings else ""
    return [_text(settings.get("hidden", "")), length, _text(settings.get("batch_size", "")), rate + schedule]


def _others(settings: dict) -> str:
    """Return all other settings, by section of the config."""
    sections: dict[str, list[str]] = {}
    for name, value in settings.items():
        if name not in IN_COLUMNS:
            *section, name = name.replace("_", " ").split(".")
            sections.setdefault("".join(section), []).append(f"{name} {_text(value).replace('_', ' ')}")
    texts = (f"{section}: {', '.join(found)}" if section else ", ".join(found) for section, found in sections.items())
    return "; ".join(texts) or "none"


def _text(value) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
