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
    """Run on a number of CPU threads, unaffected by the program's `no_grad`, `inference_mode` or `autocast`."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_num_threads(before)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside this package that made the call, since Python shows a warning once per line."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
