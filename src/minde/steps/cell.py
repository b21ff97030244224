"""What training and estimation share: a cell's samples and seeds, and the model that its settings describe."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from minde.diffusion.estimators import Estimate, mutual_information
from minde.diffusion.model import Model, build_model
from minde.diffusion.network import hidden_width
from minde.diffusion.preprocess import fit_preprocess
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.study import samples
from minde.study.seeds import seed_of

PACKAGES = ("numpy", "pyarrow", "safetensors", "torch")
MOMENTS = ("moments/mean", "moments/covariance")


def pick_device(name: str) -> torch.device:
    """Return the device of a name; auto is CUDA where there is one. Raises ValueError where cuda is not to be had."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("Device cuda was asked for, but torch finds none; use auto or cpu, or look at `nvidia-smi`.")
    return torch.device(name)


def read_cell(settings: dict, path: Path, test_rows: int | None, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return training and test samples of all replicates, ``(replicates, rows, dim)``, as the network sees them."""

    def read(split: str, rows: int | None) -> Tensor:
        replicates = (samples.read(path, r, split, rows) for r in range(settings["replicates"]))
        return torch.stack([torch.from_numpy(np.concatenate(xy, axis=1)).to(device) for xy in replicates])

    training_samples = read("train", settings["train_size"])
    preprocess = fit_preprocess(settings["preprocess"], training_samples)
    return preprocess(training_samples), preprocess(read("test", test_rows))


def model_of(settings: dict, moments: tuple[Tensor, Tensor] | None, device: torch.device) -> Model:
    """Return the model that a training's settings describe, with a Gaussian base where there are moments."""
    dim = settings["dim_x"] + settings["dim_y"]
    hidden, sde = settings["network"]["hidden"], settings["sde"]
    return build_model(
        variant=settings["variant"],
        dim_x=settings["dim_x"],
        dim_y=settings["dim_y"],
        times=Times(
            sde=SDE(beta_min=sde["beta_min"], beta_max=sde["beta_max"]),
            t_eps=sde["t_eps"],
            importance_sampling=settings["training"]["importance_sampling"],
        ),
        hidden=hidden_width(dim) if hidden == "auto" else hidden,
        middle_blocks=settings["network"]["middle_blocks"],
        moments=moments,
        device=device,
    )


def seeds_of(settings: dict, purpose: str) -> list[int]:
    """Return one seed per replicate for a purpose, different for the two variants."""
    task, train_size, purpose = settings["task"], settings["train_size"], f"{purpose}/{settings['variant']}"
    return [seed_of(settings["seed"], task, train_size, r, purpose) for r in range(settings["replicates"])]


def title_of(settings: dict, device: torch.device) -> str:
    """Return what progress calls the cell."""
    return (
        f"minde-{settings['variant']}, {settings['task']}, {settings['train_size']} samples, "
        f"{settings['replicates']} replicates on {device.type}"
    )


def estimate_stack(model: Model, parameters: dict[str, Tensor], clean: Tensor, **options) -> dict[str, Estimate]:
    """Estimate the mutual information of every replicate with a stack's parameters, by name."""
    return mutual_information(
        partial(model.noise, parameters), clean, variant=model.variant, dim_x=model.dim_x, **options
    )


def estimate_rows(found: dict[str, Estimate]) -> list[dict]:
    """Return one row per estimator and replicate, of what the estimates say."""
    return [
        {"estimator": name, "replicate": replicate, "estimate": value, "std_error": std_error}
        for name, result in found.items()
        for replicate, (value, std_error) in enumerate(zip(*(part.tolist() for part in result), strict=True))
    ]
