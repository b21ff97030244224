"""Paired samples of a known mutual information, and an estimator fitted to them."""

import numpy as np
import pytest
import torch

from minde import MINDE

RHO = 0.75
MUTUAL_INFORMATION = -0.5 * np.log(1 - RHO**2)
SMALL = {"steps": 64, "batch_size": 64, "hidden": 16, "middle_blocks": 1, "mc_draws": 2, "random_state": 0}


def normals(rows: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of normals, x of standard deviation 3 about 100."""
    z = np.random.default_rng(seed).normal(size=(2, rows, 1))
    return 100 + 3 * z[0], RHO * z[0] + np.sqrt(1 - RHO**2) * z[1]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small tensors: a second thread only waits for the first."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", params=["c", "j"])
def fitted(request) -> MINDE:
    """An estimator of each variant; its Gaussian base alone is right about normals."""
    return MINDE(request.param, replicates=3, **SMALL).fit(*normals(4000))
