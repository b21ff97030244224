"""The competitors, one module each, behind one interface."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from minde.baselines.cca import cca
from minde.baselines.interface import Estimate, Estimator, Replicate
from minde.baselines.ksg import ksg

__all__ = ["METHODS", "Estimate", "Method", "Replicate", "estimates"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """A competitor: how it estimates a cell, and whether it reads the training split."""

    estimator: Estimator
    trains: bool


METHODS: dict[str, Method] = {
    "ksg": Method(estimator=ksg, trains=False),
    "cca": Method(estimator=cca, trains=False),
}


def estimates(method: str, replicates: Iterable[Replicate], settings: dict) -> Iterator[Estimate]:
    """Estimate the replicates of one cell, in their order, with the method's own `settings`.

    Raises:
        ValueError: the method is unknown, or an estimate is not a finite number.
    """
    if method not in METHODS:
        raise ValueError(f"unknown competitor {method!r}; known: {', '.join(METHODS)}")
    for number, estimate in enumerate(METHODS[method].estimator(replicates, **settings)):
        if not math.isfinite(estimate.nats):
            raise ValueError(f"{method}, estimate {number} of the cell: {estimate.nats} is not a finite number of nats")
        yield estimate
