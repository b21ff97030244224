"""Experiment 2: nonlinear dependence, by MINE, MINDE and KSG (section 4.2).

x is uniform on (-1, 1) and y = f(x) + σ ε, with ε standard normal. A method is equitable if its estimate depends on the
noise and not on the function. As in `estimation`, networks train on other samples than those that all methods estimate
from.

Without noise, y is a function of x and mutual information is infinite. Estimates from finitely many samples are finite:
they show the range of a method, not its accuracy.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from minde.api.training import train as train_scores
from minde.baselines import Replicate, estimates
from minde.baselines.stacks import stack
from minde.diffusion.estimators import mutual_information

from .estimation import by_mine, split
from .rows import Row, Seed

FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
    "linear": (lambda x: x, lambda y: y),
    "cubic": (lambda x: x**3, np.cbrt),
    "sine": (np.sin, lambda y: np.arcsin(y.clip(-math.sin(1), math.sin(1)))),
}
"""f and its inverse; all are increasing."""

SMALLEST_NOISE = 1e-4
"""Smallest noise whose true value is computed: the quadrature has a hundred points per standard deviation."""


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    functions: Sequence[str],
    noises: Sequence[float],
    samples: int,
    loss: str,
    mine: dict,
    minde: dict,
    ksg: dict,
) -> list[Row]:
    """Return estimates by every method, and the true value, for every function and standard deviation of the noise.

    Panels are functions, x is the noise; all networks of a method train as one program.
    """
    rows = [Row(f, "truth", 0, "information", truth(f, noise), x=noise) for f in functions for noise in noises]
    cells = [(f, noise, replicate) for f in functions for noise in noises for replicate in range(replicates)]
    drawn = [draw(f, noise, samples, seed(replicate, f"samples/{f}/{noise:g}")) for f, noise, replicate in cells]
    seeds = [seed(replicate, f"train/{f}/{noise:g}") for f, noise, replicate in cells]
    found = {
        "mine": by_mine(drawn, seeds, [loss], device, "dependence", **mine)[loss],
        "minde-c": by_minde(drawn, seeds, device, **minde),
        "ksg": [estimate.nats for estimate in estimates("ksg", drawn, ksg)],
    }
    for method, values in found.items():
        rows += [
            Row(f, method, replicate, "information", value, x=noise)
            for (f, noise, replicate), value in zip(cells, values, strict=True)
        ]
    return rows


def draw(function: str, noise: float, rows: int, seed: int) -> Replicate:
    """Draw samples x and y `(rows, 1)` to train on, and as many others to estimate from."""
    generator, (f, _) = np.random.default_rng(seed), FUNCTIONS[function]
    x = generator.uniform(-1, 1, (2 * rows, 1))
    return split(x, f(x) + noise * generator.standard_normal(x.shape))


def truth(function: str, noise: float) -> float:
    """Return the mutual information H(Y) - H(σ ε) in nats; infinite without noise.

    It is computed by quadrature, with an error below 1e-3. Raises ValueError if the noise is so small that the
    quadrature would take too many points.
    """
    if noise == 0:
        return math.inf
    if noise < SMALLEST_NOISE:
        raise ValueError(
            f"a noise of {noise:g} is too small for the true value; expected 0 or at least {SMALLEST_NOISE}"
        )
    (f, inverse), bins = FUNCTIONS[function], 100  # per standard deviation of the noise
    end = math.ceil(bins * (f(1.0) / noise + 8))
    edges = np.arange(-end, end + 1) * noise / bins
    mass = np.diff((inverse(edges).clip(-1, 1) + 1) / 2)  # of f(x) in each bin
    density = gaussian_filter1d(mass, bins, mode="constant", truncate=8) * bins / noise
    inside = density > 0
    entropy = -(density[inside] * np.log(density[inside])).sum() * noise / bins
    return float(entropy - 0.5 * math.log(2 * math.pi * math.e * noise**2))


def by_minde(
    drawn: Sequence[Replicate],
    seeds: Sequence[int],
    device: torch.device,
    *,
    mc_draws: int,
    **settings,
) -> list[float]:
    """Return the estimates of MINDE-c by the formula `inside`, all trained as one program.

    `settings` are those of its network and training.
    """
    train, test = (torch.cat(pair, dim=-1) for pair in stack(drawn, device))
    settings |= {"verbose": True}
    trained = train_scores(settings, "c", (1, 1), train, seeds, title="MINDE-c, dependence")
    found = mutual_information(trained.scores, test, formulas=("inside",), sigmas=(), mc_draws=mc_draws, seeds=seeds)
    return found["inside"].value.tolist()
