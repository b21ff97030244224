"""Stacked digits, after Stacked MNIST: GANs with and without MINE on data with a thousand modes (section 5.1).

An image has three channels with a digit each, drawn independently, so that 1,000 triples are equally likely. A
classifier that was trained on single digits reads the channels of generated images; the modes are the triples that
occur, and the divergence is that of their frequencies from uniform ones.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from minde.images.loader import load
from minde.progress import Progress

from . import adversarial, networks
from .networks import Draws, Perceptrons, mean_cross_entropy, members_of, perceptrons, split_rows
from .rows import Row, Seed, rows_of

SERIES = ("gan", "mine")
DIGITS, CHANNELS = 10, ("red", "green", "blue")
MODES = DIGITS ** len(CHANNELS)


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    images: str,
    beta: float,
    samples: int,
    shown: int,
    classifier: dict,
    gan: dict,
) -> list[Row]:
    """Return modes and divergence of every member and of as many real images; some images of the first replicate."""
    pixels, labels = load(images)
    side = pixels.shape[1]
    x, y = torch.from_numpy(pixels).flatten(1).to(device), torch.from_numpy(labels).to(device)
    judges, wrong = train_classifier(x, y, [seed(r, "classifier") for r in range(replicates)], **classifier)
    rows = rows_of("counts", {"error": wrong}, ["classifier"])

    members = members_of(seed, replicates, dict(zip(SERIES, (0.0, beta), strict=True)), device)
    draws, fresh = members.train, members.test
    gans = adversarial.Gans(len(CHANNELS) * x.shape[1], members.seeds, members.betas, **gan, images=True)
    progress = Progress(f"stacked {images}, {len(members.seeds)} GANs on {device.type}", gans.steps, "steps")

    def step() -> Tensor:
        return gans.step(stack_digits(x, draws, gans.batch_size), draws)

    networks.train(step, gans.optimizers, gans.steps, members.names, progress)

    made, codes = gans.sample(fresh, samples)
    real = stack_digits(x, fresh, samples)[:replicates]
    information = gans.mine.information(made, codes, fresh.for_members())
    rows += rows_of("counts", {"information": information}, SERIES)
    for series, seen in zip((*SERIES, "data"), (*made.split(replicates), real), strict=True):
        modes, divergence = coverage(read(judges, seen))
        rows += rows_of("counts", {"modes": modes, "divergence": divergence}, [series])
        rows += _images(series, seen[0, :shown], side)
    return rows


def stack_digits(x: Tensor, draws: Draws, rows: int) -> Tensor:
    """Return images of three channels `(members, rows, 3 · pixels)`, each one drawn from x `(images, pixels)`."""
    return x[draws.integers(len(x), rows, len(CHANNELS))].flatten(2)


def read(judges: Perceptrons, images: Tensor) -> Tensor:
    """Return the mode, 0 to 999, that each replicate's classifier sees in images `(replicates, rows, 3 · pixels)`."""
    with torch.no_grad():
        channels = images.unflatten(2, (len(CHANNELS), -1)).flatten(1, 2)
        digits = judges(channels).argmax(dim=2).unflatten(1, (-1, len(CHANNELS)))
    return (digits * torch.tensor([100, 10, 1], device=images.device)).sum(dim=2)


def coverage(modes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the number of modes in `(replicates, rows)` and KL(frequencies, uniform) in nats, each `(replicates,)`."""
    counts = torch.stack([replicate.bincount(minlength=MODES) for replicate in modes]).double()
    share = counts / counts.sum(dim=1, keepdim=True)
    return (counts > 0).sum(dim=1), math.log(MODES) - torch.special.entr(share).sum(dim=1)


def train_classifier(
    x: Tensor,
    y: Tensor,
    seeds: Sequence[int],
    *,
    hidden: int,
    batch_size: int,
    learning_rate: float,
    steps: int,
    test_share: float,
) -> tuple[Perceptrons, Tensor]:
    """Train a perceptron with one hidden layer per seed for images `(images, pixels)`.

    Returns the perceptrons and their errors on held-out images.
    """
    generators = [np.random.default_rng(seed) for seed in seeds]
    test, known = split_rows(generators, len(x), test_share, x.device)
    classifiers = perceptrons([x.shape[1], hidden, DIGITS], seeds, "classifier")
    draws, optimizer = Draws(seeds, device=x.device), networks.adam([classifiers], x.device, learning_rate)

    def step() -> Tensor:
        rows = known.gather(1, draws.integers(known.shape[1], batch_size))
        loss = mean_cross_entropy(classifiers(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        return loss.detach()

    names = [f"classifier, replicate {number}" for number in range(len(seeds))]
    progress = Progress(f"{len(seeds)} classifiers on {x.device.type}", steps, "steps")
    networks.train(step, [optimizer], steps, names, progress)
    with torch.no_grad():
        return classifiers, (classifiers(x[test]).argmax(dim=2) != y[test]).float().mean(dim=1)


def _images(series: str, images: Tensor, side: int) -> list[Row]:
    """Return a row for each pixel and channel.

    Panel is the number of the image, x and y are the pixel's column and row.
    """
    values = images.unflatten(1, (len(CHANNELS), side, side)).tolist()
    return [
        Row(str(number), series, 0, channel, value, x=float(column), y=float(line))
        for number, image in enumerate(values)
        for channel, plane in zip(CHANNELS, image, strict=True)
        for line, pixels in enumerate(plane)
        for column, value in enumerate(pixels)
    ]
