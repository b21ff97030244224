"""Small trainings for tests of the loop."""

import dataclasses
from collections import deque

import torch
from gaussians import gaussian_with

from minde.diffusion.base import fit_base
from minde.diffusion.batches import CHUNK
from minde.diffusion.model import SAMPLES_PER_COLUMN, build_model
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.diffusion.training import start, train_stack

FAST = Recipe(
    steps=2 * CHUNK + 8,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=20.0,
    schedule="cosine",
    ema_decay=0.999,
    score_choice="per_sample",
    times="stratified",
)
PAPER = dataclasses.replace(FAST, weight_decay=0.0, schedule="constant", score_choice="per_batch", times="iid")


def samples(replicates: int = 3, n: int = 200, dim: int = 2, *, base: str = "none") -> torch.Tensor:
    """Samples of a Gaussian; two clusters of them for a mixture, which would otherwise have a single component."""
    x = gaussian_with(0.5, dim).sample(replicates, n, seed=0).float()
    if base == "mixture":
        x[:, ::2] += 6
    return x


def model(x: torch.Tensor, variant: str, *, base: str = "none", moments=None):
    """The model of a variant; its base is fitted to the samples unless moments are given."""
    dim = x.shape[-1] // 2
    return build_model(
        variant=variant,
        dim_x=dim,
        dim_y=dim,
        n_train=SAMPLES_PER_COLUMN * 2 * dim,  # enough for all inputs
        times=Times(sde=SDE()),
        hidden=32,
        middle_blocks=2,
        architecture="residual" if base == "none" else "gated",
        moments=fit_base(base, x, dim) if moments is None else moments,
        device=x.device,
    )


def run(x: torch.Tensor, variant: str, recipe: Recipe, seeds, *, base: str = "none"):
    built = model(x, variant, base=base)
    state = start(built, seeds, x.device)
    return deque(train_stack(built, x, recipe, seeds, state), maxlen=1).pop()
