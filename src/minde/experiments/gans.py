"""Experiment 3: GANs with and without the term of mutual information, on the 25 Gaussians and the spiral (section 5.1).

A GAN that maps all noise to few modes loses little by it. With the term, samples must tell which code they were made
from, so that codes spread over modes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from minde.experiments.adversarial import Gans, Settings, train
from minde.experiments.networks import Draws
from minde.experiments.patterns import PATTERNS, Coverage, coverage
from minde.experiments.rows import Row, Seed
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
        train(gans, lambda batch, p=pattern, d=draws: p.draw(d, batch), draws, names, progress.report)
        made, codes = gans.sample(fresh, samples)
        information = gans.mine.information(made, codes, z_marginal=gans.codes(fresh, samples))
        rows += _numbers(name, coverage(made, pattern, quorum), information, replicates)
        rows += _points(name, "data", pattern.draw(fresh, points)[0])
        for number, series in enumerate(SERIES):
            rows += _points(name, series, made[number * replicates, :points])
    return rows


def _numbers(panel: str, found: Coverage, information: Tensor, replicates: int) -> list[Row]:
    """A row for each measure and member; the bound on the information is that of the member's own network."""
    measures = found._asdict() | {"information": information}
    return [
        Row(panel, series, replicate, quantity, float(values[number * replicates + replicate]))
        for quantity, values in measures.items()
        for number, series in enumerate(SERIES)
        for replicate in range(replicates)
    ]


def _points(panel: str, series: str, points: Tensor) -> list[Row]:
    return [Row(panel, series, 0, "point", x=x, y=y) for x, y in points.tolist()]
