"""A fit does not depend on what the program around it has set torch to, and leaves it as it was."""

import contextlib
from collections.abc import Iterator

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


SURROUNDINGS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
}


def numbers() -> list[float]:
    fitted = MINDE(replicates=2, **SMALL).fit(*normals())
    return [*fitted.estimates().values(), fitted.entropy("x"), kl_divergence(*normals(), replicates=1, **SMALL)]


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
