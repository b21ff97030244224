"""MINE as a row of tables: `mine.Mine` trained on the training split of every replicate of a cell, as one program.

benchmark-mi's MINE (`critics.mine`) takes the best of many evaluations on the test split and stops by them; here the
number of steps is fixed and the test split is seen once, at the end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from minde.baselines.interface import Estimate, Replicate
from minde.baselines.stacks import batches, check_batch, generator, stack, width
from minde.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from minde.baselines.mine import Loss, Mine


def mine_torch(
    replicates: Iterable[Replicate],
    *,
    device: torch.device | str = "cpu",
    loss: Loss,
    hidden: str | int,
    layers: int,
    batch_size: int,
    learning_rate: float,
    smoothing: float,
    steps: int,
) -> Iterator[Estimate]:
    """Train a statistics network on each replicate's training split; estimate by its bound on the test split.

    The network has `layers` ReLU layers of `hidden` units, or `auto` (see `width`). Adam with a constant rate; `loss`
    and `smoothing` are those of `mine.Mine`. There is no standard error: the logarithm of a mean has none of its own.

    Raises:
        ValueError: there are fewer training rows than a batch has.
    """
    start = time.perf_counter()
    replicates = list(replicates)
    (x, y), test = stack(replicates, device)
    units = width(x.shape[2]) if hidden == "auto" else hidden
    seeds = [replicate.seed for replicate in replicates]
    mine = stack_of(seeds, x.shape[2] + y.shape[2], units, layers, loss=loss, smoothing=smoothing).to(device)
    progress = Progress(f"MINE ({loss}), {len(seeds)} replicates on {x.device.type}", steps, "steps")
    lost = train([mine], x, y, seeds, batch_size, learning_rate, steps, progress)
    nats = mine.information(*test, generators(seeds, "test"))
    seconds = (time.perf_counter() - start) / len(replicates)
    for value, step in zip(nats.tolist(), lost[0].tolist(), strict=True):
        if math.isfinite(value):
            yield Estimate(nats=value, seconds=seconds)
        else:
            where = f"the loss was not finite at step {step}" if step else f"the bound on the test samples is {value}"
            yield Estimate(nats=None, seconds=seconds, not_converged=where)


def generators(seeds: Sequence[int], purpose: str) -> list[torch.Generator]:
    """One generator for each replicate."""
    return [generator(seed, purpose) for seed in seeds]


def stack_of(seeds: Sequence[int], dim: int, hidden: int, layers: int, activation: str = "relu", **options) -> Mine:
    """A `mine.Mine` of as many stacked statistics networks of `dim` inputs as there are seeds."""
    from minde.baselines.mine import Mine, Perceptrons

    drawn = generators(seeds, "initialise")
    return Mine(Perceptrons([dim, *[hidden] * layers, 1], drawn, activation), **options)


def train(
    mines: Sequence[Mine],
    x: Tensor,
    z: Tensor,
    seeds: Sequence[int],
    batch_size: int,
    learning_rate: float,
    steps: int,
    progress: Progress,
) -> list[Tensor]:
    """Train stacks in place, all on the same samples `(replicates, rows, dim)` in the same batches, with Adam.

    Returns for each the step at which every replicate's loss was first not finite, `(replicates,)`, 0 where it always
    was.

    Raises:
        ValueError: there are fewer rows than a batch has.
    """
    import torch

    from minde.baselines.mine import shuffle

    check_batch(batch_size, x.shape[1])
    adam = torch.optim.Adam([weights for mine in mines for weights in mine.parameters()], lr=learning_rate)
    progress.report(0, "training")  # where its rate counts from
    lost = [torch.zeros(len(seeds), dtype=torch.int64, device=x.device) for _ in mines]
    drawn, orders = batches(x, z, seeds, batch_size), generators(seeds, "shuffle")
    for step in range(1, steps + 1):
        x_batch, z_batch = next(drawn)
        z_marginal = shuffle(z_batch, orders)  # the same for all
        losses = [mine.loss(x_batch, z_batch, z_marginal=z_marginal) for mine in mines]
        adam.zero_grad()
        sum(loss.sum() for loss in losses).backward()  # its gradient is each replicate's own
        adam.step()
        for number, loss in enumerate(losses):
            lost[number] = torch.where((lost[number] == 0) & ~loss.isfinite(), step, lost[number])
        if step % 100 == 0 or step == steps:
            progress.report(step, f"loss {losses[0].detach().mean():.4f}", milestone=step == steps)
    return lost
