"""The forward process of the paper: the variance-preserving SDE and its Gaussian transition."""

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True, kw_only=True)
class SDE:
    """The variance-preserving SDE `dX = -½ β(t) X dt + sqrt(β(t)) dW` on 0 ≤ t ≤ 1, `β(t)` linear.

    Its transition is `p(x_t | x_0) = N(k_t x_0, s_t² I)` with `k_t = exp(-½ ∫₀ᵗ β)` and `s_t² = 1 - k_t²`.
    """

    beta_min: float = 0.1
    """β(0), per unit of time."""
    beta_max: float = 20.0
    """β(1), per unit of time."""

    def __post_init__(self) -> None:
        """Raise ValueError unless β is positive on the whole interval."""
        if not 0 < self.beta_min <= self.beta_max:
            raise ValueError(f"SDE: need 0 < beta_min <= beta_max, found {self.beta_min} and {self.beta_max}.")

    def beta(self, t: Tensor) -> Tensor:
        """Return β(t), elementwise."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def integrated_beta(self, t: Number) -> Number:
        """Return ∫₀ᵗ β, elementwise."""
        return t * (self.beta_min + 0.5 * t * (self.beta_max - self.beta_min))

    def mean_scale(self, t: Tensor) -> Tensor:
        """Return k_t, the factor on x_0 at time t, elementwise."""
        return torch.exp(-0.5 * self.integrated_beta(t))

    def variance(self, t: Tensor) -> Tensor:
        """Return s_t², the variance of the noise at time t; `expm1` keeps it accurate near t = 0."""
        return -torch.expm1(-self.integrated_beta(t))

    def perturb(self, clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return `x_t = k_t x_0 + s_t z`.

        `clean` and `noise` have shape `(replicates, batch, dim)`, `t` has shape `(replicates, batch)`.
        """
        t = t.unsqueeze(-1)
        return self.mean_scale(t) * clean + self.variance(t).sqrt() * noise
