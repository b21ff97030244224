"""Tishby's binary network: the information in its layers during training (Shwartz-Ziv and Tishby 2017).

The 4,096 patterns of 12 bits are functions on the sphere, ±1 at 12 points. The probability of a label depends only on
the length of the pattern's first moment, which no rotation changes, such that I(X; Y) is what the config asks for. A
network of tanh layers learns it by stochastic gradient descent; the binned activations of each layer are a discrete
variable T, whose I(X; T) and I(T; Y) over the 4,096 patterns are exact sums, not estimates.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import entr, expit
from torch import Tensor

from minde.progress import Progress

from .networks import Perceptrons, check_finite, mean_cross_entropy, perceptrons, split_rows
from .rows import Row, Seed

BITS = 12
"""Binary inputs."""
STEEPEST = 1e6
"""Slope of a sigmoid that is a rule without noise."""


def run(
    *,
    seed: Seed,
    device: torch.device,
    replicates: int,
    information: float,
    widths: Sequence[int],
    train_share: float,
    batch_size: int,
    learning_rate: float,
    momentum: float,
    epochs: int,
    bins: int,
    snapshots: int,
) -> list[Row]:
    """Return I(X; T) and I(T; Y) of every layer (series) in bits at log-spaced epochs (x), and the test error."""
    patterns = all_patterns()
    chance = rule(patterns, information)
    seeds = [seed(r, "network") for r in range(replicates)]
    networks = perceptrons([BITS, *widths, 2], seeds, "layers", "tanh").to(device)
    generators = [np.random.default_rng(seed(r, "labels")) for r in range(replicates)]
    labels = torch.from_numpy(np.stack([one.random(len(chance)) < chance for one in generators])).long().to(device)
    train, test = split_rows(generators, len(chance), train_share, device)
    x = torch.from_numpy(patterns).float().to(device)
    optimizer = torch.optim.SGD(networks.parameters(), lr=learning_rate, momentum=momentum)
    shuffles = [torch.Generator().manual_seed(seed(r, "batches")) for r in range(replicates)]
    names = [f"replicate {r}" for r in range(replicates)]
    shown = logarithmic(epochs, snapshots)
    progress = Progress(f"{replicates} binary networks on {device.type}", epochs, "epochs")
    rows = [Row("plane", "truth", 0, "bits", binary_information(chance))]
    for epoch in range(epochs + 1):
        if epoch:
            loss = _epoch(networks, optimizer, x, labels, train, shuffles, batch_size)
            check_finite(loss, names, epoch)
            progress.report(epoch, f"loss {loss.mean():.3f} nats")
        if epoch in shown:
            rows += _measure(networks, x, labels, test, chance, bins, epoch)
    return rows


def all_patterns() -> np.ndarray:
    """Return every pattern of ±1, `(4096, 12)`."""
    numbers = np.arange(2**BITS)[:, None]
    return 2.0 * (numbers >> np.arange(BITS) & 1) - 1


def sphere_points() -> np.ndarray:
    """Return 12 points spread over the unit sphere on a Fibonacci spiral, `(12, 3)`.

    No rotation maps them onto each other, so that hardly any two patterns have the same moment; with the corners of an
    icosahedron, the moment would have few values, none of which splits the patterns into halves.
    """
    height = 1 - (2 * np.arange(BITS) + 1) / BITS
    angle = math.pi * (1 + math.sqrt(5)) * np.arange(BITS)
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=1)


def rule(patterns: np.ndarray, information: float) -> np.ndarray:
    """Return P(Y = 1) of every pattern, such that I(X; Y) is `information`, in bits.

    It is a sigmoid of the moment's squared length about its median. Raises ValueError if no rule of this kind has the
    information. The most is a little below 1 bit, since patterns at the median have labels at random.
    """
    energy = np.square(patterns @ sphere_points()).sum(axis=1)
    centred = (energy - np.median(energy)) / energy.std()

    def excess(steepness: float) -> float:
        return binary_information(expit(steepness * centred)) - information

    if not excess(0) < 0 < excess(STEEPEST):
        most = excess(STEEPEST) + information
        raise ValueError(
            f"the binary rule's information is {information} bits; expected more than 0 and less than {most:.4f}"
        )
    return expit(brentq(excess, 0, STEEPEST) * centred)


def binary_information(chance: np.ndarray) -> float:
    """Return I(X; Y) in bits, from P(Y = 1) of every pattern x, all equally likely."""
    return float(_entropy(chance.mean()) - _entropy(chance).mean())


def _entropy(chance: np.ndarray) -> np.ndarray:
    """Return the entropy in bits of a variable that is 1 with this probability."""
    return (entr(chance) + entr(1 - chance)) / math.log(2)


def binned_information(activations: np.ndarray, chance: np.ndarray, bins: int) -> tuple[float, float]:
    """Return I(X; T) and I(T; Y) in bits.

    T are activations `(patterns, units)` in [-1, 1] in bins of equal width. All patterns are equally likely. T is a
    function of X, so I(X; T) is its entropy.
    """
    cells = np.clip(((activations + 1) / 2 * bins).astype(np.int64), 0, bins - 1)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    share = np.bincount(cell) / len(cell)
    ones = np.bincount(cell, weights=chance) / np.bincount(cell)
    return float(-(share * np.log2(share)).sum()), float(_entropy(chance.mean()) - (share * _entropy(ones)).sum())


def logarithmic(last: int, count: int) -> list[int]:
    """Return about `count` log-spaced integers from 0 to `last`."""
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


def _epoch(
    networks: Perceptrons,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    labels: Tensor,
    train: Tensor,
    shuffles: Sequence[torch.Generator],
    batch_size: int,
) -> Tensor:
    """Train for a pass over patterns `(replicates, rows)` in batches; return the last batch's loss, `(replicates,)`."""
    order = torch.stack([torch.randperm(train.shape[1], generator=one) for one in shuffles]).to(train.device)
    for rows in train.gather(1, order).split(batch_size, dim=1):
        loss = mean_cross_entropy(networks(x[rows]), labels.gather(1, rows))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return loss.detach()


@torch.no_grad()
def _measure(
    networks: Perceptrons, x: Tensor, labels: Tensor, test: Tensor, chance: np.ndarray, bins: int, epoch: int
) -> list[Row]:
    """Return I(X; T) and I(T; Y) of all layers, and the share of test patterns that are misclassified."""
    passed = networks.layers(x.expand(len(test), -1, -1))
    wrong = (passed[-1].argmax(dim=2) != labels).float().gather(1, test).mean(dim=1)
    passed[-1] = 2 * passed[-1].softmax(dim=2) - 1
    rows = [Row("error", "output", r, "error", value, x=epoch) for r, value in enumerate(wrong.tolist())]
    for number, activations in enumerate(passed, start=1):
        for replicate, layer in enumerate(activations.cpu().numpy()):
            pair = binned_information(layer, chance, bins)
            for panel, value in zip(("input", "label"), pair, strict=True):
                rows.append(Row(panel, f"layer {number}", replicate, "bits", value, x=epoch))
    return rows
