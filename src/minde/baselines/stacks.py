"""What competitors share that train all replicates of a cell as one program: samples, batches, generators, the loop."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from minde.progress import Progress

from .interface import Replicate, check_batch, standardized


def generators(seeds: Sequence[int], purpose: str) -> list[torch.Generator]:
    """Return a generator for each replicate and one purpose.

    They are on the CPU so that random numbers are the same for a GPU.
    """
    digests = [blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest() for seed in seeds]
    # torch takes 63 bits.
    return [torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1) for digest in digests]


def stack(replicates: Sequence[Replicate], device: torch.device | str) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return x and y of the training split and of the test split, each `(replicates, rows, dim)`, standardized."""
    splits = zip(*map(standardized, replicates), strict=True)
    return tuple(
        tuple(torch.from_numpy(np.stack(arrays)).to(device) for arrays in zip(*split, strict=True)) for split in splits
    )


def batches(x: Tensor, y: Tensor, seeds: Sequence[int], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield endless epochs of batches, shuffled for each replicate separately, without the incomplete last batch."""
    orders, rows = generators(seeds, "batches"), x.shape[1]
    replicate = torch.arange(len(seeds), device=x.device).unsqueeze(1)
    while True:
        order = torch.stack([torch.randperm(rows, generator=one) for one in orders]).to(x.device)
        for first in range(0, rows - size + 1, size):
            chosen = order[:, first : first + size]
            yield x[replicate, chosen], y[replicate, chosen]


def train(
    losses: Callable[[Tensor, Tensor], Tensor],
    parameters: Sequence[Tensor],
    samples: tuple[Tensor, Tensor],
    seeds: Sequence[int],
    *,
    batch_size: int,
    learning_rate: float,
    steps: int,
    progress: Progress,
    on_gradients: Callable[[], None] = lambda: None,
) -> Tensor:
    """Train in place with Adam on samples x and y `(replicates, rows, dim)`.

    `losses` maps a batch of x and y to the loss of every replicate, `(…, replicates)`; `on_gradients` is called before
    each update. Returns the step at which each loss was first not finite, or 0 if every loss was, in the same shape.
    Raises ValueError if there are fewer rows than a batch has.
    """
    check_batch(batch_size, samples[0].shape[1])
    adam, drawn = torch.optim.Adam(parameters, lr=learning_rate), batches(*samples, seeds, batch_size)
    lost = torch.zeros(len(seeds), dtype=torch.int64, device=samples[0].device)
    progress.report(0, "training")  # the rate counts from here
    for step in range(1, steps + 1):
        loss = losses(*next(drawn))
        adam.zero_grad()
        loss.sum().backward()  # replicates are independent: each gets its own gradient
        on_gradients()
        adam.step()
        lost = torch.where((lost == 0) & ~loss.isfinite(), step, lost)
        if step % 100 == 0 or step == steps:
            progress.report(step, f"loss {loss.detach().mean():.4f}", milestone=step == steps)
    return lost
