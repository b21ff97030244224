"""The competitors behind one interface; each module is imported when one of its methods is asked for.

Some need jax, others torch: importing both takes seconds, and an environment may have only one of them.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module

from .interface import Estimator, Outcome, Replicate

__all__ = ["MODULES", "Outcome", "Replicate", "estimates"]

MODULES = {
    "mine": "critics",
    "mine-torch": "mine_torch",
    "infonce": "critics",
    "dv": "critics",
    "nwj": "critics",
    "ksg": "ksg",
    "lnn": "lnn",
    "kde": "kde",
    "cca": "cca",
    "doe-gaussian": "doe",
    "doe-logistic": "doe",
}
"""The module of each method; its function of the method's name, with `_` for `-`, is the estimator."""


def estimates(method: str, replicates: Iterable[Replicate], settings: dict) -> Iterator[Outcome]:
    """Estimate the replicates of one cell, in order, with the method's `settings`.

    Raises ValueError for an unknown method, and TypeError for an unknown or missing setting.
    """
    if method not in MODULES:
        raise ValueError(f"unknown competitor {method!r}; known: {', '.join(MODULES)}")
    module = import_module(f"minde.baselines.{MODULES[method]}")
    estimator: Estimator = getattr(module, method.replace("-", "_"))
    return estimator(replicates, **settings)
