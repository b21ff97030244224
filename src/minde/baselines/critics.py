"""Variational lower bounds that train a critic f(x, y): MINE, InfoNCE, Donsker-Varadhan (D-V) and NWJ.

The losses, networks and training loops are benchmark-mi's. Its public estimators split x and y at random; the functions
that they call take the two splits, so that a critic sees the same samples as MINDE. As in benchmark-mi, the estimate is
the largest value of the bound on the test split during training, which stops after two evaluations in a row without a
larger one.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain

import jax
import numpy as np
from bmi.estimators.neural import _backend_linear_memory, _backend_quadratic_memory
from bmi.estimators.neural._basic_training import basic_training
from bmi.estimators.neural._critics import MLP
from bmi.estimators.neural._mine_estimator import mine_training

from minde.progress import Progress

from . import widths
from .interface import Outcome, Replicate, check_batch, outcome_of, standardized

Splits = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def bound(replicates: Iterable[Replicate], *, formula: str, **settings) -> Iterator[Outcome]:
    """Estimate by InfoNCE, D-V or NWJ; the other samples of a batch are the negatives.

    `formula` is the name of a function in benchmark-mi's backends. Settings: see `_fit`.
    """
    return _fit(replicates, partial(_train_bound, formula), **settings)


infonce = partial(bound, formula="infonce")
dv = partial(bound, formula="donsker_varadhan")
nwj = partial(bound, formula="nwj")


def mine(replicates: Iterable[Replicate], *, mean_decay: float, **settings) -> Iterator[Outcome]:
    """Estimate by MINE (Belghazi et al. 2018), whose gradient is corrected by a running mean (eq. 12).

    `mean_decay` is the share of the old mean that each step keeps, such as 0.9. Further settings: see `_fit`.
    """
    return _fit(replicates, partial(_train_mine, mean_decay), **settings)


def _fit(
    replicates: Iterable[Replicate],
    train: Callable,
    *,
    hidden: str | list[int],
    batch_size: int,
    learning_rate: float,
    max_steps: int,
    test_every: int,
) -> Iterator[Outcome]:
    """Train a critic on each replicate's training split and evaluate it on the test split.

    `hidden` are the widths of the critic's ReLU layers, or `auto` (see `widths`); Adam with a constant rate; the
    bound is evaluated on the whole test split every `test_every` steps, which takes O(rows²) operations for all but
    MINE. Raises ValueError if there are fewer training rows than a batch has.
    """
    for replicate in replicates:
        rows, dim_x, dim_y = *replicate.x_train.shape, replicate.y_train.shape[1]
        check_batch(batch_size, rows)
        start = time.perf_counter()
        splits = standardized(replicate)
        # jax takes seeds of 32 bits, signed.
        key_init, key_fit = jax.random.split(jax.random.PRNGKey(replicate.seed % 2**31))
        layers = widths.of_critic(dim_x, hidden)
        progress = Progress(f"replicate {replicate.number}", max_steps, "steps")
        progress.report(0, "training")  # the rate counts from here
        log, _ = train(
            progress,
            critic=MLP(key=key_init, dim_x=dim_x, dim_y=dim_y, hidden_layers=layers),
            splits=splits,
            rng=key_fit,
            batch_size=batch_size,
            test_every_n_steps=test_every,
            max_n_steps=max_steps,
            learning_rate=learning_rate,
            verbose=False,
        )
        yield _outcome(log, time.perf_counter() - start)


def _train_bound(formula: str, progress: Progress, *, splits: Splits, test_every_n_steps: int, **options) -> tuple:
    on_test = jax.jit(getattr(_backend_linear_memory, formula))
    steps = 0

    def evaluate(critic, xs, ys):
        nonlocal steps
        steps += test_every_n_steps
        value = on_test(critic, xs, ys)
        progress.report(steps, f"MI {float(value):.3f} nats")
        return value

    return basic_training(
        mi_formula=getattr(_backend_quadratic_memory, formula),
        mi_formula_test=evaluate,
        **_arrays(splits),
        test_every_n_steps=test_every_n_steps,
        **options,
    )


def _arrays(splits: Splits) -> dict:
    names = ("xs", "ys", "xs_test", "ys_test")
    return dict(zip(names, map(jax.numpy.asarray, chain.from_iterable(splits)), strict=True))


def _train_mine(mean_decay: float, progress: Progress, *, splits: Splits, **options) -> tuple:
    trained = mine_training(**_arrays(splits), alpha=mean_decay, **options)
    steps = trained[0].additional_information["n_training_steps"]
    progress.report(steps, f"MI {float(trained[0].final_mi):.3f} nats", milestone=True)
    return trained


def _outcome(log, seconds: float) -> Outcome:
    """Return the estimate in a training's log; none if the largest bound on the test split that it keeps is not finite.

    The log replaces it by larger values only, so that NaN at the first evaluation stays, whatever comes later.
    """
    nats, steps = float(log.final_mi), log.additional_information["n_training_steps"]
    reason = f"the largest bound on the test samples, as benchmark-mi keeps it, was {nats} after {steps} steps"
    return outcome_of(nats, seconds, otherwise=reason)
