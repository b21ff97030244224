"""A fit does not depend on the torch settings of the program, and leaves them unchanged."""

import contextlib
import threading
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


def test_the_programs_detection_of_anomalies_rests_during_a_fit() -> None:
    """It reads numbers from the device within a step, which a CUDA graph cannot."""
    seen = []

    class Seen(MINDE):
        def _preprocessed(self, *args):
            seen.append(torch.is_anomaly_enabled())
            return super()._preprocessed(*args)

    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        Seen(replicates=1, **SMALL).fit(*normals())
        assert seen == [False]
        assert (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()) == (True, False)


def test_of_fits_in_two_threads_the_last_restores_what_the_first_has_found() -> None:
    seen, first_is_in, first_may_end = [], threading.Event(), threading.Event()

    class First(MINDE):
        def _preprocessed(self, *args):
            first_is_in.set()
            assert first_may_end.wait(60)
            return super()._preprocessed(*args)

    class Second(MINDE):
        def _preprocessed(self, *args):
            first_may_end.set()
            first.join(60)  # it ends while this one runs
            seen.append((torch.get_float32_matmul_precision(), torch.get_num_threads()))
            return super()._preprocessed(*args)

    before = torch.get_num_threads()
    try:
        torch.set_float32_matmul_precision("high")
        torch.set_num_threads(2)
        first, second = (
            threading.Thread(target=lambda kind=kind: kind(replicates=1, **SMALL).fit(*normals()))
            for kind in (First, Second)
        )
        first.start()
        assert first_is_in.wait(60)
        second.start()
        second.join(60)
        assert seen == [("highest", 1)]
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.get_num_threads() == 2
    finally:
        torch.set_float32_matmul_precision("highest")
        torch.set_num_threads(before)


def test_a_fit_that_ends_before_another_restores_the_threads_of_its_own_thread() -> None:
    other_is_in, other_may_end = threading.Event(), threading.Event()

    class Other(MINDE):
        def _preprocessed(self, *args):
            other_is_in.set()
            assert other_may_end.wait(60)
            return super()._preprocessed(*args)

    before = torch.get_num_threads()
    other = threading.Thread(target=lambda: Other(replicates=1, **SMALL).fit(*normals()))
    try:
        torch.set_num_threads(2)
        other.start()
        assert other_is_in.wait(60)
        MINDE(replicates=1, **SMALL).fit(*normals())
        assert torch.get_num_threads() == 2
    finally:
        other_may_end.set()
        other.join(60)
        torch.set_num_threads(before)


def by_one_function() -> None:
    torch.set_float32_matmul_precision("high")


def by_backend() -> None:
    """After this, torch's older functions raise errors in this process."""
    torch.backends.cuda.matmul.fp32_precision = "tf32"


@pytest.mark.parametrize("allow", [by_one_function, by_backend])
def test_products_are_in_float32_even_if_the_program_allows_less(allow) -> None:
    """On a GPU that is TF32; what is allowed can be seen without one."""
    if allow is by_backend and not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        pytest.skip("this torch has one precision for all backends")
    seen = []

    class Seen(MINDE):
        def _preprocessed(self, *args):
            seen.append(torch.backends.cuda.matmul.allow_tf32)
            return super()._preprocessed(*args)

    allow()
    try:
        Seen(replicates=1, **SMALL).fit(*normals())
        assert seen == [False]
        # The program has its own setting back.
        if allow is by_backend:
            assert torch.backends.cuda.matmul.fp32_precision == "tf32"
        else:
            assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
