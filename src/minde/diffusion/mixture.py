"""The mixture base: exact noise predictions for a mixture of Gaussians that is fitted to the samples.

To a network that starts at a single Gaussian, many clusters look like one broad blob for thousands of steps. Noise
turns a mixture into another one, whose components are those of before with noise of their own: with responsibilities
``r_i(x_t)``, ``E[z | x_t] = Σ_i r_i(x_t) E_i[z | x_t]``. Given the other variable, a component's weight is multiplied
by its density there. The white coordinates, which networks see, are those of the components, averaged alike.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .gaussian import GaussianScore, base_moments, gaussian_scores
from .sde import SDE

if TYPE_CHECKING:  # loaded only where a mixture is fitted
    from sklearn.mixture import GaussianMixture

COMPONENTS = 32
"""Most components of a mixture, and how many every mixture is filled up to, with ones of no weight."""

ROWS = 10_000  # of the samples that the mixture is fitted to
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
    replicate has as many components as the Bayesian information criterion favours (Schwarz, 1978); where that is one,
    it is the Gaussian base.
    """
    mean, covariance = base_moments(x, dim_x)
    means = mean.unsqueeze(1).repeat(1, COMPONENTS, 1)
    covariances = covariance.unsqueeze(1).repeat(1, COMPONENTS, 1, 1)
    weights = torch.zeros(len(x), COMPONENTS, dtype=x.dtype, device=x.device)
    weights[:, 0] = 1
    for replicate, samples in enumerate(x[:, :ROWS]):
        if samples.isfinite().all() and (found := _fit(samples)) is not None:
            count = len(found.weights_)
            for of_all, own in ((means, found.means_), (covariances, found.covariances_), (weights, found.weights_)):
                of_all[replicate, :count] = torch.from_numpy(own).to(of_all)
    return means, covariances, weights


def _fit(samples: Tensor) -> "GaussianMixture | None":
    """Fit a mixture of several Gaussians to samples ``(n, dim)``; return None where the criterion favours a single one.

    Their number is doubled while that is better, then moved by smaller and smaller steps.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    rows, tried = samples.double().cpu().numpy(), {}

    def criterion(count: int) -> float:
        if count not in tried:
            found = GaussianMixture(count, reg_covar=RIDGE, random_state=0).fit(rows)
            tried[count] = found, found.bic(rows)
        return tried[count][1]

    most = min(COMPONENTS, len(rows) // 10)
    with warnings.catch_warnings(), threadpool_limits(1):  # their number would decide how sums are rounded
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is only where the network starts from
        best = 1
        while 2 * best <= most and criterion(2 * best) < criterion(best):
            best *= 2
        step = best // 4
        while step:
            best = min((best, best - step, min(best + step, most)), key=criterion)
            step //= 2
    return tried[best][0] if best > 1 else None


def mixture_scores(
    variant: str, means: Tensor, covariances: Tensor, weights: Tensor, dim_x: int
) -> dict[str, MixtureScore]:
    """Build every score of a variant for a mixture (shapes as :func:`mixture_moments` returns them).

    Of the components that fill it up, only those stay that another replicate needs: they add zeros, and no rounding.
    """
    needed = int((weights > 0).any(dim=0).sum())
    means, covariances, weights = (part[:, :needed] for part in (means, covariances, weights))

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
