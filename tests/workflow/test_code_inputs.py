"""The source files that a step names are those that it imports, so that no edit is missed."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT

from minde.baselines import MODULES
from minde.study.sources import EXPERIMENTS, SOURCES, source_files

SOURCE = ROOT / "src"

# Modules that a step imports but does not name, since they change no number: the list of competitors, file access and
# logging.
HOUSEKEEPING = {
    "baselines/__init__.py",
    "device.py",
    "doubts/__init__.py",
    "doubts/estimates.py",
    "doubts/neighbors.py",
    "doubts/samples.py",
    "files.py",
    "hardware.py",
    "progress.py",
    "steps/messages.py",
    "study/methods.py",
    "study/results.py",
    "study/samples.py",
    "study/sources.py",
    "study/tasks.py",
    "tensors.py",
}


def imported(path: Path) -> Iterator[Path]:
    """Modules of the package that a module imports anywhere."""
    package = path.relative_to(SOURCE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            outer = package[: len(package) - node.level + 1] if node.level else ()
            module = (*outer, *filter(None, (node.module or "").split(".")))
            for alias in node.names:  # a module of a package, or what a module defines
                yield from files_of(*module, alias.name) or files_of(*module)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from files_of(*alias.name.split("."))


def files_of(*name: str) -> list[Path]:
    """The file of a module or package of ours; none for others."""
    path = SOURCE.joinpath(*name)
    return [found for found in (path.with_suffix(".py"), path / "__init__.py") if name and found.is_file()]


LIST_OF_FIGURES = SOURCE / "minde/study/figures/__init__.py"  # a figure that imports it does not draw the others


def closure(path: Path) -> set[Path]:
    """A module and all modules of the package that it imports, directly or indirectly."""
    found, waiting = set(), [path]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += imported(module) if module != LIST_OF_FIGURES else ()
    return found


def needed(*paths: Path) -> set[str]:
    """All modules that these import, directly or indirectly, relative to the package."""
    return {str(module.relative_to(SOURCE / "minde")) for path in paths for module in closure(path)}


def named(step: str) -> set[str]:
    return {os.path.relpath(path, SOURCE / "minde") for path in source_files(step)}


@pytest.mark.parametrize("step", SOURCES)
def test_the_source_files_of_a_step_exist(step):
    assert named(step)


@pytest.mark.parametrize(
    ("step", "left_out"),
    [
        # An edited formula must not rerun every training; checkpoints and signals do not affect results.
        ("train", {"diffusion/estimators.py", "interruption.py", "study/checkpoints.py"}),
        ("estimate", set()),
        ("score_errors", {"diffusion/estimators.py"}),  # only for the size of a batch
    ],
)
def test_a_step_names_the_source_files_that_it_imports(step, left_out):
    assert named(step) == needed(SOURCE / f"minde/steps/{step}.py") - HOUSEKEEPING - left_out


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_names_the_source_files_that_it_imports(name):
    on_demand = {"baselines/ksg.py"}
    modules = needed(SOURCE / f"minde/experiments/{name}.py", SOURCE / "minde/steps/experiment.py")
    assert named(f"experiment {name}") - on_demand == modules - HOUSEKEEPING


# In tables and figures, tasks and methods have an order and labels.
WITHOUT_EFFECT = HOUSEKEEPING - {"study/methods.py", "study/tasks.py"}
# These do not change figures.
OF_NO_FIGURE = {"study/tables/rendering.py", "study/seeds.py"}

OF_FIGURES = {
    "figures": ["ablations.py", "estimates.py"],
    "training_curve": ["ablations.py", "curves.py"],
    "score_error_figure": ["score_errors.py"],
    "consistency_figure": ["consistency.py"],
    **{f"{name}_figure": [f"experiments/{name}.py"] for name in EXPERIMENTS},
}


@pytest.mark.parametrize("step", OF_FIGURES)
def test_a_figure_names_the_source_files_that_draw_it(step):
    paths = [SOURCE / "minde/study/figures" / path for path in OF_FIGURES[step]]
    assert needed(*paths) - WITHOUT_EFFECT - OF_NO_FIGURE <= named(step)


OF_TABLES = {"tables": "__init__", "consistency_table": "consistency", "hyperparameters": "hyperparameters"}


@pytest.mark.parametrize("step", OF_TABLES)
def test_a_table_names_the_source_files_that_set_it(step):
    written_by = {"baselines/widths.py", "diffusion/width.py", "steps/hyperparameters.py"}
    modules = needed(SOURCE / f"minde/study/tables/{OF_TABLES[step]}.py") - WITHOUT_EFFECT
    assert named(step) == modules | (written_by if step == "hyperparameters" else set())


@pytest.mark.parametrize("method", MODULES)
def test_a_competitor_names_the_source_files_that_estimate(method):
    step = {"steps/baseline.py", "study/seeds.py"}
    assert named(method) == step | needed(SOURCE / f"minde/baselines/{MODULES[method]}.py") - HOUSEKEEPING
