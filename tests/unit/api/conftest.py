"""An estimator fitted to pairs of normals."""

import pytest
import torch
from pairs import SMALL, normals

from minde import MINDE


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small tensors: a second thread mostly waits for the first."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", params=["c", "j"])
def fitted(request) -> MINDE:
    """A fitted estimator of each variant; for normals its Gaussian base is already exact."""
    return MINDE(request.param, replicates=3, **SMALL).fit(*normals(4000))
