"""Two-dimensional data sets with known modes, the 25 Gaussians and the spiral, and how well samples cover them."""

import math
from typing import NamedTuple, Self

import torch
from torch import Tensor

from .networks import Draws

MODES = 25
"""Modes of each data set: the Gaussians, or arcs of equal length of the spiral."""

RADIUS = 4.0
"""Half of the width of each data set."""
TURNS = 2
"""Turns of the spiral."""
CENTRES_PER_MODE = 40
"""Centres on each arc of the spiral, close enough for a smooth line."""


class Pattern(NamedTuple):
    """Normal noise about a uniformly drawn centre."""

    centres: Tensor
    """`(centres, 2)`; each mode has the same number of consecutive ones."""
    sigma: float
    """Standard deviation of each coordinate about its centre."""

    def to(self, device: torch.device | str) -> Self:
        """Return the same pattern on a device."""
        return self._replace(centres=self.centres.to(device))

    def draw(self, draws: Draws, rows: int) -> Tensor:
        """Draw samples `(members, rows, 2)`."""
        return self.centres[draws.integers(len(self.centres), rows)] + self.sigma * draws.normals(rows, 2)


def gaussians(sigma: float) -> Pattern:
    """Return 25 Gaussians on a square grid with a spacing of 2."""
    places = torch.arange(-RADIUS, RADIUS + 1, 2)
    return Pattern(torch.cartesian_prod(places, places), sigma)


def spiral(sigma: float) -> Pattern:
    """Return an Archimedean spiral, uniform along its length."""
    share = torch.linspace(0, 1, 100_001, dtype=torch.float64)  # of the turns and of the radius
    angle = 2 * math.pi * TURNS * share
    points = RADIUS * share.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], dim=1)
    length = torch.cat([torch.zeros(1), points.diff(dim=0).norm(dim=1).cumsum(0)])
    centres = MODES * CENTRES_PER_MODE
    wanted = (torch.arange(centres) + 0.5) / centres * length[-1]
    return Pattern(points[torch.searchsorted(length, wanted)].float(), sigma)


PATTERNS = {"gaussians": gaussians, "spiral": spiral}


class Coverage(NamedTuple):
    """How well each member's samples cover a pattern, each `(members,)`."""

    modes: Tensor
    """Modes whose samples of high quality are at least `quorum` of their fair share of all samples."""
    touched: Tensor
    """Modes with any sample of high quality."""
    high_quality: Tensor
    """Share of samples within 3 sigma of a centre."""


def coverage(samples: Tensor, pattern: Pattern, quorum: float) -> Coverage:
    """Count the modes that samples `(members, rows, 2)` cover; a sample belongs to the mode of the nearest centre."""
    distance, centre = torch.cdist(samples, pattern.centres.expand(len(samples), -1, -1)).min(dim=2)
    good = distance < 3 * pattern.sigma
    mode = centre // (len(pattern.centres) // MODES)
    counts = torch.zeros(len(samples), MODES, device=samples.device).scatter_add_(1, mode, good.float())
    needed = quorum * samples.shape[1] / MODES
    return Coverage((counts >= needed).sum(dim=1), (counts > 0).sum(dim=1), good.float().mean(dim=1))
