"""The mixture base: noise predictions for a mixture of Gaussians that is fitted to the samples, exact up to RIDGE.

A network that starts at a single Gaussian does not separate many clusters for thousands of steps. With noise, a
mixture remains a mixture, of the same components with noise: with responsibilities `r_i(x_t)`, `E[z | x_t] = Σ_i
r_i(x_t) E_i[z | x_t]`. Given the other variable, a component's weight is multiplied by its density there. The white
coordinates, which networks see, are those of the components, averaged in the same way.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .gaussian import GaussianScore, gaussian_moments, gaussian_scores, without_chance
from .sde import SDE

if TYPE_CHECKING:  # loaded only if a mixture is fitted
    import numpy as np
    from sklearn.mixture import GaussianMixture

COMPONENTS = 32
"""Maximum number of components; mixtures with fewer are padded to it with components of zero weight."""

ROWS = 10_000  # samples that the mixture is fitted to
FEW_ROWS, FEW_COMPONENTS = 2000, 8  # for a first look: most samples have no clusters
DIRECTIONS = 10  # principal components in which clusters are looked for, since covariances of many need many rows
TRIES = 5  # initializations of the final fit: two clusters may start as one
ITERATIONS = 20  # enough for separate clusters; a network improves on the rest
REACH = 1.9  # half-length of a component, in its standard deviations: √3 for pieces of a straight line, more for bends
# Added to variances of standardized samples, since discrete columns have none within a cluster: those of the fit, and
# again those of the other variable where it weighs components (6e-4 in noise predictions, for variances above 0.2).
RIDGE = 1e-4


@dataclass(frozen=True)
class MixtureScore:
    """One score of a mixture, in closed form."""

    diffused: slice
    """Coordinates that the score predicts."""
    conditioned: slice
    """Coordinates that it conditions on; empty for marginal and joint scores."""
    components: GaussianScore
    """Scores of all components; the first dimension is `replicates * components`."""
    log_weights: Tensor
    """`(replicates, components, 1)`."""
    given: tuple[Tensor, Tensor]
    """Moments of the conditioned coordinates: means `(replicates, components, 1, conditioned)`, and triangular
    inverse roots of covariances `(replicates, components, conditioned, conditioned)`."""

    def predict(self, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return white coordinates and E[z | x_t, c] of the diffused ones, each `(replicates, batch, diffused)`."""
        replicates, count, _ = self.log_weights.shape
        repeated = (values.repeat_interleave(count, dim=0) for values in (clean, noisy, t))
        white, noise = (part.unflatten(0, (replicates, count)) for part in self.components.predict(sde, *repeated))
        k, variance = (values[:, None, :, None] for values in (sde.mean_scale(t), sde.variance(t)))
        spread = k**2 * self.components.eigenvalues.unflatten(0, (replicates, count)) + variance
        log_density = -0.5 * (white.square() + spread.log()).sum(dim=-1)
        mean, inverse_root = self.given
        at = (clean[:, None, :, self.conditioned] - mean) @ inverse_root
        log_given = inverse_root.diagonal(dim1=2, dim2=3).log().sum(dim=2, keepdim=True) - 0.5 * at.square().sum(dim=-1)
        share = (self.log_weights + log_given + log_density).softmax(dim=1).unsqueeze(-1)
        return (share * white).sum(dim=1), (share * noise).sum(dim=1)


