"""The mixture base: exact noise predictions for a mixture of Gaussians that is fitted to the samples.

To a network that starts at a single Gaussian, many clusters look like one broad blob for thousands of steps. Noise
turns a mixture into another one, whose components are those of before with noise of their own: with responsibilities
``r_i(x_t)``, ``E[z | x_t] = Σ_i r_i(x_t) E_i[z | x_t]``. Given the other variable, a component's weight is multiplied
by its density there. The white coordinates, which networks see, are those of the components, averaged alike.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .gaussian import GaussianScore, base_moments, gaussian_scores
from .sde import SDE

if TYPE_CHECKING:  # loaded only where a mixture is fitted
    import numpy as np
    from sklearn.mixture import GaussianMixture

COMPONENTS = 32
"""Most components of a mixture, and how many every mixture is filled up to, with ones of no weight."""

ROWS = 10_000  # of the samples that the mixture is fitted to
FEW_ROWS, FEW_COMPONENTS = 2000, 8  # tell that there are no clusters, as in most samples
TRIES = 5  # of the final fit, with other initial clusters: two may have begun as one
ITERATIONS = 20  # enough for what is apart; a network improves on the rest
REACH = 1.9  # of a component, in its standard deviations: √3 for pieces of a straight line, more where it bends
RIDGE = 1e-4  # added to variances of standardised samples: discrete columns have none within a cluster


@dataclass(frozen=True)
class MixtureScore:
    """One score of a mixture, in closed form."""

    diffused: slice
    """Coordinates that the score predicts."""
    conditioned: slice
    """Coordinates that it is given clean; empty for marginal and joint scores."""
    components: GaussianScore
    """Of every component; the first dimension is ``replicates * components``."""
    log_weights: Tensor
    """``(replicates, components, 1)``."""
    given: tuple[Tensor, Tensor]
    """Of what is given: means ``(replicates, components, 1, conditioned)``, and triangular inverse roots of covariances
    ``(replicates, components, conditioned, conditioned)``."""

    def predict(self, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return white coordinates and E[z | x_t, c] of the diffused ones, each ``(replicates, batch, diffused)``."""
        replicates, count, _ = self.log_weights.shape
        of_each = (values.repeat_interleave(count, dim=0) for values in (clean, noisy, t))
        white, noise = (part.unflatten(0, (replicates, count)) for part in self.components.predict(sde, *of_each))
        k, variance = (of_t[:, None, :, None] for of_t in (sde.mean_scale(t), sde.variance(t)))
        spread = k**2 * self.components.eigenvalues.unflatten(0, (replicates, count)) + variance
        log_density = -0.5 * (white.square() + spread.log()).sum(dim=-1)
        mean, inverse_root = self.given
        at = (clean[:, None, :, self.conditioned] - mean) @ inverse_root
        log_given = inverse_root.diagonal(dim1=2, dim2=3).log().sum(dim=2, keepdim=True) - 0.5 * at.square().sum(dim=-1)
        share = (self.log_weights + log_given + log_density).softmax(dim=1).unsqueeze(-1)
        return (share * white).sum(dim=1), (share * noise).sum(dim=1)


