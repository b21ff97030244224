"""MINE as a row of tables: `mine.Mine` trained on the training split of every replicate of a cell, as one program.

benchmark-mi's MINE (`critics.mine`) takes the best of many evaluations on the test split and uses them for early
stopping; here the number of steps is fixed, and the test split is used only once, at the end.
"""

import time
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from minde.progress import Progress

from . import widths
from .interface import Outcome, Replicate, outcome_of
from .mine import Loss, Mine, shuffle
from .perceptrons import Perceptrons
from .stacks import generators, stack, train


def mine_torch(
    replicates: Iterable[Replicate],
    *,
    device: torch.device | str = "cpu",
    loss: Loss,
    hidden: int | str,
    layers: int,
    batch_size: int,
    learning_rate: float,
    smoothing: float,
    steps: int,
) -> Iterator[Outcome]:
    """Train a statistics network on each replicate's training split; estimate by its bound on the test split.

    The network has `layers` ReLU layers of `hidden` units, or `auto` (see `widths`). Adam with a constant rate;
    `loss` and `smoothing`, the weight of the newest batch, are those of `mine.Mine`. There is no standard error, since
    the bound is not a mean over samples. Raises ValueError if there are fewer training rows than a batch has.
    """
    start = time.perf_counter()
    replicates = list(replicates)
    (x, y), test = stack(replicates, device)
    dim_x, dim_y = x.shape[2], y.shape[2]
    seeds = [replicate.seed for replicate in replicates]
    units = widths.of_network(dim_x, hidden)
    mine = stack_of(seeds, dim_x + dim_y, units, layers, loss=loss, smoothing=smoothing).to(device)
    progress = Progress(f"MINE ({loss}), {len(seeds)} replicates on {x.device.type}", steps, "steps")
    options = {"batch_size": batch_size, "learning_rate": learning_rate, "steps": steps, "progress": progress}
    (lost,) = train_mines([mine], (x, y), seeds, **options)
    nats = mine.information(*test, generators(seeds, "test"))
    seconds = (time.perf_counter() - start) / len(replicates)
    for value, step in zip(nats.tolist(), lost.tolist(), strict=True):
        reason = f"the loss was not finite at step {step}" if step else f"the bound on the test samples is {value}"
        yield outcome_of(value, seconds, otherwise=reason)


def stack_of(seeds: Sequence[int], dim: int, hidden: int, layers: int, activation: str = "relu", **options) -> Mine:
    """Return a `mine.Mine` with a stack of statistics networks of `dim` inputs, one per seed."""
    network = Perceptrons([dim, *[hidden] * layers, 1], generators(seeds, "initialise"), activation)
    return Mine(network, **options)


def train_mines(mines: Sequence[Mine], samples: tuple[Tensor, Tensor], seeds: Sequence[int], **options) -> Tensor:
    """Train stacks in place, all on the same samples x and z `(replicates, rows, dim)` in the same batches.

    `options` are those of `stacks.train`. Returns the step at which each loss was first not finite, or 0 if every
    loss was, `(stacks, replicates)`.
    """
    orders, parameters = generators(seeds, "shuffle"), [weights for mine in mines for weights in mine.parameters()]

    def losses(x: Tensor, z: Tensor) -> Tensor:
        z_marginal = shuffle(z, orders)  # the same for all stacks
        return torch.stack([mine.loss(x, z, z_marginal=z_marginal) for mine in mines])

    return train(losses, parameters, samples, seeds, **options)
