"""Score networks for user arrays: replicates, each with its own held-out samples, trained as one stack."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from minde.diffusion import random
from minde.diffusion.base import Moments, compact, fit_base
from minde.diffusion.estimators import Scores, estimates_of_state, scores_of
from minde.diffusion.model import Model, build_model
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.diffusion.training import State, start, train_stack
from minde.progress import Progress

CURVE_POINTS = 20  # estimates during training
CURVE_ROWS = 1000  # maximum test rows of each


def split(rows: int, n_test: int, replicates: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that each replicate trains on, `(replicates, rows - n_test)`, and holds out, `(…, n_test)`.

    Replicates hold out consecutive blocks of one shuffled order, as in cross-validation (five replicates with a fifth
    each use every row once); further ones use another order.
    """
    train, test = [], []
    for replicate in range(replicates):
        turn, block = divmod(replicate, rows // n_test)
        order = _order(rows, seed, turn)
        held_out = slice(block * n_test, (block + 1) * n_test)
        test.append(order[held_out])
        train.append(np.delete(order, held_out))
    return np.stack(train), np.stack(test)


def shuffled(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return rows in another order."""
    return rows[_order(len(rows), seed)]


def _order(rows: int, seed: int, turn: int = 0) -> np.ndarray:
    return np.random.default_rng(random.fold_in(seed, "split", turn)).permutation(rows)


def seeds_of(seed: int, replicates: int, purpose: str) -> list[int]:
    """Return one seed per replicate, independent of how many there are."""
    return [random.fold_in(seed, purpose, replicate) for replicate in range(replicates)]


@dataclass
class Curve:
    """Estimates during training, on some of the test samples."""

    test: Tensor
    """`(replicates, rows, dim)`, preprocessed."""
    seeds: Sequence[int]
    mc_draws: int
    """Of the last point, on which warnings rest; the others have one."""
    points: list[dict[str, list | float]] = field(default_factory=list)
    std_error: Sequence[float] = ()
    """Of gap at the last point, `(replicates,)`."""

    def is_due(self, step: int, steps: int) -> bool:
        """Return whether the next point is due."""
        return step * CURVE_POINTS // steps > len(self.points)

    def add(self, model: Model, state: State, seconds: float, *, is_last: bool) -> str:
        """Add a point by every formula; return it in words."""
        mc_draws = self.mc_draws if is_last else 1
        found = estimates_of_state(model, state.average, self.test[:, :CURVE_ROWS], self.seeds, mc_draws=mc_draws)
        self.std_error = found["gap"].std_error.tolist()
        values = {name: estimate.value.tolist() for name, estimate in keyed_by_formula(found).items()}
        self.points.append({"step": state.step, "seconds": seconds, "loss": state.loss.tolist(), **values})
        return ", ".join(f"{name} {fmean(replicates):.3f}" for name, replicates in values.items()) + " nats"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return step and seconds `(points,)`; loss and the estimates by each formula `(points, replicates)`."""
        return {name: np.array([point[name] for point in self.points]) for name in self.points[0]}


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A stack of trained networks."""

    model: Model
    parameters: Tensor
    """`(replicates, flat_size)`: averaged weights."""
    moments: Moments
    """Those of the model's base."""

    @property
    def scores(self) -> Scores:
        """What estimates ask for."""
        return scores_of(self.model, self.model.network.unflatten(self.parameters))


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What estimates need of a fit."""

    trained: Trained
    settings: dict
    """Those of the estimator when it was fitted."""
    test: Tensor
    """Each replicate's test rows `(replicates, n, dim_x + dim_y)`, preprocessed."""
    n_train: int
    """Rows that each replicate was trained on."""
    disjoint: int
    """Replicates whose test rows have none in common."""
    log_scale: Tensor | None
    """Logarithms of the columns' scales `(replicates, dim_x + dim_y)`, if known: entropies need them."""


def keyed_by_formula(found: dict) -> dict:
    """Return results with a single width keyed by formula: the width is left out of `sigma=<σ>`."""
    return {name.partition("=")[0]: result for name, result in found.items()}


def model_of(
    settings: dict, variant: str, dims: tuple[int, int], n_train: int, moments: Moments, device: torch.device
) -> Model:
    """Return the model that an estimator's settings describe, for dim_x and dim_y and a number of training samples."""
    return build_model(
        variant=variant,
        dim_x=dims[0],
        dim_y=dims[1],
        n_train=n_train,
        times=Times(sde=SDE(), importance_sampling=settings["importance_sampling"]),
        hidden=settings["hidden"],
        middle_blocks=settings["middle_blocks"],
        architecture=settings["architecture"],
        moments=moments,
        device=device,
    )


def train(
    settings: dict,
    variant: str,
    dims: tuple[int, int],
    samples: Tensor,
    seeds: Sequence[int],
    *,
    title: str,
    curve: Curve | None = None,
) -> Trained:
    """Train one network per replicate on preprocessed samples `(replicates, n, dim)`.

    `settings` hold base, importance_sampling, hidden, middle_blocks, architecture, verbose and the fields of
    :class:`.Recipe`. `curve` is filled during training. Raises FloatingPointError, naming the replicate, if a loss or
    an estimate is not finite.
    """
    moments = compact(fit_base(settings["base"], samples, dims[0]))
    model = model_of(settings, variant, dims, samples.shape[1], moments, samples.device)
    recipe = Recipe(**{field.name: settings[field.name] for field in fields(Recipe)})
    state = start(model, seeds, samples.device)
    progress = Progress(f"{title}, {len(seeds)} replicates on {samples.device.type}", recipe.steps, "steps")
    for _ in train_stack(model, samples, recipe, seeds, state):
        about = f"loss {state.loss.mean():.4f}"
        if curve and curve.is_due(state.step, recipe.steps):
            is_last = state.step == recipe.steps
            about = f"{curve.add(model, state, progress.seconds, is_last=is_last)}, {about}"
        if settings["verbose"]:
            progress.report(state.step, about, milestone=state.step == recipe.steps)
    return Trained(model=model, parameters=state.average, moments=moments)
