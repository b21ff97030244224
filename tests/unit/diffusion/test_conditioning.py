"""Inputs of the network: the roles of both variables in every score."""

import pytest
import torch

from minde.diffusion.conditioning import VARIANTS, allocate, choose, diffused_coordinates, masks, only

CLEAN, NOISY, T = torch.full((1, 1, 3), 2.0), torch.full((1, 1, 3), 5.0), torch.full((1, 1), 0.25)
EXPECTED = {  # x has two coordinates, y one
    ("c", "marginal"): ([5, 5, 0], [0.25, 1]),
    ("c", "conditional"): ([5, 5, 2], [0.25, 0]),
    ("j", "joint"): ([5, 5, 5], [0.25, 0.25]),
    ("j", "x_given_y"): ([5, 5, 2], [0.25, 0]),
    ("j", "y_given_x"): ([2, 2, 5], [0, 0.25]),
}


@pytest.mark.parametrize(("variant", "score"), EXPECTED)
def test_network_input_shows_each_role(variant: str, score: str) -> None:
    """Diffused: noisy, t. Conditioned: clean, 0. Marginalised: zeros, 1."""
    rows = only(variant, score).scores
    variables, times = masks(variant, 2, 1, torch.device("cpu")).network_input(CLEAN, NOISY, T, rows)
    expected_variables, expected_times = EXPECTED[variant, score]
    assert variables.flatten().tolist() == expected_variables
    assert times.flatten().tolist() == expected_times


@pytest.mark.parametrize(("variant", "score"), EXPECTED)
def test_predicted_coordinates_are_the_diffused_ones(variant: str, score: str) -> None:
    index = list(VARIANTS[variant]).index(score)
    mask = masks(variant, 2, 1, torch.device("cpu")).diffused[index].bool()
    assert torch.arange(3)[mask].tolist() == list(range(3))[diffused_coordinates(variant, score, 2, 1)]


@pytest.mark.parametrize(("variant", "counts"), [("c", [64, 192]), ("j", [128, 64, 64])])
def test_a_batch_is_dealt_by_the_shares(variant: str, counts: list[int]) -> None:
    selection = allocate(variant, 256, torch.device("cpu"))
    assert torch.bincount(selection.scores).tolist() == counts
    for index, block in selection.groups.items():
        assert (selection.scores[block] == index).all()


@pytest.mark.parametrize(("variant", "shares"), [("c", [0.5, 0.5]), ("j", [0.5, 0.25, 0.25])])
def test_scores_are_chosen_with_their_odds(variant: str, shares: list[float]) -> None:
    u = (torch.arange(1000) / 1000).unsqueeze(1)
    counts = torch.bincount(choose(variant, u).flatten())
    torch.testing.assert_close(counts / 1000, torch.tensor(shares), atol=2e-3, rtol=0)


def test_a_batch_smaller_than_the_scores_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size is 3; expected at least 4: variant j deals a batch to 3 scores"):
        allocate("j", 3, torch.device("cpu"))
