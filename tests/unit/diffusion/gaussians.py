"""A correlated Gaussian in closed form, written independently of the package."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from minde.diffusion.sde import SDE

SLICES = {"x": lambda dx, d: slice(0, dx), "y": lambda dx, d: slice(dx, d), "xy": lambda dx, d: slice(0, d)}
QUESTIONS = {  # score -> (diffused, conditioned)
    "marginal": ("x", None),
    "conditional": ("x", "y"),
    "joint": ("xy", None),
    "x_given_y": ("x", "y"),
    "y_given_x": ("y", "x"),
}
ENTROPIES = {"x": ("x", None), "y": ("y", None), "xy": ("xy", None), "x|y": ("x", "y"), "y|x": ("y", "x")}


@dataclass
class Gaussian:
    """Zero-mean Gaussian of `(x, y)` with the given covariance; the first `dim_x` coordinates are x."""

    covariance: Tensor
    dim_x: int

    @property
    def dim(self) -> int:
        return len(self.covariance)

    def _part(self, name: str) -> slice:
        return SLICES[name](self.dim_x, self.dim)

    def conditional_covariance(self, of: str, given: str | None) -> Tensor:
        own = self.covariance[self._part(of), self._part(of)]
        if given is None:
            return own
        cross = self.covariance[self._part(of), self._part(given)]
        return own - cross @ torch.linalg.inv(self.covariance[self._part(given), self._part(given)]) @ cross.T

    def entropy(self, name: str) -> float:
        covariance = self.conditional_covariance(*ENTROPIES[name])
        return 0.5 * (len(covariance) * math.log(2 * math.pi * math.e) + torch.logdet(covariance).item())

    @property
    def mutual_information(self) -> float:
        logdets = [torch.logdet(self.covariance[self._part(v), self._part(v)]).item() for v in ("x", "y", "xy")]
        return 0.5 * (logdets[0] + logdets[1] - logdets[2])

    def sample(self, replicates: int, n: int, seed: int) -> Tensor:
        z = torch.randn(replicates, n, self.dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return z @ torch.linalg.cholesky(self.covariance).T

    def noise(self, sde: SDE, clean: Tensor, noisy: Tensor, t: Tensor, score: str) -> Tensor:
        """E[z | x_t, condition] = -s_t score, by solving with the covariance of x_t at every single time."""
        of, given = QUESTIONS[score]
        own = self._part(of)
        mean = torch.zeros_like(noisy[..., own])
        if given is not None:
            inverse = torch.linalg.inv(self.covariance[self._part(given), self._part(given)])
            mean = clean[..., self._part(given)] @ (self.covariance[own, self._part(given)] @ inverse).T
        k, variance = sde.mean_scale(t)[..., None, None], sde.variance(t)[..., None, None]
        at_t = k**2 * self.conditional_covariance(of, given) + variance * torch.eye(mean.shape[-1], dtype=mean.dtype)
        solved = torch.linalg.solve(at_t, (noisy[..., own] - k[..., 0] * mean).unsqueeze(-1)).squeeze(-1)
        return variance[..., 0].sqrt() * solved


def gaussian_with(mutual_information: float, dim: int, *, pairs: int | None = None) -> Gaussian:
    """`dim` + `dim` coordinates of unit variance; `pairs` of them are correlated, equally, for the given MI.

    A fixed rotation of x and of y hides the pairs from anything that works by coordinate; it changes no MI.
    """
    pairs = pairs or dim
    rho = math.sqrt(1 - math.exp(-2 * mutual_information / pairs))
    covariance = torch.eye(2 * dim, dtype=torch.float64)
    for i in range(pairs):
        covariance[i, dim + i] = covariance[dim + i, i] = rho
    generator = torch.Generator().manual_seed(0)
    rotations = [torch.linalg.qr(torch.randn(dim, dim, generator=generator, dtype=torch.float64)).Q for _ in range(2)]
    rotation = torch.block_diag(*rotations)
    return Gaussian(rotation @ covariance @ rotation.T, dim)
