"""What training and estimation share: a cell's samples and seeds, and the model that its settings describe."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from minde.diffusion.base import Moments
from minde.diffusion.estimators import Estimates
from minde.diffusion.model import Model, build_model
from minde.diffusion.preprocess import fit_preprocess
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.study import samples
from minde.study.seeds import seed_of
from minde.tensors import group

PACKAGES = ("numpy", "pyarrow", "safetensors", "scikit-learn", "torch")


def read_cell(settings: dict, path: Path, test_rows: int | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return training and test samples of all replicates, preprocessed, each `(replicates, rows, dim)`."""

    def read(split: str, rows: int | None) -> Tensor:
        replicates = (samples.read(path, r, split, rows) for r in range(settings["replicates"]))
        return torch.stack([torch.from_numpy(np.concatenate(xy, axis=1)).to(device) for xy in replicates])

    training_samples = read("train", settings["train_size"])
    preprocess = fit_preprocess(settings["preprocess"], training_samples)
    return preprocess(training_samples), preprocess(read("test", test_rows))


def model_of(settings: dict, moments: Moments, device: torch.device) -> Model:
    """Return the model that a training's settings describe, with a base if there are moments."""
    sde = settings["sde"]
    return build_model(
        variant=settings["variant"],
        dim_x=settings["dim_x"],
        dim_y=settings["dim_y"],
        n_train=settings["train_size"],
        times=Times(
            sde=SDE(beta_min=sde["beta_min"], beta_max=sde["beta_max"]),
            t_eps=sde["t_eps"],
            importance_sampling=settings["training"]["importance_sampling"],
        ),
        moments=moments,
        device=device,
        **shape_of(settings),
    )


def shape_of(settings: dict) -> dict:
    """Return hidden, middle_blocks and architecture of the network that a training's settings describe."""
    return settings["network"] | {"architecture": settings["training"]["architecture"]}


def trained_model(settings: dict, tensors: dict[str, Tensor], device: torch.device) -> tuple[Model, dict[str, Tensor]]:
    """Return the model of a training and its averaged parameters by name, from the tensors of its weights file."""
    average = group(tensors, "average")
    model = model_of(settings, group(tensors, "moments"), device)
    return model, {name: average[name] for name in model.network.shapes}


def steps_of(training: dict, train_size: int) -> int:
    """Return the steps of a training; epochs drop their last incomplete batch, as in the paper."""
    duration = training["duration"]
    return duration["steps"] if "steps" in duration else duration["epochs"] * (train_size // training["batch_size"])


def seeds_of(settings: dict, purpose: str) -> list[int]:
    """Return one seed per replicate for a purpose, different for the two variants."""
    task, train_size, purpose = settings["task"], settings["train_size"], f"{purpose}/{settings['variant']}"
    return [seed_of(settings["seed"], task, train_size, r, purpose) for r in range(settings["replicates"])]


def estimate_rows(found: dict[str, Estimates], first: int = 0) -> list[dict]:
    """Return one row per estimator and replicate; `first` is the number of the first replicate."""
    return [
        {"estimator": name, "replicate": first + replicate, "estimate": value, "std_error": std_error}
        for name, result in found.items()
        for replicate, (value, std_error) in enumerate(zip(*(part.tolist() for part in result), strict=True))
    ]
