"""Which source files compute what: the inputs of rules, and the code that provenance hashes.

An edited source file reruns its steps. Code that cannot change a number, such as file access and logging, is left out.
"""

import os

from minde.files import PACKAGE

from .methods import CRITICS, UNTRAINED

# A model, and its training.
_MODEL = (
    "diffusion/base.py",
    "diffusion/conditioning.py",
    "diffusion/gated.py",
    "diffusion/gaussian.py",
    "diffusion/layers.py",
    "diffusion/mixture.py",
    "diffusion/model.py",
    "diffusion/network.py",
    "diffusion/random.py",
    "diffusion/residual.py",
    "diffusion/sde.py",
    "diffusion/times.py",
    "diffusion/width.py",
)
_TRAINING = (
    "diffusion/batches.py",
    "diffusion/graphs.py",
    "diffusion/loss.py",
    "diffusion/recipe.py",
    "diffusion/training.py",
)
# Everything that reads a cell's samples and builds its model.
_CELL = (*_MODEL, "diffusion/preprocess.py", "steps/cell.py", "study/seeds.py")

# Without baselines/__init__.py, the list of competitors: a new competitor must not rerun the others.
_COMPETITOR = ("baselines/interface.py", "steps/baseline.py", "study/seeds.py")
_IN_TORCH = (*_COMPETITOR, "baselines/perceptrons.py", "baselines/stacks.py", "baselines/widths.py")

_EXPERIMENT = (
    "baselines/interface.py",
    "baselines/perceptrons.py",
    "baselines/stacks.py",
    "experiments/rows.py",
    "steps/experiment.py",
    "study/experiment_rows.py",
    "study/seeds.py",
)
_ESTIMATES = ("baselines/ksg.py", "baselines/mine.py", "baselines/mine_torch.py", "baselines/widths.py")
_NETWORKS = ("baselines/mine.py", "experiments/networks.py")
_GANS = (*_NETWORKS, "experiments/adversarial.py", "experiments/patterns.py")

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "estimation": _ESTIMATES,
    "dependence": (
        *_ESTIMATES,
        *_MODEL,
        *_TRAINING,
        "api/training.py",
        "diffusion/estimators.py",
        "experiments/estimation.py",
    ),
    "gans": _GANS,
    "bigan": _GANS,
    "bottleneck": (*_NETWORKS, "images/loader.py"),
    "stacked": (*_NETWORKS, "experiments/adversarial.py", "images/loader.py"),
    "binary": ("experiments/networks.py",),
}
"""The experiments of MINE, and what each one needs besides its own module and the modules that all share."""

_FIGURE = (
    "study/figures/__init__.py",
    "study/figures/panels.py",
    "study/figures/paper.mplstyle",
    "study/methods.py",
    "study/rows.py",
    "study/selection.py",
    "study/task_labels.py",
    "study/tasks.py",
)
_CONSISTENCY = ("study/consistency.py", "study/intervals.py", "study/ratios.py")

SOURCES: dict[str, tuple[str, ...]] = {
    "draw_samples": ("study/samples.py", "study/seeds.py", "study/tasks.py"),
    "split_file": ("study/data.py", "study/samples.py", "study/seeds.py"),
    "latents": ("images/*.py", "steps/latents.py", "study/consistency.py", "study/seeds.py"),
    # Without estimators.py, although the training curve calls it: an edited formula must not rerun every training. The
    # curve then keeps the estimates of the formula at training time.
    "train": (
        *_CELL,
        *_TRAINING,
        "steps/checkpointing.py",
        "steps/stacks.py",
        "steps/train.py",
        "steps/trainer.py",
        "study/curves.py",
    ),
    "estimate": (*_CELL, "diffusion/estimators.py", "steps/estimate.py", "study/curves.py", "study/weights.py"),
    "score_errors": (
        *_CELL,
        "diffusion/diagnostics.py",
        "steps/score_errors.py",
        "study/score_errors.py",
        "study/weights.py",
    ),
    **{method: (*_COMPETITOR, f"baselines/{method.replace('-', '_')}.py") for method in UNTRAINED},
    **dict.fromkeys(CRITICS, (*_COMPETITOR, "baselines/critics.py", "baselines/widths.py")),
    **dict.fromkeys(("doe-gaussian", "doe-logistic"), (*_IN_TORCH, "baselines/doe.py")),
    "mine-torch": (*_IN_TORCH, "baselines/mine.py", "baselines/mine_torch.py"),
    **{f"experiment {name}": (*_EXPERIMENT, f"experiments/{name}.py", *own) for name, own in EXPERIMENTS.items()},
    "merge": ("steps/merge.py", "study/design.py", "study/origins.py", "study/results.py"),
    "tables": (
        "study/intervals.py",
        "study/methods.py",
        "study/rows.py",
        "study/seeds.py",
        "study/selection.py",
        "study/tables/__init__.py",
        "study/tables/html.py",
        "study/tables/latex.py",
        "study/tables/published.py",
        "study/tables/rendering.py",
        "study/tables/summary.py",
        "study/task_labels.py",
        "study/tasks.py",
    ),
    "hyperparameters": (
        "baselines/widths.py",
        "diffusion/width.py",
        "steps/hyperparameters.py",
        "study/methods.py",
        "study/rows.py",
        "study/tables/html.py",
        "study/tables/hyperparameters.py",
        "study/tables/latex.py",
        "study/tables/rendering.py",
        "study/task_labels.py",
        "study/tasks.py",
    ),
    "figures": (*_FIGURE, "study/figures/ablations.py", "study/figures/estimates.py"),
    "training_curve": (*_FIGURE, "study/figures/ablations.py", "study/curves.py", "study/figures/curves.py"),
    "consistency_table": (
        *_CONSISTENCY,
        "study/methods.py",
        "study/rows.py",
        "study/selection.py",
        "study/tables/consistency.py",
        "study/tables/html.py",
        "study/tables/rendering.py",
        "study/task_labels.py",
        "study/tasks.py",
    ),
    "consistency_figure": (*_CONSISTENCY, *_FIGURE, "study/figures/consistency.py"),
    "score_error_figure": (*_FIGURE, "study/figures/score_errors.py", "study/score_errors.py"),
    **{
        f"{name}_figure": (
            *_FIGURE,
            "study/figures/experiments/__init__.py",
            "study/figures/experiments/series.py",
            "study/figures/experiments/scatter.py",
            f"study/figures/experiments/{name}.py",
            "study/intervals.py",
        )
        for name in EXPERIMENTS
    },
    "bundle": ("study/bundle/archive.py", "study/bundle/crate.py", "study/bundle/pack.py", "study/origins.py"),
    "unpack": ("study/bundle/archive.py",),
}
"""Source files by step, as globs relative to the package."""


def check() -> None:
    """Raise ValueError if a source file of a step does not exist: Snakemake would leave out what depends on it."""
    for step in SOURCES:
        source_files(step)


def source_files(step: str) -> list[str]:
    """Return the source files of a step, relative to the working directory, so that moving a checkout reruns nothing.

    Raises ValueError if the step or one of its files does not exist.
    """
    if step not in SOURCES:
        raise ValueError(f"unknown step {step!r}; known: {', '.join(SOURCES)}")
    found = {pattern: sorted(PACKAGE.glob(pattern)) for pattern in SOURCES[step]}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise ValueError(f"source files of the step {step} are missing in {PACKAGE}: {', '.join(missing)}")
    return [os.path.relpath(path) for paths in found.values() for path in paths]
