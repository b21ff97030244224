"""The step `experiment`: settings in, the rows of one experiment of MINE out, as a Parquet file."""

from importlib import import_module
from pathlib import Path

import torch

from minde.files import provenance
from minde.hardware import hardware_of
from minde.study import experiment_rows
from minde.study.seeds import seed_of
from minde.study.sources import EXPERIMENTS, SOURCES

PACKAGES = ("benchmark-mi", "numpy", "pyarrow", "scikit-learn", "scipy", "torch")


def experiment(name: str, settings: dict, out: Path, device: torch.device) -> None:
    """Run an experiment, all its replicates, and write its rows. Raises ValueError for an unknown one."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; known: {', '.join(EXPERIMENTS)}")
    options = {key: value for key, value in settings.items() if key != "seed"}

    def seed(replicate: int, purpose: str) -> int:
        return seed_of(settings["seed"], f"experiment/{name}", None, replicate, purpose)

    rows = import_module(f"minde.experiments.{name}").run(seed=seed, device=device, **options)
    made_by = provenance(settings, packages=PACKAGES, sources=SOURCES[f"experiment {name}"])
    made_by |= {"hardware": hardware_of(device)}
    experiment_rows.write(out, (row._asdict() for row in rows), made_by)
