"""Independence from the calling program: torch's modes and threads; warnings that point at the caller."""

import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

PACKAGE = str(Path(__file__).parents[1])


_lock, _running = threading.Lock(), []
"""Fits that run now, in threads of this process: for each, what torch's settings were before the first of them."""


@contextmanager
def undisturbed(device: torch.device, threads: int) -> Iterator[None]:
    """Run on a number of CPU threads, unaffected by the program's settings of torch.

    They are `no_grad`, `inference_mode`, `autocast`, TF32 and the detection of anomalies.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(device.type, enabled=False),
        _process_settings(threads),
    ):
        yield


@contextmanager
def _process_settings(threads: int) -> Iterator[None]:
    """Set what torch keeps for the process: CPU threads, float32 products in float32, no detection of anomalies.

    Detection reads numbers from the device within a step, which no graph can. Of overlapping fits, the last one
    restores what the first has found; threads, which torch also keeps for each thread of the program, each restores.
    """
    with _lock:
        # Asked also if not needed: torch sets a thread's number when it is first used, which must not be later.
        found = (torch.get_num_threads(), _anomalies(), *_precisions())
        _running.append(_running[0] if _running else found)
        torch.autograd.set_detect_anomaly(False)
        torch.set_float32_matmul_precision("highest")
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        with _lock:
            program_threads, anomalies, of_all, of_each = _running.pop()
            torch.set_num_threads(program_threads)
            if not _running:
                torch.autograd.set_detect_anomaly(*anomalies)
                torch.set_float32_matmul_precision(of_all)
                for product, precision in of_each:
                    product.fp32_precision = precision


def _anomalies() -> tuple[bool, bool]:
    """Return whether the program detects anomalies of gradients, and whether NaN is one."""
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _precisions() -> tuple[str, list[tuple[Any, str]]]:
    """Return the precision of float32 products, and that of each kind of device, which has its own since torch 2.9."""
    backends = (torch.backends.cuda, torch.backends.mkldnn)
    products = [backend.matmul for backend in backends if hasattr(getattr(backend, "matmul", None), "fp32_precision")]
    of_each = [(product, product.fp32_precision) for product in products]
    try:
        return torch.get_float32_matmul_precision(), of_each
    except RuntimeError:  # the program has only set that of one
        return "highest", of_each


def warn(doubt: str | None, category: type[Warning] = UserWarning) -> None:
    """Warn of a doubt, if there is one, at the line outside this package that made the call.

    Python shows a warning once per line.
    """
    if doubt is None:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(doubt, category, stacklevel=level)
