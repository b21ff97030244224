"""The 25 Gaussians and the spiral, and how well samples cover them."""

import math

import pytest
import torch

from minde.experiments.networks import Draws
from minde.experiments.patterns import MODES, PATTERNS, coverage, gaussians, spiral

WITHIN_3_SIGMA = 1 - math.exp(-4.5)  # of two coordinates


@pytest.mark.parametrize("name", PATTERNS)
def test_the_data_cover_all_modes(name):
    pattern = PATTERNS[name](0.1)
    found = coverage(pattern.draw(Draws([1, 2]), 10_000), pattern, quorum=0.5)
    assert found.modes.tolist() == found.touched.tolist() == [MODES, MODES]
    # The spiral's samples are close to its other centres, too.
    assert found.high_quality.min() >= WITHIN_3_SIGMA - 0.005


def test_of_one_gaussian_the_share_within_three_sigma_is_known():
    pattern = gaussians(0.1)
    found = coverage(pattern.draw(Draws([3]), 40_000), pattern, quorum=0.5)
    assert found.high_quality.item() == pytest.approx(WITHIN_3_SIGMA, abs=0.002)


def test_modes_are_counted_by_quorum():
    """100 samples, 4 of them a mode's fair share: 96 on the first centre, 3 on the second, one on the third."""
    pattern = gaussians(0.1)
    samples = pattern.centres[torch.tensor([0] * 96 + [1] * 3 + [2])].unsqueeze(0)
    assert coverage(samples, pattern, quorum=0.75).modes.item() == 2
    assert coverage(samples, pattern, quorum=1).modes.item() == 1
    assert coverage(samples, pattern, quorum=1).touched.item() == 3
    far = coverage(samples + 0.5, pattern, quorum=0.25)
    assert (far.modes.item(), far.touched.item(), far.high_quality.item()) == (0, 0, 0)


def test_centres_of_the_spiral_are_evenly_spread_along_it():
    gaps = spiral(0.1).centres.diff(dim=0).norm(dim=1)
    assert gaps.std() < 0.05 * gaps.mean()
