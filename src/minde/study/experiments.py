"""The experiments of MINE: which there are, what each reads and what its numbers are."""

from .seeds import canonical

_SHARED = (
    "baselines/interface.py",
    "baselines/mine.py",
    "baselines/mine_torch.py",
    "baselines/stacks.py",
    "experiments/rows.py",
    "steps/experiment.py",
    "study/experiments.py",
    "study/experiment_rows.py",
    "study/seeds.py",
)

_NETWORKS = ("experiments/networks.py",)
_GANS = ("experiments/adversarial.py", "experiments/patterns.py")

SOURCES: dict[str, tuple[str, ...]] = {
    "estimation": ("baselines/ksg.py",),
    "dependence": ("api/training.py", "baselines/ksg.py", "diffusion/*.py", "experiments/estimation.py"),
    "gans": (*_NETWORKS, *_GANS),
    "bigan": (*_NETWORKS, *_GANS),
    "bottleneck": (*_NETWORKS, "images/loader.py"),
    "stacked": (*_NETWORKS, "experiments/adversarial.py", "images/loader.py"),
    "binary": _NETWORKS,
}
"""The experiments, and the source files that each is computed by beside its own module and those that all share."""

UNITS = {
    "information": "nats",
    "divergence": "nats",
    "bits": "bits",
    "modes": "modes",
    "touched": "modes",
    "high_quality": "share of the samples",
    "reconstruction": "units of the data",
    "error": "share of the test rows",
    "red": "intensity from 0 to 1",
    "green": "intensity from 0 to 1",
    "blue": "intensity from 0 to 1",
    "point": "none",
}
"""The quantities of the experiments' rows, and their units."""


def sources(name: str) -> tuple[str, ...]:
    """The source files that an experiment is computed by, as globs relative to the package.

    Raises:
        ValueError: there is no such experiment.
    """
    if name not in SOURCES:
        raise ValueError(f"unknown experiment {name!r}; known: {', '.join(SOURCES)}")
    return (*_SHARED, f"experiments/{name}.py", *SOURCES[name])


def settings(config: dict, name: str) -> str:
    """What an experiment reads: its section of the config and the study's seed."""
    return canonical({"seed": config["seed"], **config["experiments"][name]})
