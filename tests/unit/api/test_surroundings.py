"""A fit does not depend on the torch settings of the program, and leaves them unchanged."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from pairs import SMALL, normals

from minde import MINDE, kl_divergence


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


SURROUNDINGS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "meta": lambda: default_device("meta"),
}


def numbers() -> list[float]:
    fitted = MINDE(replicates=2, **SMALL).fit(*normals())
    angle, noise = np.random.default_rng(0).uniform(0, 6.28, size=800), np.random.default_rng(1).normal(size=(800, 2))
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.02 * noise  # several components, which are joined
    of_ring = MINDE("j", replicates=1, **SMALL).fit(ring, angle).by_formula()
    divergence = kl_divergence(*normals(), replicates=1, **SMALL)
    return [*fitted.by_formula().values(), fitted.entropy("x"), *of_ring.values(), divergence]


@pytest.fixture(scope="module")
def expected() -> list[float]:
    return numbers()


@pytest.mark.parametrize("kind", SURROUNDINGS)
def test_numbers_are_the_same(kind, expected) -> None:
    with SURROUNDINGS[kind]():
        assert numbers() == expected


def test_the_programs_threads_are_given_back() -> None:
    seen = []

    class Seen(MINDE):
        def _preprocessed(self, *args):
            seen.append(torch.get_num_threads())
            return super()._preprocessed(*args)

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        Seen(replicates=1, **SMALL).fit(*normals())
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)
