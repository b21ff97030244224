"""The base of a network: a prediction of the noise that is known beforehand, to which the network's is added."""

from typing import Literal

import torch
from torch import Tensor

from .conditioning import Selection
from .gaussian import GaussianScore, base_moments, gaussian_scores
from .mixture import MixtureScore, mixture_moments, mixture_scores, needed_components
from .sde import SDE

Moments = tuple[Tensor, ...]
"""What a base is made of: mean and covariance of a Gaussian; those of components and their weights; or nothing."""

Base = dict[str, GaussianScore | MixtureScore]
"""What a base predicts for every score of a variant; empty where there is no base."""


def fit_base(kind: Literal["none", "gaussian", "mixture"], x: Tensor, dim_x: int) -> Moments:
    """Return what a base of a kind is made of, for samples ``(replicates, n, dim_x + dim_y)``."""
    return {"none": lambda *_: (), "gaussian": base_moments, "mixture": mixture_moments}[kind](x, dim_x)


def compact(moments: Moments) -> Moments:
    """Return the same base without what fills it up for stacks: what files and fitted estimators keep."""
    return needed_components(*moments) if len(moments) == 3 else moments


def base_scores(variant: str, moments: Moments, dim_x: int) -> Base:
    """Build a base from what it is made of."""
    if not moments:
        return {}
    return (gaussian_scores if len(moments) == 2 else mixture_scores)(variant, *moments, dim_x)


def base_predictions(
    scores: Base, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor, selection: Selection
) -> tuple[Tensor, Tensor]:
    """Return white coordinates and noise of each row's selected score, each ``(replicates, batch, dim)``.

    Coordinates that a score does not predict are zero.
    """
    white, noise = torch.zeros_like(noisy), torch.zeros_like(noisy)
    for index, score in enumerate(scores.values()):
        if selection.groups is None:
            chosen = (selection.rows == index).unsqueeze(-1)
            for total, part in zip((white, noise), score.predict(sde, clean, noisy, t), strict=True):
                total[..., score.diffused] += chosen * part
        elif index in selection.groups:
            rows = selection.groups[index]
            parts = score.predict(sde, clean[:, rows], noisy[:, rows], t[:, rows])
            white[:, rows, score.diffused], noise[:, rows, score.diffused] = parts
    return white, noise
