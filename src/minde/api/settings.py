"""The settings of an estimator, checked when it is fitted."""

import math
import re
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils import check_random_state

from minde.diffusion.conditioning import allocate
from minde.diffusion.estimators import FORMULAS

CHOICES = {
    "variant": ("c", "j"),
    "preprocess": ("standardize", "gaussianize", "none"),
    "schedule": ("cosine", "constant"),
    "base": ("mixture", "gaussian", "none"),
    "architecture": ("gated", "residual"),
    "score_choice": ("per_sample", "per_batch"),
    "times": ("stratified", "iid"),
    "formula": ("auto", *FORMULAS),
}
QUOTED = {"c": "inside", "j": "gap"}
"""The formula of each variant to quote, as for the recipe `fast` in the study's config."""

COUNTS = ("steps", "batch_size", "middle_blocks", "mc_draws", "replicates", "threads")
FLAGS = ("importance_sampling", "verbose")
NARROWEST = 0.1  # reference, in units of the preprocessed samples; below, its error drowns an entropy
# The allowed numbers, as a check and in words.
RANGES = {
    "learning_rate": (lambda value: 0 < value <= 1, "a number above 0 and at most 1"),
    "weight_decay": (lambda value: value >= 0, "a number from 0"),
    "ema_decay": (lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "test_size": (lambda value: 0 < value <= 0.5, "a number above 0 and at most 0.5"),
}


def check_settings(settings: dict) -> None:
    """Raise ValueError for an invalid setting, naming it, what was found and what is allowed."""

    def check(name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ValueError(f"{name} is {settings[name]!r}; expected {allowed}")

    for name, choices in CHOICES.items():
        check(name, settings[name] in choices, ", ".join(choices))
    for name in COUNTS:
        check(name, _is(Integral, settings[name]) and settings[name] >= 1, "an integer from 1")
    for name in FLAGS:
        # Levels of verbosity, as scikit-learn has them, all mean True.
        is_level = name == "verbose" and _is(Integral, settings[name])
        check(name, is_level or isinstance(settings[name], bool | np.bool_), "True or False")
    for name, (is_allowed, allowed) in RANGES.items():
        check(name, _is(Real, settings[name]) and is_allowed(settings[name]), allowed)
    check_device(settings["device"])
    if settings["score_choice"] == "per_sample":
        allocate(settings["variant"], settings["batch_size"], torch.device("cpu"))
    hidden = settings["hidden"]
    is_width = _is(Integral, hidden) and hidden > 0 and hidden % 8 == 0
    check("hidden", hidden == "auto" or is_width, "auto, or a multiple of 8")


def resolve_formula(formula: str, variant: str) -> str:
    """Return the formula that a setting means for a variant. Raises ValueError for an unknown one."""
    if formula not in CHOICES["formula"]:
        raise ValueError(f"formula is {formula!r}; expected {', '.join(CHOICES['formula'])}")
    return QUOTED[variant] if formula == "auto" else formula


def check_device(device: str | torch.device) -> None:
    """Raise ValueError for anything that is not the name of a device."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", str(device)):
        raise ValueError(f"device is {device!r}; expected auto, cpu, cuda or, for example, cuda:1")


def check_width(sigma: float) -> None:
    """Raise ValueError if the width of a reference Gaussian is not a positive number."""
    if not _is(Real, sigma) or not 0 < sigma < math.inf:
        hint = f"; did you mean formula={sigma!r}?" if isinstance(sigma, str) and sigma in FORMULAS else ""
        raise ValueError(f"sigma is {sigma!r}; expected a positive number, the width of the reference Gaussian{hint}")


def check_entropy_width(sigma: float) -> None:
    """Raise ValueError for a reference Gaussian that is too narrow for an entropy."""
    check_width(sigma)
    if sigma < NARROWEST:
        raise ValueError(
            f"sigma is {sigma!r}; expected at least {NARROWEST}: with a narrower reference, an entropy is the "
            "difference of two much larger numbers"
        )


def check_rows(rows: int, batch_size: int, held_out: int | None = None, *, name: str = "x", dim: int = 1) -> None:
    """Raise ValueError if there are too few rows to train in batches, or to estimate with if some are held out."""
    if rows - (held_out or 0) < batch_size or held_out in (0, 1):
        hint = f"; it has more columns ({dim}) than rows: transpose it?" if dim > rows else ""
        raise ValueError(
            f"{name} has {rows} rows, of which {held_out or 0} are held out; expected {batch_size} to train on (a "
            "batch) and 2 to estimate with; give more samples (a good estimate needs thousands), or change batch_size "
            f"or test_size{hint}"
        )


def draw_seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return an integer seed that is drawn from a `random_state`. Raises ValueError for anything else."""
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except ValueError as error:
        raise ValueError(
            f"random_state is {random_state!r}; expected an integer from 0 to 2^32 - 1, a numpy.random.Generator or "
            "RandomState, or None"
        ) from error


def _is(kind: type, value: object) -> bool:
    """Return whether a value is a number of a kind; True and False are not."""
    return isinstance(value, kind) and not isinstance(value, bool | np.bool_)
