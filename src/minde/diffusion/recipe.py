"""Recipes: settings of training."""

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

ROWS_PER_COLUMN = 400  # with fewer training samples, networks memorize them: see Recipe.decay


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of training. The study's recipes, with the sources of their numbers, are in its config."""

    steps: int
    """Steps of Adam."""
    batch_size: int
    """Samples per step and replicate."""
    learning_rate: float
    """Adam's learning rate, at its highest."""
    weight_decay: float
    """Decay of the parameters, decoupled (Loshchilov and Hutter, 2019), for many samples: see :meth:`decay`."""
    schedule: Literal["constant", "cosine"]
    """Learning rate over the steps: constant (the paper) or a half cosine down to zero."""
    ema_decay: float
    """Decay per step of the average of the parameters, which estimation uses; smaller in the first steps."""
    score_choice: Literal["per_batch", "per_sample"]
    """One score for a whole batch, at random (the paper), or a fixed share of every batch for each score."""
    times: Literal["iid", "stratified"]
    """Times drawn independently (the paper), or one in each of equal shares of their distribution."""

    def __post_init__(self) -> None:
        """Raise ValueError for invalid choices, which would otherwise train as another one."""
        for field in fields(self):
            found, choices = getattr(self, field.name), get_args(field.type)
            if choices and found not in choices:
                raise ValueError(f"Recipe: {field.name} is {found!r}; expected one of {', '.join(choices)}.")

    def decay(self, n: int, dim: int) -> float:
        """Return the decay of the parameters per step, in learning rates, for n training samples of dim coordinates.

        Like a prior, it is outweighed by many samples. Below ROWS_PER_COLUMN samples per coordinate it grows with the
        inverse square of their number: in 10 + 10 coordinates, 800 normals need ten times as much, but in 1 + 1, where
        there is little to recognize a sample by, as much hides what is not Gaussian. At most it sets parameters to 0.
        """
        decay = self.weight_decay / n * max(1.0, ROWS_PER_COLUMN * dim / n)
        return min(decay, 1 / self.learning_rate)  # AdamW multiplies by 1 - rate * decay, which must not be negative

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from zero."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def ema_decay_at(self, step: int) -> float:
        """Return the average's decay at a step: a short memory first, to forget the initial parameters."""
        return min(self.ema_decay, (1 + step) / (10 + step))
