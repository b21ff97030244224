"""Experiment 1: MINE against a non-parametric estimator, on Gaussians of known mutual information (section 4.1).

x and z are standard normals of `dim` coordinates, each coordinate of z correlated with the same one of x. Networks
train on as many samples as all methods, including KSG, estimate from, but on other ones, so that overfitting does not
raise an estimate.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch

from minde.baselines import Replicate, estimates
from minde.baselines.mine_torch import stack_of, train_mines
from minde.baselines.stacks import generators, stack
from minde.progress import Progress

from .rows import Row, Seed


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    correlations: Sequence[float],
    dims: Sequence[int],
    samples: int,
    losses: Sequence[str],
    mine: dict,
    ksg: dict,
) -> list[Row]:
    """Return estimates by every loss and by KSG, and the true value, for every number of coordinates and correlation.

    Panels are numbers of coordinates, x is the correlation; all networks of a panel train as one program.
    """
    rows = []
    for dim in dims:
        cells = [(rho, replicate) for rho in correlations for replicate in range(replicates)]
        drawn = [draw(rho, dim, samples, seed(replicate, f"samples/{dim}/{rho:g}")) for rho, replicate in cells]
        seeds = [seed(replicate, f"train/{dim}/{rho:g}") for rho, replicate in cells]
        found = by_mine(drawn, seeds, losses, device, f"{dim} coordinates", **mine)
        found["ksg"] = [estimate.nats for estimate in estimates("ksg", drawn, ksg)]
        for series, values in found.items():
            rows += [
                Row(str(dim), series, replicate, "information", value, x=rho)
                for (rho, replicate), value in zip(cells, values, strict=True)
            ]
        rows += [Row(str(dim), "truth", 0, "information", truth(rho, dim), x=rho) for rho in correlations]
    return rows


def truth(rho: float, dim: int) -> float:
    """Return the mutual information of `dim` pairs of correlation rho, in nats."""
    return -0.5 * dim * math.log1p(-(rho**2))


def draw(rho: float, dim: int, rows: int, seed: int) -> Replicate:
    """Draw samples x and z `(rows, dim)` to train on, and as many others to estimate from."""
    x, noise = np.random.default_rng(seed).standard_normal((2, 2 * rows, dim))
    return split(x, rho * x + math.sqrt(1 - rho**2) * noise)


def split(x: np.ndarray, z: np.ndarray) -> Replicate:
    """Return the first half of the samples to train on, the second to estimate from."""
    half = len(x) // 2
    return Replicate(number=0, x_train=x[:half], y_train=z[:half], x_test=x[half:], y_test=z[half:])


def by_mine(
    drawn: Sequence[Replicate],
    seeds: Sequence[int],
    losses: Sequence[str],
    device: torch.device,
    title: str,
    *,
    hidden: int,
    layers: int,
    batch_size: int,
    learning_rate: float,
    smoothing: float,
    steps: int,
) -> dict[str, list[float | None]]:
    """Return the estimates by each loss, all trained as one program; None if not finite."""
    (x, z), test = stack(drawn, device)
    dim = x.shape[-1] + z.shape[-1]
    mines = {
        loss: stack_of(seeds, dim, hidden, layers, "elu", loss=loss, smoothing=smoothing).to(device) for loss in losses
    }
    progress = Progress(f"MINE, {title}, {len(losses) * len(seeds)} networks on {device.type}", steps, "steps")
    options = {"batch_size": batch_size, "learning_rate": learning_rate, "steps": steps, "progress": progress}
    train_mines(list(mines.values()), (x, z), seeds, **options)
    found = {loss: mine.information(*test, generators(seeds, "test")).tolist() for loss, mine in mines.items()}
    return {loss: [value if math.isfinite(value) else None for value in values] for loss, values in found.items()}
