"""The training loop: independent replicates, reproducible runs, correct results."""

import dataclasses
from collections import deque

import pytest
import torch
from gaussians import gaussian_with
from trainings import FAST, PAPER, model, run, samples

from minde.diffusion import estimators
from minde.diffusion.batches import CHUNK, Batches
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.training import restore, start, tensors_of, train_stack

CPU = torch.device("cpu")
GAUSSIAN = gaussian_with(0.5, 2)


@pytest.mark.parametrize("base", ["none", "gaussian", "mixture"])
@pytest.mark.parametrize("recipe", [FAST, PAPER], ids=["fast", "paper"])
@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_replicate_does_not_see_the_others(variant: str, dim: int, recipe: Recipe, base: str) -> None:
    """In a stack of three and alone, across the end of an epoch: bit for bit."""
    x = samples(dim=dim, base=base)
    stack, alone = run(x, variant, recipe, [7, 8, 9], base=base), run(x[1:2], variant, recipe, [8], base=base)
    assert torch.equal(stack.parameters[1:2], alone.parameters)
    assert torch.equal(stack.average[1:2], alone.average)
    assert torch.equal(stack.loss[1:2], alone.loss)


@pytest.mark.parametrize("recipe", [FAST, PAPER], ids=["fast", "paper"])
def test_a_run_repeats_to_the_bit(recipe: Recipe) -> None:
    x = samples()
    first, second = run(x, "j", recipe, [7, 8, 9]), run(x, "j", recipe, [7, 8, 9])
    assert torch.equal(first.parameters, second.parameters)
    assert torch.equal(first.average, second.average)


@pytest.mark.parametrize("recipe", [FAST, PAPER], ids=["fast", "paper"])
def test_a_state_handed_out_is_all_that_a_training_needs_to_go_on(recipe: Recipe) -> None:
    """Stopped in mid-epoch and continued by a new iterator: bit for bit."""
    x, seeds = samples(), [7, 8, 9]
    built = model(x, "j")
    state = next(train_stack(built, x, recipe, seeds, start(built, seeds, CPU)))
    assert state.step == CHUNK
    state = deque(train_stack(built, x, recipe, seeds, state), maxlen=1).pop()
    uninterrupted = run(x, "j", recipe, seeds)
    assert state.step == recipe.steps
    assert torch.equal(state.parameters, uninterrupted.parameters)
    assert torch.equal(state.average, uninterrupted.average)


@pytest.mark.parametrize("recipe", [FAST, PAPER], ids=["fast", "paper"])
@pytest.mark.parametrize("kept", [slice(0, 3), slice(1, 2)], ids=["the stack", "a part of it"])
def test_tensors_are_all_that_a_fresh_state_needs_to_go_on(recipe: Recipe, kept: slice) -> None:
    """Taken after one chunk, loaded into a new state, trained to the end: bit for bit."""
    x, seeds = samples(), [7, 8, 9]
    built = model(x, "j")
    going = train_stack(built, x, recipe, seeds, start(built, seeds, CPU))
    tensors = tensors_of(next(going))
    next(going)  # copies do not change as the training continues
    state = start(built, [0] * len(seeds[kept]), CPU)  # nothing of the new state is left
    restore(state, {name: tensor[kept] for name, tensor in tensors.items()})
    assert state.step == CHUNK
    assert torch.equal(state.loss, tensors["loss"][kept])  # the last finite loss, in case the next one is not
    state = deque(train_stack(built, x[kept], recipe, seeds[kept], state), maxlen=1).pop()
    uninterrupted = tensors_of(run(x, "j", recipe, seeds))
    for name, tensor in tensors_of(state).items():
        assert torch.equal(tensor, uninterrupted[name][kept]), name


def test_tensors_of_a_state_before_its_first_step_are_its_beginning() -> None:
    x, seeds = samples(), [7, 8, 9]
    built = model(x, "j")
    state = start(built, seeds, CPU)
    restore(state, tensors_of(state))
    state = deque(train_stack(built, x, FAST, seeds, state), maxlen=1).pop()
    assert torch.equal(state.parameters, run(x, "j", FAST, seeds).parameters)


@pytest.mark.parametrize(("of", "name"), [("parameters", "parameters"), ("average", "averaged parameters")])
def test_weights_that_are_not_finite_are_named_before_they_are_kept(of: str, name: str) -> None:
    x, seeds = samples(), [7, 8, 9]
    built = model(x, "c")
    state = next(train_stack(built, x, FAST, seeds, start(built, seeds, CPU, first=4)))
    getattr(state, of).data[2, 5] = torch.inf
    with pytest.raises(FloatingPointError, match=rf"1 {name} of replicate 6 .* step 32; .* finite loss was \d"):
        tensors_of(state)


