"""Independence from the calling program: torch's modes and threads; warnings that point at the caller."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

PACKAGE = str(Path(__file__).parents[1])


@contextmanager
def undisturbed(device: torch.device, threads: int) -> Iterator[None]:
    """Run on a number of CPU threads, unaffected by the program's `no_grad`, `inference_mode`, `autocast` or TF32."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast(device.type, enabled=False),
            _full_precision(),
        ):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _full_precision() -> Iterator[None]:
    """Multiply float32 matrices in float32, even if the program allows less, such as TF32 on a GPU."""
    backends = (torch.backends.cuda, torch.backends.mkldnn)
    # Each has a precision of its own since torch 2.9. Setting that of all of them sets these too.
    products = [backend.matmul for backend in backends if hasattr(getattr(backend, "matmul", None), "fp32_precision")]
    before = [product.fp32_precision for product in products]
    try:
        of_all = torch.get_float32_matmul_precision()
    except RuntimeError:  # the program has only set that of one
        of_all = "highest"
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(of_all)
        for product, precision in zip(products, before, strict=True):
            product.fp32_precision = precision


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside this package that made the call, since Python shows a warning once per line."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
