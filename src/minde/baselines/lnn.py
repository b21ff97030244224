"""LNN: local nearest neighbours, entropies from Gaussians fitted around every sample (Gao, Oh and Viswanath 2016).

I(X; Y) = H(X) + H(Y) - H(X, Y). benchmark-mi calls the R package `rmi`, through a script that is missing from its
wheel; these are the same local fits in numpy, with the paper's bias correction, which `rmi` leaves out (it finds 0.4 of
0.5 nats between two correlated normals), and with its rule for singular local covariances.
"""

import math
from collections.abc import Iterable, Iterator
from functools import cache, partial

import numpy as np
from scipy.spatial import cKDTree

from .interface import Outcome, Replicate, one_by_one

CHUNK_ROWS = 500  # whose local covariances are held in memory together: 500 of 100 x 100 doubles are 40 MB
USABLE = 0.99  # share of samples that must have a local fit: entropies over different samples do not add up
SMALLEST_DETERMINANT = 1e-4  # to the power of the dimension, in local bandwidths; fits below it are left out
BIAS_DRAWS = 20_000  # neighbourhoods drawn for the bias, for an error of about 0.003 nats


def lnn(replicates: Iterable[Replicate], *, neighbors: int, truncation: int) -> Iterator[Outcome]:
    """Estimate each replicate's test split, with the distance to the `neighbors`-th nearest sample as local bandwidth
    and the `truncation` nearest ones in each local fit.

    There is no estimate if more than a few local covariances are singular, as with more coordinates than neighbours, or
    with rounded values. Raises ValueError if a replicate has too few rows, or if `neighbors` is larger than
    `truncation`.
    """
    if neighbors > truncation:
        raise ValueError(f"neighbors {neighbors} must be at most truncation {truncation}")
    return one_by_one(replicates, partial(mutual_information, neighbors=neighbors, truncation=truncation))


def mutual_information(x: np.ndarray, y: np.ndarray, neighbors: int, truncation: int) -> float | str:
    """Return the mutual information in nats of x `(rows, dim_x)` and y `(rows, dim_y)`, or why there is none."""
    # Standardized, so that units do not matter.
    x, y = (rows / np.where(rows.std(axis=0) > 0, rows.std(axis=0), 1) for rows in (x, y))
    parts = {"(x, y)": np.concatenate([x, y], axis=1), "x": x, "y": y}
    entropies = {}
    for name, samples in parts.items():
        entropies[name], usable = entropy(samples, neighbors, truncation)
        if usable < USABLE:
            found = f"{truncation} neighbours in {samples.shape[1]} dimensions"
            return f"local covariances of {name} are singular at {1 - usable:.0%} of the samples: {found}"
    return entropies["x"] + entropies["y"] - entropies["(x, y)"]


def entropy(samples: np.ndarray, neighbors: int, truncation: int) -> tuple[float, float]:
    """Return the differential entropy in nats of `(rows, dim)`, and the share of samples that it averages over.

    Those are the samples whose local covariance is not singular; the entropy is NaN if there are none.
    """
    rows, dim = samples.shape
    if rows <= truncation:
        raise ValueError(f"truncation {truncation} needs more than {truncation} rows, found {rows}")
    if dim >= truncation + 1:
        return math.nan, 0.0
    tree, local = cKDTree(samples), []
    for first in range(0, rows, CHUNK_ROWS):
        chunk = samples[first : first + CHUNK_ROWS]
        distances, nearest = tree.query(chunk, truncation + 1)  # the nearest is the sample itself
        bandwidth = distances[:, neighbors]
        distinct = bandwidth > 0
        offsets = (samples[nearest] - chunk[:, None])[distinct] / bandwidth[distinct, None, None]
        fits = local_fits(offsets) - math.log(rows - 1) - dim * np.log(bandwidth[distinct])
        local.append(fits[np.isfinite(fits)])
    log_densities = np.concatenate(local)
    if not len(log_densities):
        return math.nan, 0.0
    return float(bias(dim, neighbors, truncation) - log_densities.mean()), len(log_densities) / rows


def local_fits(offsets: np.ndarray) -> np.ndarray:
    """Return the log of the weighted mass times the fitted Gaussian's density at the sample, `(n,)`; -inf if singular.

    `offsets` are those of the neighbours, including the sample itself, in bandwidths: `(n, neighbours, dim)`.
    """
    dim = offsets.shape[2]
    weights = np.exp(-0.5 * np.square(offsets).sum(axis=2))
    mass = weights.sum(axis=1)
    mean = np.einsum("rn,rnd->rd", weights, offsets) / mass[:, None]
    second = (weights[:, :, None] * offsets).transpose(0, 2, 1) @ offsets / mass[:, None, None]
    covariance = second - mean[:, :, None] * mean[:, None, :]
    sign, log_determinant = np.linalg.slogdet(covariance)
    singular = (sign <= 0) | (log_determinant < dim * math.log(SMALLEST_DETERMINANT))
    covariance[singular] = np.eye(dim)
    distance = np.einsum("rd,rd->r", mean, np.linalg.solve(covariance, mean[:, :, None])[:, :, 0])
    fits = np.log(mass) - 0.5 * (dim * math.log(2 * math.pi) + log_determinant + distance)
    return np.where(singular, -np.inf, fits)


@cache
def bias(dim: int, neighbors: int, truncation: int) -> float:
    """Return the mean log of fitted over true density, which for many samples depends only on these three (theorem 1).

    The neighbours of a sample lie in uniform directions; the volumes of their balls are arrivals of a Poisson process.
    """
    rng = np.random.default_rng(0)
    fits = []
    for _ in range(0, BIAS_DRAWS, CHUNK_ROWS):
        volumes = rng.standard_exponential((CHUNK_ROWS, truncation)).cumsum(axis=1)
        directions = rng.standard_normal((CHUNK_ROWS, truncation, dim))
        directions /= np.linalg.norm(directions, axis=2, keepdims=True)
        radii = (volumes / volumes[:, neighbors - 1, None]) ** (1 / dim)
        offsets = np.concatenate([np.zeros((CHUNK_ROWS, 1, dim)), radii[:, :, None] * directions], axis=1)
        fits.append(local_fits(offsets) - np.log(volumes[:, neighbors - 1]))
    drawn = np.concatenate(fits)
    unit_ball = 0.5 * dim * math.log(math.pi) - math.lgamma(0.5 * dim + 1)
    return float(drawn[np.isfinite(drawn)].mean() + unit_ball)
