"""Inputs and outputs of the preconditioned network."""

import math

import pytest
import torch

from minde.diffusion.conditioning import only
from minde.diffusion.gaussian import fit_moments
from minde.diffusion.model import (
    FAR,
    FREQUENCIES,
    LONG,
    SAMPLES_PER_COLUMN,
    build_model,
    score_network,
    waves,
    with_lengths,
)
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times


def test_vectors_come_with_their_lengths_and_the_products() -> None:
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([[-2.0]])
    excess = 5 - math.sqrt(2)
    expected = torch.tensor([[3, 4, -2, excess, 1, 3 * LONG, 4 * LONG, -2]])  # the first excess is above LONG
    torch.testing.assert_close(with_lengths([x, y]), expected)


def test_outliers_are_not_seen_at_their_size() -> None:
    """As in Cauchy samples; the product of a length with its vector would have the square."""
    outlier = torch.tensor([[1e6, -1e6, 1.0]])
    shown = with_lengths([outlier])
    assert shown.abs().max() <= LONG * FAR
    assert torch.equal(shown, with_lengths([outlier * torch.tensor([10.0, 10.0, 1.0])]))


def test_waves_are_sines_and_cosines_of_bounded_variables() -> None:
    phases = torch.tensor([[1.0, -2.0, 2 * FAR]])
    sines, cosines = waves(torch.tensor([[0.5, -1.0, 1e6]]), (2.0,))
    assert torch.equal(sines, phases.sin())
    assert torch.equal(cosines, phases.cos())


@pytest.mark.parametrize("dim", [1, 5, 25])
def test_networks_see_waves_of_every_column_if_there_are_enough_samples(dim: int) -> None:
    def dim_in(n_train: int, *, has_base: bool = True) -> int:
        shape = {"hidden": 8, "middle_blocks": 1, "architecture": "gated", "has_base": has_base}
        return score_network(variant="c", dim_x=dim, dim_y=dim, n_train=n_train, **shape).dim_in

    enough = SAMPLES_PER_COLUMN * 2 * dim
    assert dim_in(enough) - dim_in(enough - 1) == 2 * len(FREQUENCIES) * 2 * dim
    assert dim_in(enough, has_base=False) == 2 * dim


def test_the_last_output_says_how_much_of_the_base_to_add() -> None:
    """A network whose only output is a constant w = 0.5 predicts one and a half times the base."""
    clean = torch.randn(1, 8, 3, generator=torch.Generator().manual_seed(0))
    model = build_model(
        variant="j",
        dim_x=2,
        dim_y=1,
        n_train=8,
        times=Times(sde=SDE()),
        hidden=8,
        middle_blocks=1,
        architecture="gated",
        moments=dict(zip(("mean", "covariance"), fit_moments(clean), strict=True)),
        device=torch.device("cpu"),
    )
    parameters = model.network.unflatten(model.network.initialize([0], torch.device("cpu")))
    arguments = (parameters, clean, clean + 0.1, torch.full((1, 8), 0.2), only("j", "joint"))
    base = model.predict(*arguments)
    parameters["output.bias"][:, -1] = 0.5
    torch.testing.assert_close(model.predict(*arguments), 1.5 * base)
