"""Which files, which settings: the design of the study and the functions that rules ask. Rules wire, src computes."""

import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

ROOT = Path(workflow.basedir)

# Also where the Snakemake that reads this is not the one of .venv, in which minde is installed.
sys.path.insert(0, f"{ROOT}/src")

from minde.study import config as configs
from minde.study import design

try:
    STUDY = configs.resolve(config, ROOT)
except configs.ConfigError as error:
    raise WorkflowError(str(error)) from None

# Rules call the shell function `step`. It is defined here and not spelled out in them, so that neither the interpreter
# nor the place of the checkout is part of what reruns and caches compare. The environments of --sdm conda hold no minde:
# they run this checkout's, as .venv does.
_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
_PYTHON = "python" if _CONDA else shlex.quote(sys.executable)
shell.prefix(f"set -euo pipefail; step() ( PYTHONPATH={shlex.quote(f'{ROOT}/src')} {_PYTHON} -m minde.steps \"$@\" ); ")


def code(*patterns: str) -> list[str]:
    """Source files, as globs relative to src/minde, that a step depends on: editing one reruns it.

    Relative to the working directory, so that a study that moved with its checkout reruns nothing.
    """
    paths = []
    for pattern in patterns:
        found = sorted((ROOT / "src" / "minde").glob(pattern))
        if not found:
            raise WorkflowError(f"a rule names the source file(s) {pattern}, which do not exist under src/minde")
        paths += [os.path.relpath(path) for path in found]
    return paths


def one_of(names: Iterable) -> str:
    """A wildcard constraint that matches these names only; with no name it matches nothing."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


def chosen(methods: Iterable[str]) -> str:
    """A wildcard constraint that matches those of the methods that are the study's."""
    return one_of(method for method in STUDY["methods"] if method in methods)


def smaller_sizes() -> list[int]:
    """The study's train sizes but the largest, which table 1 is at."""
    return sorted(STUDY["train_sizes"])[:-1]


def parts_of_figure(figure: str, pattern: str) -> list[str]:
    """The files of all parts of a figure, by a pattern with {part}."""
    return [pattern.replace("{part}", str(part)) for part in design.parts_of(STUDY, figure)]


def labels_of_figure(title: str, figure: str, kind: str):
    """What the report calls a part of a figure."""

    def labels(wildcards) -> dict[str, str]:
        tasks = design.tasks_of_part(STUDY, figure, int(wildcards.part))
        return {"figure": title, "tasks": " to ".join(dict.fromkeys([tasks[0], tasks[-1]])), "format": kind}

    return labels


def curves_of_part(wildcards) -> list[str]:
    """The training curves, at the largest train size, of a part of their figure."""
    tasks = design.tasks_of_part(STUDY, "training-curve", int(wildcards.part))
    cells = [cell for cell in design.cells(STUDY) if cell.method in design.VARIANTS and cell.task in tasks]
    size = max(STUDY["train_sizes"])
    return [f"<results>/networks/{cell.path}.curve.parquet" for cell in cells if cell.train_size == size]


def cell_of(wildcards) -> design.Cell:
    """The cell that a job's wildcards name; without a train size it uses no training samples."""
    return design.Cell(
        method=wildcards.method,
        task=wildcards.task,
        train_size=int(wildcards.get("train_size", 0)),
    )


def work(wildcards) -> int:
    """How much there is to do for a job, for its priority: values in one replicate's training samples.

    Larger cells start first: one that starts last keeps a single core busy while the others idle.
    """
    rows = int(wildcards.train_size) if "train_size" in wildcards.keys() else STUDY["samples"]["train"]
    task = design.TASKS[wildcards.task]
    return rows * (task.dim_x + task.dim_y)


def estimates_of_all_cells(wildcards) -> list[str]:
    """The estimates of every cell of the design."""
    return [f"<results>/estimates/{cell.path}.parquet" for cell in design.cells(STUDY)]
