"""The competitors, one module each, behind one interface."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from minde.baselines.cca import cca
from minde.baselines.critics import LOSSES, bound, mine
from minde.baselines.doe import doe
from minde.baselines.interface import Estimate, Estimator, Replicate
from minde.baselines.kde import kde
from minde.baselines.ksg import ksg
from minde.baselines.lnn import lnn
from minde.baselines.mine_torch import mine_torch

__all__ = ["METHODS", "Estimate", "Method", "Replicate", "estimates"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """A competitor: how it estimates a cell, whether it reads the training split, and whether it runs on a torch device
    that the caller picks."""

    estimator: Estimator
    trains: bool
    on_device: bool = False


METHODS: dict[str, Method] = {
    "mine": Method(estimator=mine, trains=True),
    **{name: Method(estimator=partial(bound, method=name), trains=True) for name in LOSSES},
    "ksg": Method(estimator=ksg, trains=False),
    "lnn": Method(estimator=lnn, trains=False),
    "kde": Method(estimator=kde, trains=False),
    "cca": Method(estimator=cca, trains=False),
    **{
        f"doe-{density}": Method(estimator=partial(doe, density=density), trains=True, on_device=True)
        for density in ("gaussian", "logistic")
    },
    "mine-torch": Method(estimator=mine_torch, trains=True, on_device=True),
}


def estimates(method: str, replicates: Iterable[Replicate], settings: dict) -> Iterator[Estimate]:
    """Estimate the replicates of one cell, in order, with the method's `settings`.

    Raises:
        ValueError: the method is unknown, or an estimate is not a finite number.
    """
    if method not in METHODS:
        raise ValueError(f"unknown competitor {method!r}; known: {', '.join(METHODS)}")
    for number, estimate in enumerate(METHODS[method].estimator(replicates, **settings)):
        if estimate.nats is not None and not math.isfinite(estimate.nats):
            raise ValueError(f"{method}, estimate {number} of the cell: {estimate.nats} is not a finite number of nats")
        yield estimate
