"""Paired samples with known mutual information, and settings that train in a second."""

import numpy as np

RHO = 0.75
MUTUAL_INFORMATION = -0.5 * np.log(1 - RHO**2)
SMALL = {"steps": 64, "batch_size": 64, "hidden": 16, "middle_blocks": 1, "mc_draws": 2, "random_state": 0}


def normals(rows: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of normals; x has mean 100 and standard deviation 3."""
    z = np.random.default_rng(seed).normal(size=(2, rows, 1))
    return 100 + 3 * z[0], RHO * z[0] + np.sqrt(1 - RHO**2) * z[1]
