"""Which scores each variant learns, and the network inputs that select one of them (paper).

Each of the two variables has a role in a score. A *diffused* variable is fed noisy with its time t; a *conditioned*
one is fed clean with time 0; a *marginalized* one is fed zeros with time 1.
"""

from dataclasses import dataclass
from itertools import accumulate, count, pairwise
from typing import Literal

import torch
from torch import Tensor

Role = Literal["diffused", "conditioned", "marginalized"]


@dataclass(frozen=True)
class Score:
    """One score function: the roles of x and y, and how much training it gets."""

    x: Role
    y: Role
    odds: int
    """Odds of being chosen for a batch, relative to the variant's other scores (the paper)."""
    share: int
    """Share of a batch that is dealt to all scores, relative to the others': more if a score is harder to learn."""


VARIANTS: dict[str, dict[str, Score]] = {
    "c": {
        "marginal": Score("diffused", "marginalized", odds=1, share=1),
        "conditional": Score("diffused", "conditioned", odds=1, share=3),
    },
    "j": {
        "joint": Score("diffused", "diffused", odds=2, share=2),
        "x_given_y": Score("diffused", "conditioned", odds=1, share=1),
        "y_given_x": Score("conditioned", "diffused", odds=1, share=1),
    },
    # One variable alone, for divergences between two distributions of it: dim_y is 0.
    "x": {"marginal": Score("diffused", "marginalized", odds=1, share=1)},
}


@dataclass(frozen=True)
class Selection:
    """Which score each row of a batch is asked for."""

    scores: Tensor
    """Score indices, broadcasting to `(replicates, batch)`."""
    groups: dict[int, slice] | None
    """Rows of each score if every score has one contiguous block, the same in all replicates; else None."""


def only(variant: str, score: str) -> Selection:
    """Ask every row for one score, by name."""
    index = list(VARIANTS[variant]).index(score)
    return Selection(torch.tensor(index, device="cpu"), {index: slice(None)})


def allocate(variant: str, batch: int, device: torch.device) -> Selection:
    """Deal the rows of a batch to the scores by their shares, in contiguous blocks.

    Unlike a random choice, a fixed split has no sampling noise, and its shapes never change. Raises ValueError if the
    batch is too small to give every score a row.
    """
    sizes = _sizes(variant, batch)
    if min(sizes) < 1:
        least = next(rows for rows in count(len(sizes)) if min(_sizes(variant, rows)) >= 1)
        raise ValueError(
            f"batch_size is {batch}; expected at least {least}: variant {variant} deals a batch to {len(sizes)} scores."
        )
    ends = list(accumulate(sizes))
    groups = {i: slice(end - size, end) for i, (size, end) in enumerate(zip(sizes, ends, strict=True))}
    scores = [index for index, size in enumerate(sizes) for _ in range(size)]
    return Selection(torch.tensor(scores, device=device), groups)


def _sizes(variant: str, batch: int) -> list[int]:
    """Return how many rows of a batch each score gets."""
    shares = [score.share for score in VARIANTS[variant].values()]
    ends = [round(batch * end / sum(shares)) for end in accumulate(shares)]
    return [end - start for start, end in pairwise([0, *ends])]


def choose(variant: str, u: Tensor) -> Tensor:
    """Choose a score, by its number, for each of uniforms `(replicates, …)`, by the scores' odds (the paper)."""
    odds = [score.odds for score in VARIANTS[variant].values()]
    scores = torch.zeros_like(u, dtype=torch.int64)
    for passed in list(accumulate(odds))[:-1]:
        scores += u >= passed / sum(odds)
    return scores


@dataclass(frozen=True)
class Masks:
    """What each score diffuses, conditions on and marginalizes: one row per score of a variant, floats 0 or 1."""

    diffused: Tensor
    """`(scores, dim_x + dim_y)`: coordinates fed noisy; the loss counts only these."""
    conditioned: Tensor
    """`(scores, dim_x + dim_y)`: coordinates fed clean."""
    time_diffused: Tensor
    """`(scores, 2)`: time inputs that are t."""
    time_marginalized: Tensor
    """`(scores, 2)`: time inputs that are 1."""

    def network_input(self, clean: Tensor, noisy: Tensor, t: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Assemble the network's input: variables `(replicates, batch, dim)` and times `(replicates, batch, 2)`.

        `t` has shape `(replicates, batch)`; `scores` are the score indices of a :class:`Selection`.
        """
        variables = self.diffused[scores] * noisy + self.conditioned[scores] * clean
        times = self.time_diffused[scores] * t.unsqueeze(-1) + self.time_marginalized[scores]
        return variables, times


def masks(variant: str, dim_x: int, dim_y: int, device: torch.device) -> Masks:
    """Build the masks of a variant for variables of the given dimensions."""

    def rows(role: Role, repeat_x: int, repeat_y: int) -> Tensor:
        scores = VARIANTS[variant].values()
        return torch.tensor(
            [[s.x == role] * repeat_x + [s.y == role] * repeat_y for s in scores], dtype=torch.float32, device=device
        )

    return Masks(
        diffused=rows("diffused", dim_x, dim_y),
        conditioned=rows("conditioned", dim_x, dim_y),
        time_diffused=rows("diffused", 1, 1),
        time_marginalized=rows("marginalized", 1, 1),
    )


def predicted_coordinates(variant: str, dim_x: int, dim_y: int) -> slice:
    """Return which coordinates a variant's network predicts: all up to the last that one of its scores diffuses."""
    return slice(0, max(diffused_coordinates(variant, score, dim_x, dim_y).stop for score in VARIANTS[variant]))


def diffused_coordinates(variant: str, score: str, dim_x: int, dim_y: int) -> slice:
    """Return which of the `dim_x + dim_y` coordinates a score diffuses, and so predicts."""
    roles = VARIANTS[variant][score]
    start = 0 if roles.x == "diffused" else dim_x
    return slice(start, dim_x + dim_y if roles.y == "diffused" else dim_x)
