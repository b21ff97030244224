"""The loss against the paper's sentence, row by row."""

import pytest
import torch

from minde.diffusion.conditioning import allocate, masks
from minde.diffusion.loss import noise_prediction_loss


@pytest.mark.parametrize("variant", ["c", "j"])
def test_each_row_is_averaged_over_its_diffused_coordinates_and_weighted(variant: str) -> None:
    dim_x, dim_y = 3, 2
    selection = allocate(variant, 8, torch.device("cpu"))
    diffused = masks(variant, dim_x, dim_y, torch.device("cpu")).diffused[selection.scores]
    noise = torch.randn(2, 8, 5)
    noise_pred = torch.randn(2, 8, dim_x if variant == "c" else 5)
    expected = torch.zeros(2)
    for r in range(2):
        for b in range(8):
            own = diffused[b].nonzero().flatten()
            error = sum((noise_pred[r, b, i] - noise[r, b, i]) ** 2 for i in own) / len(own)
            expected[r] += error * (1 + (5 - len(own)) / 5) / 8
    torch.testing.assert_close(noise_prediction_loss(noise_pred, noise, diffused), expected)
