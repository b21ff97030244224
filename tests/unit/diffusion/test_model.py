"""What the preconditioned network is shown."""

import math

import torch

from minde.diffusion.model import FAR, LONG, with_lengths


def test_vectors_come_with_their_lengths_and_the_products() -> None:
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([[-2.0]])
    excess = 5 - math.sqrt(2)
    expected = torch.tensor([[3, 4, -2, excess, 1, 3 * LONG, 4 * LONG, -2]])  # the first excess is above LONG
    torch.testing.assert_close(with_lengths([x, y]), expected)


def test_outliers_are_not_seen_at_their_size() -> None:
    """As the Cauchy distribution has them; a product of a length with its vector would have the square."""
    outlier = torch.tensor([[1e6, -1e6, 1.0]])
    shown = with_lengths([outlier])
    assert shown.abs().max() <= LONG * FAR
    assert torch.equal(shown, with_lengths([outlier * torch.tensor([10.0, 10.0, 1.0])]))
