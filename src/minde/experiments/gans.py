"""Experiment 3: GANs with and without the term of mutual information, on the 25 Gaussians and the spiral (section 5.1).

A GAN that maps all noise to few modes loses little by it. With the term, samples must tell which code they were made
from, so that codes spread over modes.
"""

from collections.abc import Sequence

import torch

from minde.experiments.adversarial import Gans, Settings, train
from minde.experiments.networks import Draws
from minde.experiments.patterns import PATTERNS, coverage
from minde.experiments.rows import Row, Seed, points_of, rows_of
from minde.progress import Progress

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
    """Coverage of every pattern (panel) by GANs and GANs + MINE (series), and scatter plots of the first replicate."""
    betas = torch.tensor([0.0, beta], device=device).repeat_interleave(replicates)
    names = [f"{series}, replicate {replicate}" for series in SERIES for replicate in range(replicates)]
    settings, rows = Settings(**gan), []
    for name in patterns:
        pattern = PATTERNS[name](sigma)
        pattern = pattern._replace(centres=pattern.centres.to(device))
        seeds = [seed(replicate, f"networks/{name}") for replicate in range(replicates)] * len(SERIES)
        draws, fresh = (
            Draws([seed(replicate, f"{use}/{name}") for replicate in range(replicates)], len(SERIES), device)
            for use in ("train", "test")
        )
        gans = Gans(2, seeds, betas, settings)
        progress = Progress(f"{name}, {len(seeds)} GANs on {device.type}", settings.steps, "steps")
        train(gans, lambda batch, p=pattern, d=draws: p.draw(d, batch), draws, names, progress)
        made, codes = gans.sample(fresh, samples)
        information = gans.mine.information(made, codes, z_marginal=gans.codes(fresh, samples))
        measures = coverage(made, pattern, quorum)._asdict() | {"information": information}
        rows += rows_of(name, measures, SERIES)
        rows += points_of(name, "data", pattern.draw(fresh, points)[0])
        for number, series in enumerate(SERIES):
            rows += points_of(name, series, made[number * replicates, :points])
    return rows
