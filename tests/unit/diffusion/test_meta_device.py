"""Requirements of a GPU on a step and an estimate, tested on torch's device "meta", which computes nothing.

There too, all tensors of an operation must be on one device, and the host cannot read a number.
"""

from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from trainings import FAST, PAPER, model, samples

from minde.diffusion import estimators, mixture, random, training
from minde.diffusion.base import fit_base
from minde.diffusion.batches import Batches
from minde.diffusion.estimators import FORMULAS, mutual_information, scores_of
from minde.diffusion.training import State

META = torch.device("meta")
SEEDS = [7, 8, 9]


@pytest.fixture(autouse=True)
def _draws_without_seeds(monkeypatch) -> None:
    monkeypatch.setattr(random, "generator", lambda *_: None)  # meta has no generators
    # The host may read the number of components of a mixture: once, when the base is built.
    monkeypatch.setattr(mixture, "needed_components", lambda *moments: moments)


def on_meta(variant: str, base: str):
    """A model whose base was fitted on the CPU, and samples."""
    x = samples(base=base)
    moments = {name: moment.to(META) for name, moment in fit_base(base, x, x.shape[-1] // 2).items()}
    # A base is built on the CPU, once.
    with patch.object(torch.Tensor, "cpu", lambda tensor: tensor):
        return model(x.to(META), variant, base=base, moments=moments), x.to(META)


@pytest.mark.parametrize(("recipe", "base"), [(FAST, "gaussian"), (FAST, "mixture"), (FAST, "none"), (PAPER, "none")])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_step_stays_on_its_device_and_asks_it_for_nothing(variant, recipe, base) -> None:
    built, x = on_meta(variant, base)
    parameters = built.network.initialize(SEEDS, META)
    parameters.grad = torch.zeros_like(parameters)
    leaves = {name: view.requires_grad_() for name, view in built.network.unflatten(parameters).items()}
    gradients = list(built.network.unflatten(parameters.grad).values())
    # Instead of torch's Adam, which reads its learning rate when it is created.
    adam = SimpleNamespace(param_groups=[{"lr": torch.zeros((), device=META)}], step=lambda: None)
    state = State(0, parameters, leaves, gradients, parameters.clone(), adam, parameters.new_zeros(len(SEEDS)))
    batches = Batches(built, x, recipe, SEEDS)
    batch = batches.pick(batches.draw(0), torch.zeros(1, dtype=torch.int64, device=META))
    loss = training._step(built, state, batch)
    assert loss.device == META
    assert loss.shape == (len(SEEDS),)


@pytest.mark.parametrize("base", ["gaussian", "mixture", "none"])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_an_estimate_stays_on_its_device_and_asks_it_for_nothing(variant, base, monkeypatch) -> None:
    """Until its value is read."""
    monkeypatch.setattr(estimators, "summarize", lambda name, per_point, first: per_point)
    built, x = on_meta(variant, base)
    parameters = built.network.unflatten(built.network.initialize(SEEDS, META))
    found = mutual_information(
        scores_of(built, parameters),
        x,
        formulas=FORMULAS,
        sigmas=(1.0,),
        mc_draws=2,
        stratified=True,
        seeds=SEEDS,
    )
    assert {per_point.device for per_point in found.values()} == {META}
    assert {per_point.shape for per_point in found.values()} == {x.shape[:2]}
