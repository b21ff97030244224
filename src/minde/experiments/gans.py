"""Experiment 3: GANs with and without the term of mutual information, on the 25 Gaussians and the spiral (section 5.1).

A GAN that maps all noise to few modes is hardly penalised for it. With the term, the code must be recognisable from the
sample, so that codes spread over modes.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from minde.progress import Progress

from .adversarial import Gans
from .networks import Draws, members_of, train
from .patterns import PATTERNS, Pattern, coverage
from .rows import Row, Seed, points_of, rows_of

SERIES = ("gan", "mine")


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    patterns: Sequence[str],
    sigma: float,
    beta: float,
    samples: int,
    points: int,
    quorum: float,
    gan: dict,
) -> list[Row]:
    """Return the coverage of every pattern (panel) by GANs and GANs + MINE (series).

    Scatter plots of the first replicate are returned as well.
    """
    rows = []
    for name in patterns:
        pattern = PATTERNS[name](sigma).to(device)
        members = members_of(seed, replicates, dict(zip(SERIES, (0.0, beta), strict=True)), device, f"/{name}")
        gans = Gans(2, members.seeds, members.betas, **gan)
        progress = Progress(f"{name}, {len(members.seeds)} GANs on {device.type}", gans.steps, "steps")
        train(partial(_step, gans, pattern, members.train), gans.optimizers, gans.steps, members.names, progress)
        made, codes = gans.sample(members.test, samples)
        information = gans.mine.information(made, codes, members.test.for_members())
        measures = coverage(made, pattern, quorum)._asdict() | {"information": information}
        rows += rows_of(name, measures, SERIES)
        rows += points_of(name, "data", pattern.draw(members.test, points)[0])
        for number, series in enumerate(SERIES):
            rows += points_of(name, series, made[number * replicates, :points])
    return rows


def _step(gans: Gans, pattern: Pattern, draws: Draws) -> Tensor:
    return gans.step(pattern.draw(draws, gans.batch_size), draws)
