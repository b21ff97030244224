"""The Gaussian base: exact noise predictions for a Gaussian with the samples' mean and covariance.

A network that predicts the residual to it starts at the best linear-Gaussian answer and learns only what is not
Gaussian. A Gaussian stays one along the forward process: with mean m and covariance Σ,
`w = (k_t² Σ + s_t²)^-½ (x_t - k_t m)` is white, and `E[z | x_t] = s_t (k_t² Σ + s_t²)^-½ w`. The root is the
symmetric one, which is unique: networks learn from w, and the signs of eigenvectors depend on the library.

The white coordinates are also inputs of the network: if the data lie close to a line or a plane, like x given y when
mutual information is large, they show the small deviations from it at the same scale as everything else.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .conditioning import VARIANTS, diffused_coordinates
from .sde import SDE


@dataclass(frozen=True)
class GaussianScore:
    """One score of a Gaussian, in closed form."""

    diffused: slice
    """Coordinates that the score predicts."""
    conditioned: slice
    """Coordinates that it conditions on; empty for marginal and joint scores."""
    mean: Tensor
    """`(replicates, 1, dim)`, of all coordinates."""
    gain: Tensor
    """`(replicates, conditioned, diffused)`: the conditional mean shifts by `(c - E[c]) @ gain`."""
    eigenvalues: Tensor
    """`(replicates, 1, diffused)`, of the (conditional) covariance."""
    basis: Tensor
    """`(replicates, diffused, diffused)`: its eigenvectors, in columns."""

    def predict(self, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return w and E[z | x_t, c] of the diffused coordinates, each `(replicates, batch, diffused)`."""
        k = sde.mean_scale(t).unsqueeze(-1)
        variance = sde.variance(t).unsqueeze(-1)
        centre = self.mean[..., self.diffused]
        if self.gain.shape[1]:
            centre = centre + (clean - self.mean)[..., self.conditioned] @ self.gain
        scale = (k**2 * self.eigenvalues + variance).rsqrt()
        along = ((noisy[..., self.diffused] - k * centre) @ self.basis) * scale
        return along @ self.basis.mT, (along * (variance.sqrt() * scale)) @ self.basis.mT


def fit_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean `(replicates, dim)` and covariance `(replicates, dim, dim)` of `(replicates, n, dim)`."""
    mean = x.mean(dim=1)
    centred = x - mean.unsqueeze(1)
    return mean, centred.mT @ centred / (x.shape[1] - 1)


def gaussian_moments(x: Tensor, dim_x: int) -> tuple[Tensor, Tensor]:
    """Return :func:`fit_moments`, without the correlation that chance adds: the moments of a base."""
    mean, covariance = fit_moments(x)
    if not covariance.isfinite().all():  # training will raise
        return mean, covariance
    return mean, without_chance(covariance, x.shape[1], dim_x)


def without_chance(covariance: Tensor, n: int | Tensor, dim_x: int) -> Tensor:
    """Return covariances `(replicates, dim, dim)` of n samples without the correlation of x and y that chance adds.

    `n` may be a tensor `(replicates, 1)`; `dim_x` may equal dim.

    In n samples, independent variables of many coordinates are correlated. If a few of the distribution's canonical
    correlations are not zero, a sample's are found, squared, near `(r (1 - a) + a) (r (1 - b) + b) / r` for each
    squared one r, with a and b the dimensions of x and y divided by n; those by chance end at `(√(a (1 - b)) +
    √(b (1 - a)))²` (Bao, Hu, Pan, Zhou, 2019). So each is replaced by its r, or by zero below that end. With as many
    coordinates as samples, chance correlates perfectly, and nothing is left. Each variable's own covariance stays.
    """
    if dim_x == covariance.shape[-1]:
        return covariance
    adjusted = covariance.double().cpu()  # a GPU would first load cuSOLVER, for a few small matrices
    of_x, of_y = slice(None, dim_x), slice(dim_x, None)
    rounding = covariance.shape[-1] * torch.finfo(covariance.dtype).eps
    root_x, inverse_x, rank_x = _roots(adjusted[:, of_x, of_x], rounding)
    root_y, inverse_y, rank_y = _roots(adjusted[:, of_y, of_y], rounding)
    left, found, right = torch.linalg.svd(inverse_x @ adjusted[:, of_x, of_y] @ inverse_y, full_matrices=False)
    a, b = rank_x / (n - 1), rank_y / (n - 1)
    by_chance = torch.where(a + b < 1, ((a * (1 - b)).sqrt() + (b * (1 - a)).sqrt()).square(), torch.inf)
    # The larger solution r of the equation above.
    half = (found.square() - a * (1 - b) - b * (1 - a)) / 2
    root = (half.square() - (1 - a) * (1 - b) * a * b).clamp(min=0).sqrt()
    squared = torch.where(found.square() > by_chance, (half + root) / ((1 - a) * (1 - b)), 0)
    cross = root_x @ (left * squared.clamp(0, 1).sqrt().unsqueeze(1)) @ right @ root_y
    adjusted[:, of_x, of_y], adjusted[:, of_y, of_x] = cross, cross.mT
    return adjusted.to(covariance)


def _roots(covariance: Tensor, rounding: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return square root, inverse root and rank `(replicates, 1)` of covariances.

    Directions that are zero but for rounding are left out.
    """
    eigenvalues, basis = torch.linalg.eigh(covariance)
    is_there = eigenvalues > rounding * eigenvalues.amax(dim=1, keepdim=True)
    root, inverse = (
        torch.where(is_there, values, 0).unsqueeze(1) for values in (eigenvalues.sqrt(), eigenvalues.rsqrt())
    )
    rank = is_there.sum(dim=1, keepdim=True, dtype=covariance.dtype)
    return (basis * root) @ basis.mT, (basis * inverse) @ basis.mT, rank


def gaussian_scores(variant: str, mean: Tensor, covariance: Tensor, dim_x: int) -> dict[str, GaussianScore]:
    """Build every score of a variant for a Gaussian of the given moments (shapes as in :func:`fit_moments`)."""
    dim = mean.shape[1]
    rounding = dim * torch.finfo(mean.dtype).eps
    covariance = covariance.double().cpu()  # as in without_chance

    def build(name: str) -> GaussianScore:
        diffused = diffused_coordinates(variant, name, dim_x, dim - dim_x)
        given_x, given_y = (role == "conditioned" for role in (VARIANTS[variant][name].x, VARIANTS[variant][name].y))
        conditioned = slice(0, dim_x) if given_x else slice(dim_x, dim) if given_y else slice(0, 0)
        cross = covariance[:, conditioned, diffused]
        # A pseudo-inverse instead of solve: columns may be collinear, and what they share counts once.
        gain = torch.linalg.pinv(covariance[:, conditioned, conditioned], rtol=rounding, hermitian=True) @ cross
        eigenvalues, basis = torch.linalg.eigh(covariance[:, diffused, diffused] - cross.mT @ gain)
        # Rounding can make a singular covariance slightly negative; the noise variance is added to it anyway.
        eigenvalues = eigenvalues.clamp(min=0).unsqueeze(1)
        return GaussianScore(
            diffused, conditioned, mean.unsqueeze(1), gain.to(mean), eigenvalues.to(mean), basis.to(mean)
        )

    return {name: build(name) for name in VARIANTS[variant]}
