"""The latents of the consistency tests: two independent images per row, and noise on whole images only."""

import numpy as np
import pandas as pd
import pytest
import torch

from minde.hardware import hardware_of
from minde.steps.latents import latents
from minde.study import results
from minde.study.consistency import IMAGE, columns_of

SETTINGS = {
    "seed": 0,
    "images": "digits",
    "rows": [4, 8],
    "autoencoder": {"hidden": 16, "latent": 2, "epochs": 2, "batch_size": 64, "learning_rate": 1e-3},
}


def frame(folder, **changes) -> pd.DataFrame:
    """The latents as a frame."""
    latents(SETTINGS | changes, folder / "latents.parquet", torch.device("cpu"))
    return pd.read_parquet(folder / "latents.parquet")


def test_noise_is_that_of_whole_images_in_deviations_of_each_latent(tmp_path) -> None:
    clean, noisy = frame(tmp_path, noise=0.0), frame(tmp_path, noise=0.5)
    first, second = columns_of(IMAGE, 2), columns_of(IMAGE, 2, second=True)
    pd.testing.assert_frame_equal(clean.drop(columns=first + second), noisy.drop(columns=first + second))
    noise = (noisy - clean)[first + second] / clean[first + second].std(ddof=0)
    assert noise.std().tolist() == pytest.approx([0.5] * 4, rel=0.08)
    assert np.abs(np.corrcoef(noise.T) - np.eye(4)).max() < 0.1


def test_the_second_image_of_a_row_is_another(tmp_path) -> None:
    clean = frame(tmp_path, noise=0.0)
    assert results.read_provenance(tmp_path / "latents.parquet")["hardware"] == hardware_of(torch.device("cpu"))
    first, second = (clean[columns_of(IMAGE, 2, second=which)].to_numpy() for which in (False, True))
    assert sorted(map(tuple, first)) == sorted(map(tuple, second))
    assert np.abs(np.corrcoef(first.T, second.T)[:2, 2:]).max() < 0.1
