"""Maps of single coordinates, fitted on training samples; they leave mutual information unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Preprocess = Literal["none", "standardize", "gaussianize"]


@dataclass(frozen=True)
class Standardize:
    """`(x - mean) / std` per coordinate."""

    mean: Tensor
    """`(replicates, 1, dim)`."""
    std: Tensor
    """`(replicates, 1, dim)`."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map samples `(replicates, n, dim)`."""
        return (x - self.mean) / self.std


@dataclass(frozen=True)
class Gaussianize:
    """Rank to normal per coordinate: the empirical distribution function, then the normal quantile function.

    Between training samples the distribution function is linear; beyond them, where a share of 2/n of new samples
    lies, it is constant. Equal samples get the middle of their ranks.
    """

    ordered: Tensor
    """Training samples `(replicates, dim, n)`, sorted."""

    def __call__(self, x: Tensor) -> Tensor:
        """Map samples `(replicates, n, dim)`."""
        # One replicate at a time: their ranks take many times the memory of the samples.
        mapped = [_ranked(ordered, values.mT.contiguous()) for ordered, values in zip(self.ordered, x, strict=True)]
        return torch.stack([values.mT for values in mapped])


def _ranked(ordered: Tensor, values: Tensor) -> Tensor:
    """Map values `(dim, n)` of one replicate by its training samples, sorted `(dim, n_train)`."""
    n = ordered.shape[-1]
    n_below, n_up_to = (torch.searchsorted(ordered, values, right=right) for right in (False, True))
    upper = n_below.clamp(1, n - 1)
    below, above = ordered.gather(-1, upper - 1), ordered.gather(-1, upper)
    fraction = ((values - below) / (above - below).clamp(min=torch.finfo(values.dtype).tiny)).clamp(0, 1)
    # From 0 to n; the middle of a step for samples that are in the training set.
    rank = torch.where(n_up_to > n_below, (n_below + n_up_to) / 2.0, (upper - 0.5).double() + fraction)
    return torch.special.ndtri(rank / n).to(values.dtype)


def fit_preprocess(kind: Preprocess, x: Tensor, names: Sequence[str] | None = None) -> Standardize | Gaussianize:
    """Fit a map on training samples `(replicates, n, dim)`.

    Raises ValueError for an unknown kind, for a constant coordinate, which no map can give a spread, and for one whose
    variance overflows or underflows; `names` are what its message calls the coordinates.
    """
    mean, std = x.mean(dim=1, keepdim=True), x.std(dim=1, keepdim=True)
    if beyond := ((std == 0) | std.isinf()).nonzero().tolist():
        replicate, _, coordinate = beyond[0]
        own = x[replicate, :, coordinate]
        about = names[coordinate] if names else f"Coordinate {coordinate} of replicate {replicate}"
        if own.min() == own.max():
            raise ValueError(f"{about} is constant over {x.shape[1]} samples.")
        raise ValueError(
            f"{about} goes from {own.min():.3g} to {own.max():.3g}, and {own.dtype} cannot hold its variance; use "
            "other units, which do not change mutual information."
        )
    if kind == "none":
        return Standardize(torch.zeros_like(mean), torch.ones_like(std))
    if kind == "standardize":
        return Standardize(mean, std)
    if kind == "gaussianize":
        return Gaussianize(x.mT.contiguous().sort(dim=-1).values)
    raise ValueError(f"Unknown preprocess {kind!r}; expected none, standardize or gaussianize.")