def test_schedules_and_average() -> None:
    assert [FAST.learning_rate_at(s) for s in (0, FAST.steps // 2, FAST.steps)] == pytest.approx([2e-3, 1e-3, 0])
    assert PAPER.learning_rate_at(FAST.steps - 1) == 2e-3
    assert FAST.ema_decay_at(0) == pytest.approx(0.1)
    assert FAST.ema_decay_at(100_000) == 0.999


def test_few_samples_of_many_coordinates_decay_more() -> None:
    """From 400 per coordinate on, in inverse proportion to their number; below, to its square."""
    recipe = dataclasses.replace(FAST, weight_decay=600.0)
    assert recipe.decay(100_000, 50) == 600 / 100_000
    assert recipe.decay(800, 2) == 600 / 800
    assert recipe.decay(800, 20) == pytest.approx(10 * 600 / 800)
    assert recipe.decay(400, 20) == pytest.approx(4 * recipe.decay(800, 20))


def test_decay_does_not_turn_parameters_round() -> None:
    recipe = dataclasses.replace(FAST, weight_decay=600.0)
    assert recipe.learning_rate_at(0) * recipe.decay(256, 300) == pytest.approx(1)


def test_parameters_decay_by_the_learning_rate_and_the_number_of_samples() -> None:
    """Padding of a replicate's row does not enter the loss: it only decays."""
    x, recipe = samples(2, 200), dataclasses.replace(FAST, weight_decay=600.0)
    network = model(x, "c").network
    assert network.n_parameters < network.flat_size
    unused = slice(network.n_parameters, None)
    initial = network.initialize([7, 8], CPU)[:, unused]
    decay = recipe.decay(*x.shape[1:])
    kept = averaged = 1.0
    for step in range(recipe.steps):
        kept *= 1 - recipe.learning_rate_at(step) * decay
        averaged += (1 - recipe.ema_decay_at(step)) * (kept - averaged)
    assert kept < averaged < 0.95
    found = run(x, "c", recipe, [7, 8])
    torch.testing.assert_close(found.parameters[:, unused], kept * initial)
    torch.testing.assert_close(found.average[:, unused], averaged * initial)


def test_the_loss_is_the_mean_over_the_last_steps() -> None:
    """A network that hardly trains predicts noise of variance 1 badly, in all steps alike."""
    recipe = dataclasses.replace(FAST, steps=CHUNK, learning_rate=1e-12, weight_decay=0.0)
    loss = run(samples(2, 200), "c", recipe, [7, 8]).loss
    assert ((loss > 0.5) & (loss < 3)).all()


def test_stratified_times_fall_into_equal_shares_for_each_score() -> None:
    x = samples(2, 200)
    built = model(x, "c")
    batches = Batches(built, x, FAST, [7, 8])
    place = built.times.clock(batches.draw(0).t.double())  # uniform in (0, 1), from that of each block
    for block in batches.dealt.groups.values():
        n = block.stop - block.start
        shares = (place[..., block] * n - 1e-4).floor().clamp(min=0).long()
        assert (shares == torch.arange(n)).all()


@pytest.mark.parametrize("variant", ["c", "j"])
def test_training_learns_the_scores_of_a_gaussian(variant: str) -> None:
    """After 1,200 small steps without a base, noise predictions are close to the analytic ones, and so is the MI."""
    x = samples(2, 5000)
    recipe = dataclasses.replace(FAST, steps=1200, batch_size=256, learning_rate=4e-3)
    built, state = model(x, variant), run(x, variant, recipe, [7, 8])
    scores = estimators.scores_of(built, built.network.unflatten(state.average))
    fresh = GAUSSIAN.sample(2, 4000, seed=5).float()

    def error(clean, noisy, noise, t):
        return {
            name: (learned - GAUSSIAN.noise(SDE(), clean.double(), noisy.double(), t.double(), name)).square().mean(-1)
            for name, learned in scores(clean, noisy, t).items()
        }

    times = scores.times
    errors = estimators.integrate(error, fresh, times=times, mc_draws=1, stratified=True, seeds=[1, 2])
    for name, values in errors.items():
        assert values.mean() / (0.5 * times.normalizer) < 0.02, name
    found = estimators.mutual_information(
        scores,
        fresh,
        formulas=["gap"],
        sigmas=[],
        mc_draws=10,
        stratified=True,
        seeds=[1, 2],
    )["gap"]
    assert (found.value - 0.5).abs().max() < 0.12


def test_a_gaussian_base_is_right_before_the_first_step() -> None:
    x = samples(2, 20_000)
    built = model(x, "j", base="gaussian")
    parameters = built.network.unflatten(start(built, [7, 8], CPU).parameters.detach())
    found = estimators.mutual_information(
        estimators.scores_of(built, parameters),
        x[:, :5000],
        formulas=["inside"],
        sigmas=[],
        mc_draws=4,
        stratified=True,
        seeds=[1, 2],
    )["inside"]
    assert (found.value - 0.5).abs().max() < 0.03


def test_a_loss_that_is_not_finite_stops_with_its_replicate() -> None:
    x = samples()
    x[2] = torch.inf
    with pytest.raises(FloatingPointError, match=r"loss of replicate 2 is nan in the 32 steps up to step 32"):
        run(x, "c", FAST, [7, 8, 9])


def test_a_batch_larger_than_the_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="batch of 64 cannot be drawn from 50 training samples"):
        run(samples(n=50), "c", FAST, [7, 8, 9])


@pytest.mark.parametrize("name", ["schedule", "score_choice", "times"])
def test_a_recipe_refuses_a_choice_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=f"Recipe: {name} is 'cosin'; expected one of "):
        dataclasses.replace(FAST, **{name: "cosin"})
