"""The source files that a rule names are those that its step imports, so that no edit is overlooked."""

import ast
import inspect
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from running import ROOT

from minde.baselines import METHODS
from minde.study import design

SOURCE = ROOT / "src"

# What a step imports and its rule leaves out, for it changes no number: how files are read and written, what logs say.
HOUSEKEEPING = {
    "device.py",
    "doubts.py",
    "progress.py",
    "study/files.py",
    "study/results.py",
    "study/samples.py",
    "study/tasks.py",
}


def imported(path: Path) -> Iterator[Path]:
    """Modules of ours that a module imports anywhere in it."""
    package = path.relative_to(SOURCE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            outer = package[: len(package) - node.level + 1] if node.level else ()
            module = (*outer, *(node.module or "").split("."))
            names = [module, *((*module, alias.name) for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        candidates = (SOURCE.joinpath(*filter(None, name)).with_suffix(".py") for name in names if any(name))
        yield from (candidate for candidate in candidates if candidate.is_file())


def closure(path: Path) -> set[Path]:
    """A module and all of ours that it leads to."""
    found, waiting = set(), [path]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += imported(module)
    return found


@pytest.mark.parametrize(
    ("step", "rules", "left_out"),
    [
        # An edited formula must not cost every training; checkpoints and signals are about when, not about what.
        ("train", "train", {"diffusion/estimators.py", "interruption.py", "study/checkpoints.py"}),
        ("estimate", "estimate", set()),
    ],
)
def test_a_rule_names_the_source_files_that_its_step_imports(step, rules, left_out):
    needed = {str(path.relative_to(SOURCE / "minde")) for path in closure(SOURCE / f"minde/steps/{step}.py")}
    text = "".join((ROOT / f"rules/{name}.smk").read_text() for name in ("code", rules))
    named = set(re.findall(r'"([\w/]+\.py)"', text))
    assert named == needed - HOUSEKEEPING - left_out


# Of what draws figures, these change none: how files are read and written, what text looks like, and the door itself.
WITHOUT_EFFECT = HOUSEKEEPING | {"study/experiment_figures.py", "study/rendering.py", "study/seeds.py"}


@pytest.mark.parametrize("path", sorted((SOURCE / "minde/study").glob("*_figure.py")), ids=lambda path: path.stem)
def test_a_figure_depends_on_the_source_files_that_draw_it(path):
    rules = "consistency" if path.stem == "consistency_figure" else "mine"
    text = (ROOT / "rules/figures.smk").read_text() + (ROOT / f"rules/{rules}.smk").read_text()
    named = re.findall(r'"(study/[\w/*]+\.py)"', text)
    needed = {str(module.relative_to(SOURCE / "minde")) for module in closure(path)} - WITHOUT_EFFECT
    own = f"study/{path.stem}.py"
    assert {module for module in needed if not any(fnmatch(module, pattern) for pattern in named)} <= {own}


@pytest.mark.parametrize("method", METHODS)
def test_a_competitor_depends_on_the_source_files_that_estimate(method):
    function = METHODS[method].estimator
    module = inspect.getsourcefile(getattr(function, "func", function))
    needed = {str(path.relative_to(SOURCE / "minde")) for path in closure(Path(module))} - HOUSEKEEPING
    text = rule_of(method).replace("{wildcards.method}", method)
    named = set(re.findall(r'"([\w/]+\.py)"', text))
    assert needed - {"device.py"} <= named


def rule_of(method: str) -> str:
    """The text of the rule that runs a competitor, and of the list that these rules share."""
    shared, *rules = re.split(r"^rule ", (ROOT / "rules/baselines.smk").read_text(), flags=re.MULTILINE)
    kinds = ("UNTRAINED", "CRITICS", "DOES", "MINES")
    [kind] = [name for name in kinds if method in getattr(design, name)]
    [rule] = [text for text in rules if f"chosen(design.{kind})" in text]
    return shared + rule