def mixture_moments(x: Tensor, dim_x: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, covariances and weights of a mixture for samples ``(replicates, n, dim)``.

    They have shape ``(replicates, COMPONENTS, dim)``, ``(…, dim, dim)`` and ``(replicates, COMPONENTS)``. Each
    replicate has as many components as the integrated completed likelihood favours (Biernacki, Celeux, Govaert, 2000),
    which counts clusters: it is the Bayesian information criterion with a penalty for rows that components share, as
    they do where one cluster has another shape than a Gaussian's. Of those, the pieces of a curved line become one
    component again. Where one is left, it is the Gaussian base.

    Only the first of the samples are looked at, which must be in random order.
    """
    mean, covariance = base_moments(x, dim_x)
    means = mean.unsqueeze(1).repeat(1, COMPONENTS, 1)
    covariances = covariance.unsqueeze(1).repeat(1, COMPONENTS, 1, 1)
    weights = torch.zeros(len(x), COMPONENTS, dtype=x.dtype, device=x.device)
    weights[:, 0] = 1
    for replicate, samples in enumerate(x[:, :ROWS]):
        if samples.isfinite().all() and (found := _fit(samples)) is not None:
            for of_all, own in zip((means, covariances, weights), found, strict=True):
                of_all[replicate, : len(own)] = own
    return means, covariances, weights


def _fit(samples: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return means, covariances and weights of several Gaussians for samples ``(n, dim)``; None where one is enough."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    rows = samples.double().cpu().numpy()
    with warnings.catch_warnings(), threadpool_limits(1):  # their number would decide how sums are rounded
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is only where the network starts from
        if _count(rows[:FEW_ROWS], FEW_COMPONENTS) == 1:
            return None
        found = _mixture(rows, _count(rows, COMPONENTS), tries=TRIES)
        means, covariances, weights = _join(*map(torch.from_numpy, (found.means_, found.covariances_, found.weights_)))
    return None if len(weights) == 1 else (means, covariances, weights)


def _count(rows: "np.ndarray", most: int) -> int:
    """Return the number of components that the criterion favours.

    It is doubled while that is better, or few have been tried, then moved by smaller and smaller steps.
    """
    most = max(min(most, len(rows) // 10), 1)

    @cache
    def criterion(count: int) -> float:
        found = _mixture(rows, count)
        shares = torch.from_numpy(found.predict_proba(rows))
        return found.bic(rows) + 2 * float(torch.special.entr(shares).sum())

    best = count = 1
    while (count := 2 * count) <= most and (count <= FEW_COMPONENTS or count == 2 * best):
        best = min(best, count, key=criterion)
    step = best // 4
    while step:
        best = min((best, best - step, min(best + step, most)), key=criterion)
        step //= 2
    return best


def _mixture(rows: "np.ndarray", count: int, tries: int = 1) -> "GaussianMixture":
    """Fit so many components, the likeliest of some tries."""
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(count, reg_covar=RIDGE, n_init=tries, max_iter=ITERATIONS, random_state=0).fit(rows)


def _join(means: Tensor, covariances: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Join components that continue each other, as pieces of a curved line do: between them the data have no valley.

    Along the direction that discriminates best between two components (Fisher's), each is taken for a uniform segment.
    They continue each other where the segments meet and neither holds the other's middle, as those of layers would,
    which heavy tails or a dense spot have.
    """
    apart = means.unsqueeze(1) - means
    # One after the other: all pairs of covariances of many columns would fill the memory.
    solved = [torch.linalg.solve(own + covariances, offset) for own, offset in zip(covariances, apart, strict=True)]
    direction = torch.stack(solved)
    distance = (apart * direction).sum(dim=2)
    reach = REACH * ((direction @ covariances) * direction).sum(dim=2).sqrt()  # [i, j]: how far i reaches towards j
    meet = (distance > torch.maximum(reach, reach.mT)) & (distance <= reach + reach.mT)
    # Whatever a chain of them leads to; then a row for each set of them.
    linked = torch.linalg.matrix_power((meet | meet.mT).to(weights) + torch.eye(len(weights)), len(weights)) > 0
    share = linked.unique(dim=0) * weights
    weights = share.sum(dim=1)
    share = share / weights.unsqueeze(1)
    centres = share @ means
    offsets = means - centres.unsqueeze(1)
    within = torch.einsum("gi,ide->gde", share, covariances)
    return centres, within + (share.unsqueeze(2) * offsets).mT @ offsets, weights


def needed_components(means: Tensor, covariances: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Leave out the components that no replicate needs: they add zeros, and no rounding."""
    needed = int((weights > 0).any(dim=0).sum())
    return means[:, :needed], covariances[:, :needed], weights[:, :needed]


def mixture_scores(
    variant: str, means: Tensor, covariances: Tensor, weights: Tensor, dim_x: int
) -> dict[str, MixtureScore] | dict[str, GaussianScore]:
    """Build every score of a variant for a mixture (shapes as :func:`mixture_moments` returns them)."""
    means, covariances, weights = needed_components(means, covariances, weights)
    if weights.shape[1] == 1:
        return gaussian_scores(variant, means[:, 0], covariances[:, 0], dim_x)

    def build(components: GaussianScore) -> MixtureScore:
        given = components.conditioned
        covariance = covariances[..., given, given].double()
        covariance = covariance + RIDGE * torch.eye(covariance.shape[-1], device=means.device)
        inverse_root = torch.linalg.inv(torch.linalg.cholesky(covariance)).mT.to(means)
        log_weights = weights.log().unsqueeze(-1)
        return MixtureScore(
            components.diffused, given, components, log_weights, (means[..., given].unsqueeze(2), inverse_root)
        )

    of_components = gaussian_scores(variant, means.flatten(0, 1), covariances.flatten(0, 1), dim_x)
    return {name: build(components) for name, components in of_components.items()}
