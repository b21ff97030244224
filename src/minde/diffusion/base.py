"""The base of a network: a closed-form noise prediction; the network learns the residual."""

from typing import Literal

import torch
from torch import Tensor

from .conditioning import Selection
from .gaussian import GaussianScore, gaussian_moments, gaussian_scores
from .mixture import MixtureScore, mixture_moments, mixture_scores, needed_components
from .sde import SDE

Moments = dict[str, Tensor]
"""Moments of a base: the `mean` and `covariance` of a Gaussian; those of a mixture, and its `weights`; or nothing."""

MIXTURE = ("mean", "covariance", "weights")

Base = dict[str, GaussianScore | MixtureScore]
"""The closed-form prediction for every score of a variant; empty without a base."""


def fit_base(kind: Literal["none", "gaussian", "mixture"], x: Tensor, dim_x: int) -> Moments:
    """Return the moments of a base, fitted to samples `(replicates, n, dim_x + dim_y)`."""
    match kind:
        case "none":
            return {}
        case "gaussian":
            return dict(zip(("mean", "covariance"), gaussian_moments(x, dim_x), strict=True))
        case "mixture":
            return dict(zip(MIXTURE, mixture_moments(x, dim_x), strict=True))
    raise ValueError(f"base is {kind!r}; expected none, gaussian or mixture")


def compact(moments: Moments) -> Moments:
    """Return the same base without the padding that stacks need, as files and fitted estimators keep it."""
    if "weights" not in moments:
        return moments
    return dict(zip(MIXTURE, needed_components(*(moments[name] for name in MIXTURE)), strict=True))


def base_scores(variant: str, moments: Moments, dim_x: int) -> Base:
    """Build a base from its moments."""
    if not moments:
        return {}
    if "weights" in moments:
        return mixture_scores(variant, *(moments[name] for name in MIXTURE), dim_x)
    return gaussian_scores(variant, moments["mean"], moments["covariance"], dim_x)


def base_predictions(
    scores: Base, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor, selection: Selection
) -> tuple[Tensor, Tensor]:
    """Return white coordinates and noise of each row's selected score, each `(replicates, batch, dim)`.

    Coordinates that a score does not predict are zero.
    """
    white, noise = torch.zeros_like(noisy), torch.zeros_like(noisy)
    for index, score in enumerate(scores.values()):
        if selection.groups is None:
            chosen = (selection.scores == index).unsqueeze(-1)
            for total, part in zip((white, noise), score.predict(sde, clean, noisy, t), strict=True):
                total[..., score.diffused] += chosen * part
        elif index in selection.groups:
            rows = selection.groups[index]
            parts = score.predict(sde, clean[:, rows], noisy[:, rows], t[:, rows])
            white[:, rows, score.diffused], noise[:, rows, score.diffused] = parts
    return white, noise