def mixture_moments(x: Tensor, dim_x: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, covariances and weights of a mixture for samples `(replicates, n, dim)`.

    They have shape `(replicates, COMPONENTS, dim)`, `(…, dim, dim)` and `(replicates, COMPONENTS)`. Each
    replicate's number of components maximizes the integrated completed likelihood (Biernacki, Celeux, Govaert, 2000),
    which counts clusters: it is the Bayesian information criterion with a penalty for rows that components share, as
    they do if a cluster is not Gaussian. Components that are pieces of a curved line are then joined. A single
    remaining component is the Gaussian base.

    Components are found in the first samples, which must be in random order; all samples give their moments. As in the
    Gaussian base, these leave out the correlations that chance adds.
    """
    mean, covariance = gaussian_moments(x, dim_x)
    means = mean.unsqueeze(1).repeat(1, COMPONENTS, 1)
    covariances = covariance.unsqueeze(1).repeat(1, COMPONENTS, 1, 1)
    weights = torch.zeros(len(x), COMPONENTS, dtype=x.dtype, device=x.device)
    weights[:, 0] = 1
    for replicate, samples in enumerate(x):
        if samples.isfinite().all() and (found := _fit(samples, dim_x)) is not None:
            for stack, own in zip((means, covariances, weights), found, strict=True):
                stack[replicate, : len(own)] = own
    return means, covariances, weights


def _fit(samples: Tensor, dim_x: int) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return means, covariances and weights of several Gaussians for samples `(n, dim)`; None if one is enough."""
    from sklearn.decomposition import PCA
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    rows = samples.double().cpu().numpy()
    with warnings.catch_warnings(), threadpool_limits(1):  # the rounding of sums depends on threads
        warnings.simplefilter("ignore", ConvergenceWarning)  # the network only starts from it
        seen = rows
        if rows.shape[1] > DIRECTIONS:
            seen = PCA(DIRECTIONS, svd_solver="covariance_eigh").fit(rows[:ROWS]).transform(rows)
        if _count(seen[:FEW_ROWS], FEW_COMPONENTS) == 1:
            return None
        found = _mixture(seen[:ROWS], _count(seen[:ROWS], COMPONENTS), tries=TRIES)
        joined = _joined(*map(torch.from_numpy, (found.means_, found.covariances_)))
        return None if len(joined) == 1 else _moments(rows, found.predict_proba(seen) @ joined.numpy().T, dim_x)


def _moments(rows: "np.ndarray", shares: "np.ndarray", dim_x: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, covariances and weights of clusters to which the rows belong with shares `(n, clusters)`.

    They share one covariance, that of all rows about their means, but for those whose own is better by the Bayesian
    information criterion (regularized discriminant analysis): few rows do not show the shape of each cluster.
    """
    import numpy as np

    means = np.stack([np.average(rows, axis=0, weights=share) for share in shares.T])
    own = np.stack([np.atleast_2d(np.cov(rows, rowvar=False, ddof=0, aweights=share)) for share in shares.T])
    means, own, counts = map(torch.from_numpy, (means, own, shares.sum(axis=0)))
    common = (counts[:, None, None] * own).sum(dim=0) / len(rows)
    dim, ridge = rows.shape[1], RIDGE * torch.eye(rows.shape[1], dtype=own.dtype, device=own.device)
    # The log-likelihood that a cluster's own covariance gains over the common one.
    ratio = torch.linalg.solve(common + ridge, own + ridge)
    gain = counts / 2 * (ratio.diagonal(dim1=1, dim2=2).sum(dim=1) - dim - torch.linalg.slogdet(ratio).logabsdet)
    is_better = gain > dim * (dim + 1) / 4 * counts.log()
    is_own = is_better & (counts > 2 * dim)  # that of fewer rows may be almost singular
    covariances = torch.where(is_own[:, None, None], own, common)
    n = torch.where(is_own, counts, len(rows)).unsqueeze(1)
    return means, without_chance(covariances, n, dim_x) + ridge, counts / len(rows)


def _count(rows: "np.ndarray", most: int) -> int:
    """Return the number of components with the best criterion.

    It is doubled while that improves the criterion, or few have been tried, then refined in halving steps.
    """
    # A component with few rows of many columns is flat in some direction, where its density has no bound.
    most = max(min(most, len(rows) // max(10, 2 * rows.shape[1])), 1)

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
    """Fit a mixture of `count` components: the likeliest of `tries` fits."""
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(count, reg_covar=RIDGE, n_init=tries, max_iter=ITERATIONS, random_state=0).fit(rows)


def _joined(means: Tensor, covariances: Tensor) -> Tensor:
    """Return which components form each cluster, ones and zeros `(clusters, components)`.

    Components belong together if they continue each other, such as pieces of a curved line, with no gap in density
    between them. Along the direction that discriminates best between two components (Fisher's), each is treated as a
    uniform segment. They continue each other if the segments meet and neither contains the other's middle, as nested
    components of heavy tails or of a dense core do.
    """
    apart = means.unsqueeze(1) - means
    # One at a time: for many columns, the covariances of all pairs would fill the memory.
    solved = [torch.linalg.solve(own + covariances, offset) for own, offset in zip(covariances, apart, strict=True)]
    direction = torch.stack(solved)
    distance = (apart * direction).sum(dim=2)
    reach = REACH * ((direction @ covariances) * direction).sum(dim=2).sqrt()  # [i, j]: how far i reaches towards j
    meet = (distance > torch.maximum(reach, reach.mT)) & (distance <= reach + reach.mT)
    # The transitive closure; then one row for each set of joined components.
    itself = torch.eye(len(means), dtype=means.dtype, device=means.device)
    linked = torch.linalg.matrix_power((meet | meet.mT) + itself, len(means)) > 0
    return linked.unique(dim=0).to(means)


def needed_components(means: Tensor, covariances: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Drop the components that no replicate uses: they add exact zeros."""
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
        covariance = covariances[..., given, given].double().cpu()
        unit = torch.eye(covariance.shape[-1], dtype=torch.float32, device=covariance.device)
        covariance = covariance + RIDGE * unit
        inverse_root = torch.linalg.inv(torch.linalg.cholesky(covariance)).mT.to(means)
        log_weights = weights.log().unsqueeze(-1)
        return MixtureScore(
            components.diffused, given, components, log_weights, (means[..., given].unsqueeze(2), inverse_root)
        )

    scores = gaussian_scores(variant, means.flatten(0, 1), covariances.flatten(0, 1), dim_x)
    return {name: build(components) for name, components in scores.items()}
