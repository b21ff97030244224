"""The settings of an estimator, checked when it is fitted."""

from collections.abc import Sequence
from numbers import Integral

CHOICES = {
    "variant": ("c", "j"),
    "preprocess": ("standardize", "gaussianize", "none"),
    "schedule": ("cosine", "constant"),
    "precondition": ("gaussian", "none"),
    "architecture": ("gated", "residual"),
    "score_choice": ("per_sample", "per_batch"),
    "times": ("stratified", "iid"),
    "formula": ("inside", "sigma", "gap"),
    "device": ("auto", "cpu", "cuda"),
}
COUNTS = ("steps", "batch_size", "middle_blocks", "mc_draws", "replicates")


def check_settings(settings: dict) -> None:
    """Raise ValueError where a setting is none that is offered, naming it, what was found and what is allowed."""

    def check(name: str, is_allowed: bool, allowed: str) -> None:
        if not is_allowed:
            raise ValueError(f"{name} is {settings[name]!r}; expected {allowed}")

    for name, choices in CHOICES.items():
        check(name, settings[name] in choices, ", ".join(choices))
    for name in COUNTS:
        check(name, isinstance(settings[name], Integral) and settings[name] >= 1, "an integer from 1")
    hidden = settings["hidden"]
    is_width = isinstance(hidden, Integral) and hidden > 0 and hidden % 8 == 0
    check("hidden", hidden == "auto" or is_width, "auto, or a multiple of 8")
    check("learning_rate", 0 < settings["learning_rate"] <= 1, "a number above 0 and at most 1")
    check("weight_decay", settings["weight_decay"] >= 0, "a number from 0")
    check("ema_decay", 0 <= settings["ema_decay"] < 1, "a number from 0 and below 1")
    check("test_size", 0 < settings["test_size"] <= 0.5, "a number above 0 and at most 0.5")


def check_widths(sigmas: Sequence[float]) -> None:
    """Raise ValueError where the width of a reference Gaussian is not positive."""
    for sigma in sigmas:
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma}; expected a positive width of the reference Gaussian")


def check_rows(rows: int, held_out: int, batch_size: int, name: str = "x") -> None:
    """Raise ValueError where there are too few rows to train in batches, or to estimate with."""
    if rows - held_out < batch_size or (held_out and held_out < 2):
        raise ValueError(
            f"{name} has {rows} rows, of which {held_out} are held out; expected {batch_size} to train on (a batch) "
            "and 2 to estimate with; give more samples (thousands, for a good estimate) or lower batch_size"
        )
