"""The settings of an estimator, checked when it is fitted."""

import re
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import torch

from minde.diffusion.conditioning import allocate
from minde.diffusion.estimators import FORMULAS

CHOICES = {
    "variant": ("c", "j"),
    "preprocess": ("standardize", "gaussianize", "none"),
    "schedule": ("cosine", "constant"),
    "precondition": ("mixture", "gaussian", "none"),
    "architecture": ("gated", "residual"),
    "score_choice": ("per_sample", "per_batch"),
    "times": ("stratified", "iid"),
    "formula": FORMULAS,
}
COUNTS = ("steps", "batch_size", "middle_blocks", "mc_draws", "replicates", "threads")
FLAGS = ("importance_sampling", "verbose")
# Of numbers, what is allowed, and in words.
RANGES = {
    "learning_rate": (lambda value: 0 < value <= 1, "a number above 0 and at most 1"),
    "weight_decay": (lambda value: value >= 0, "a number from 0"),
    "ema_decay": (lambda value: 0 <= value < 1, "a number from 0 and below 1"),
    "test_size": (lambda value: 0 < value <= 0.5, "a number above 0 and at most 0.5"),
}


def check_settings(settings: dict) -> None:
    """Raise ValueError where a setting is none that is offered, naming it, what was found and what is allowed."""

    def check(name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ValueError(f"{name} is {settings[name]!r}; expected {allowed}")

    for name, choices in CHOICES.items():
        check(name, settings[name] in choices, ", ".join(choices))
    for name in COUNTS:
        check(name, _is(Integral, settings[name]) and settings[name] >= 1, "an integer from 1")
    for name in FLAGS:
        check(name, isinstance(settings[name], bool | np.bool_), "True or False")
    for name, (is_allowed, allowed) in RANGES.items():
        check(name, _is(Real, settings[name]) and is_allowed(settings[name]), allowed)
    check(
        "device",
        re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(settings["device"])) is not None,
        "auto, cpu, cuda or cuda:1, say",
    )
    if settings["score_choice"] == "per_sample":
        allocate(settings["variant"], settings["batch_size"], torch.device("cpu"))
    hidden = settings["hidden"]
    is_width = _is(Integral, hidden) and hidden > 0 and hidden % 8 == 0
    check("hidden", hidden == "auto" or is_width, "auto, or a multiple of 8")


def check_widths(sigmas: Sequence[float]) -> None:
    """Raise ValueError where the width of a reference Gaussian is not positive."""
    for sigma in sigmas:
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma}; expected a positive width of the reference Gaussian")
    if len({f"{sigma:g}" for sigma in sigmas}) < len(sigmas):
        raise ValueError(f"sigmas are {tuple(sigmas)}; expected widths that differ within six digits")


def check_rows(rows: int, batch_size: int, held_out: int | None = None, name: str = "x") -> None:
    """Raise ValueError where there are too few rows to train in batches, or to estimate with if some are held out."""
    if rows - (held_out or 0) < batch_size or held_out in (0, 1):
        raise ValueError(
            f"{name} has {rows} rows, of which {held_out or 0} are held out; expected {batch_size} to train on (a "
            "batch) and 2 to estimate with; give more samples (thousands, for a good estimate), or another batch_size "
            "or test_size"
        )


def _is(kind: type, value: object) -> bool:
    """Return whether a value is a number of a kind, which True and False are not meant to be."""
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)
