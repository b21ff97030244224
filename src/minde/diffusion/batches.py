"""Batches: the samples and random numbers of a training step.

Every random draw is derived from a replicate's seed and the step (see :mod:`.random`). Draws are made for many steps
together; a step selects its own by a position that is a tensor, so that the same step can be replayed as a CUDA graph.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from . import random
from .conditioning import Selection, allocate, choose
from .model import Model
from .recipe import Recipe
from .times import stratify

CHUNK = 32  # steps whose random numbers are drawn together; part of the seed path: changing it changes the numbers


@dataclass(frozen=True)
class Batch:
    """One step's samples and random numbers, for every replicate."""

    clean: Tensor
    """`(replicates, batch, dim)`."""
    noise: Tensor
    """`(replicates, batch, dim)`."""
    t: Tensor
    """`(replicates, batch)`."""
    selection: Selection
    learning_rate: Tensor
    """`()`."""
    ema_weight: Tensor
    """`()`: weight of the new parameters in their average."""


@dataclass(frozen=True)
class Chunk:
    """The inputs of CHUNK steps, for every replicate."""

    rows: Tensor
    """`(replicates, CHUNK, batch)`: row numbers in the concatenated samples of all replicates."""
    noise: Tensor
    """`(replicates, CHUNK, batch, dim)`."""
    t: Tensor
    """`(replicates, CHUNK, batch)`."""
    scores: Tensor
    """`(replicates, CHUNK, 1)`: the score of a step's batch, if one is chosen per batch."""
    learning_rate: Tensor
    """`(1, CHUNK)`."""
    ema_weight: Tensor
    """`(1, CHUNK)`."""

    def at(self, position: Tensor) -> list[Tensor]:
        """Return the inputs of the step at a position `(1,)`, in order of the fields."""
        return [getattr(self, field.name).index_select(1, position).squeeze(1) for field in fields(self)]

    def copy_(self, other: "Chunk") -> None:
        """Copy another chunk into this one's memory."""
        for field in fields(self):
            getattr(self, field.name).copy_(getattr(other, field.name))


class Batches:
    """The batches of a stack: shuffled epochs, without an incomplete last batch."""

    def __init__(self, model: Model, samples: Tensor, recipe: Recipe, seeds: Sequence[int]) -> None:
        """Take training samples `(replicates, n, dim)`; raises ValueError if a batch is larger than n."""
        replicates, self.n, self.dim = samples.shape
        if recipe.batch_size > self.n:
            raise ValueError(
                f"A batch of {recipe.batch_size} cannot be drawn from {self.n} training samples; lower batch_size to "
                f"{self.n}."
            )
        self.model, self.recipe, self.seeds, self.device = model, recipe, seeds, samples.device
        self.samples = samples.reshape(replicates * self.n, self.dim)
        self.offset = torch.arange(0, replicates * self.n, self.n, device=self.device).unsqueeze(1)
        per_sample = recipe.score_choice == "per_sample"
        self.dealt = allocate(model.variant, recipe.batch_size, self.device) if per_sample else None
        self.order: tuple[int, Tensor] | None = None

    def draw(self, first: int) -> Chunk:
        """Return the chunk that starts at step `first`, a multiple of CHUNK."""
        size, seeds, device, index = self.recipe.batch_size, self.seeds, self.device, first // CHUNK
        steps = range(first, first + CHUNK)
        u = random.uniforms((CHUNK, size), seeds, "time", index, device=device)
        if self.recipe.times == "stratified":
            blocks = self.dealt.groups.values() if self.dealt else (slice(None),)
            u = torch.cat([stratify(u[..., block]) for block in blocks], dim=-1)
        choice = random.uniforms((CHUNK, 1), seeds, "score", index, device=device)
        return Chunk(
            rows=torch.stack([self._rows(step) for step in steps], dim=1),
            noise=random.normals((CHUNK, size, self.dim), seeds, "noise", index, device=device),
            t=self.model.times.inverse_cdf(u),
            scores=choose(self.model.variant, choice),
            learning_rate=self._row(map(self.recipe.learning_rate_at, steps)),
            ema_weight=self._row(1 - self.recipe.ema_decay_at(step) for step in steps),
        )

    def pick(self, chunk: Chunk, position: Tensor) -> Batch:
        """Return the batch of the step at a position `(1,)` of a chunk."""
        rows, noise, t, scores, learning_rate, ema_weight = chunk.at(position)
        selection = self.dealt or Selection(scores, None)
        return Batch(self.samples[rows], noise, t, selection, learning_rate.squeeze(0), ema_weight.squeeze(0))

    def _rows(self, step: int) -> Tensor:
        """Return the rows of a step, `(replicates, batch)`."""
        size = self.recipe.batch_size
        epoch, position = divmod(step, self.n // size)
        if self.order is None or self.order[0] != epoch:
            self.order = epoch, random.permutations(self.n, self.seeds, "epoch", epoch, device=self.device)
        return self.order[1][:, position * size : (position + 1) * size] + self.offset

    def _row(self, numbers: Iterable[float]) -> Tensor:
        """Return numbers as `(1, CHUNK)` on the device, without waiting for it."""
        return torch.tensor([list(numbers)], dtype=torch.float32, device="cpu").to(self.device, non_blocking=True)
