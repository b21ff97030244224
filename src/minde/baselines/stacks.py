"""What competitors share that train all replicates of a cell as one program: samples, batches, generators, widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from minde.baselines.interface import Replicate, standardised

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def generator(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for each purpose, on the CPU, so that a GPU draws the same."""
    import torch

    digest = blake2b(f"{seed}/{purpose}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)  # 63 bits: what torch takes


def stack(replicates: Sequence[Replicate], device: torch.device | str) -> tuple[tuple[Tensor, Tensor], ...]:
    """x and y of the training split and of the test split, each `(replicates, rows, dim)`, standardised."""
    import torch

    splits = zip(*map(standardised, replicates), strict=True)
    return tuple(
        tuple(torch.from_numpy(np.stack(of_all)).to(device) for of_all in zip(*split, strict=True)) for split in splits
    )


def width(dim_x: int) -> int:
    """Units of a hidden layer by the number of coordinates of x: the paper's for DoE."""
    return 64 if dim_x <= 10 else 128 if dim_x <= 50 else 256


def check_batch(batch_size: int, rows: int) -> None:
    """Raise ValueError where there are fewer training rows than a batch has."""
    if batch_size > rows:
        raise ValueError(f"a batch of {batch_size} cannot be drawn from {rows} training samples; lower batch_size")


def batches(x: Tensor, y: Tensor, seeds: Sequence[int], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled epochs without their incomplete last batch, for ever; every replicate in an order of its own."""
    import torch

    generators = [generator(seed, "batches") for seed in seeds]
    rows = x.shape[1]
    replicate = torch.arange(len(seeds), device=x.device).unsqueeze(1)
    while True:
        order = torch.stack([torch.randperm(rows, generator=one) for one in generators]).to(x.device)
        for first in range(0, rows - size + 1, size):
            chosen = order[:, first : first + size]
            yield x[replicate, chosen], y[replicate, chosen]
