"""Training: one loop for a stack of replicates, whose numbers do not depend on each other.

Every random draw is derived from a replicate's seed and the step (see :mod:`.random`), so the loop's whole state is its
step, parameters, averages and Adam's moments.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from . import random
from .conditioning import Selection, allocate, choose
from .loss import noise_prediction_loss
from .model import Model
from .times import stratify

CHUNK = 32  # steps whose random numbers are drawn at once; part of the seed path, so changing it changes the numbers
REMEDY = "Lower learning_rate, or look at the samples' scale."


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train. The recipes of the study, and where their numbers come from, are in its config."""

    steps: int
    """Steps of Adam."""
    batch_size: int
    """Samples per step and replicate."""
    learning_rate: float
    """Adam's learning rate, at its highest."""
    schedule: Literal["constant", "cosine"]
    """Learning rate over the steps: constant (the paper) or a half cosine down to zero."""
    ema_decay: float
    """Decay per step of the average of the parameters that estimation uses; less in the first steps."""
    score_choice: Literal["per_batch", "per_sample"]
    """One score for a whole batch, at random (the paper), or a fixed share of every batch for each score."""
    times: Literal["iid", "stratified"]
    """Times drawn independently (the paper) or one in each of equal shares of their distribution."""

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from zero."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))

    def ema_decay_at(self, step: int) -> float:
        """Return the average's decay at a step: a short memory first, lest it remember the initial parameters."""
        return min(self.ema_decay, (1 + step) / (10 + step))


@dataclass
class State:
    """Where a training stands; tensors are shared with the loop and change as it goes on."""

    step: int
    """Steps done."""
    parameters: Tensor
    """``(replicates, flat_size)``."""
    leaves: dict[str, Tensor]
    """Views of them by name, by which the loss is differentiated."""
    gradients: list[Tensor]
    """Views of their gradient, one for each of ``leaves``."""
    average: Tensor
    """``(replicates, flat_size)``: the exponential moving average (EMA) of the parameters."""
    optimizer: torch.optim.Adam
    loss: Tensor
    """``(replicates,)``: mean loss in the last few steps before the state was handed out."""
    first: int = 0
    """Number that errors call the stack's first replicate, where the stack is a part of a cell."""


@dataclass(frozen=True)
class Batch:
    """One step's samples and random numbers, for every replicate."""

    clean: Tensor
    """``(replicates, batch, dim)``."""
    noise: Tensor
    """``(replicates, batch, dim)``."""
    t: Tensor
    """``(replicates, batch)``."""
    selection: Selection


def start(model: Model, recipe: Recipe, seeds: Sequence[int], device: torch.device, first: int = 0) -> State:
    """Return the state before the first step, of a stack whose replicates errors number from ``first``."""
    parameters = model.network.initialise(seeds, device)
    parameters.grad = torch.zeros_like(parameters)
    leaves = {name: view.requires_grad_() for name, view in model.network.unflatten(parameters).items()}
    gradients = list(model.network.unflatten(parameters.grad).values())
    # Adam works elementwise: on the stack's one tensor it is the replicates' own Adams. The learning rate is a tensor
    # so that changing it moves no data.
    optimizer = torch.optim.Adam([parameters], lr=torch.tensor(recipe.learning_rate, device=device), fused=True)
    loss = torch.full((len(seeds),), math.nan, device=device)
    return State(0, parameters, leaves, gradients, parameters.clone(), optimizer, loss, first)


def tensors_of(state: State) -> dict[str, Tensor]:
    """Return copies, on the CPU, of all that a training needs to go on, each tensor ``(replicates, …)``.

    Rows of several stacks can be joined and parted. Raises FloatingPointError, naming the replicate, where a parameter
    or its average is not finite.
    """
    _check_weights(state)
    adam = state.optimizer.state[state.parameters]
    nothing = torch.zeros_like(state.parameters)  # what Adam starts from
    tensors = {
        "step": torch.full_like(state.loss, state.step, dtype=torch.int64),
        "parameters": state.parameters,
        "average": state.average,
        "adam/mean": adam.get("exp_avg", nothing),
        "adam/square": adam.get("exp_avg_sq", nothing),
        "loss": state.loss,
    }
    return {name: tensor.to("cpu", copy=True) for name, tensor in tensors.items()}


def restore(state: State, tensors: dict[str, Tensor]) -> None:
    """Bring a state of :func:`start` to where :func:`tensors_of` found another one of the same replicates."""
    device = state.parameters.device
    (state.step,) = set(tensors["step"].tolist())
    state.parameters.copy_(tensors["parameters"])
    state.average.copy_(tensors["average"])
    state.loss = tensors["loss"].to(device)
    state.optimizer.state[state.parameters] = {
        "step": torch.tensor(float(state.step), device=device),
        "exp_avg": tensors["adam/mean"].to(device, copy=True),
        "exp_avg_sq": tensors["adam/square"].to(device, copy=True),
    }


def train_stack(model: Model, samples: Tensor, recipe: Recipe, seeds: Sequence[int], state: State) -> Iterator[State]:
    """Train from ``state`` to the recipe's last step, handing out the state every few steps and at the end.

    ``samples`` are training samples ``(replicates, n, dim)``. Raises FloatingPointError, naming step and replicate, as
    soon as a loss is not finite.
    """
    total, first = torch.zeros_like(state.loss), state.step
    for batch in _batches(model, samples, recipe, seeds, state.step):
        total += _step(model, recipe, state, batch)
        if state.step % CHUNK == 0 or state.step == recipe.steps:
            loss = total / (state.step - first)
            _check_loss(loss, state)
            state.loss = loss
            total, first = torch.zeros_like(total), state.step
            yield state


def _step(model: Model, recipe: Recipe, state: State, batch: Batch) -> Tensor:
    """Do one step of Adam and of the average; return the loss of each replicate."""
    noisy = model.times.sde.perturb(batch.clean, batch.noise, batch.t)
    noise_pred = model.predict(state.leaves, batch.clean, noisy, batch.t, batch.selection)
    loss = noise_prediction_loss(noise_pred, batch.noise, model.masks.diffused[batch.selection.rows])
    # The sum's gradient is each replicate's own gradient, since no replicate's loss reads another's parameters.
    gradients = torch.autograd.grad(loss.sum(), list(state.leaves.values()))
    torch._foreach_copy_(state.gradients, gradients)
    state.optimizer.param_groups[0]["lr"].fill_(recipe.learning_rate_at(state.step))
    state.optimizer.step()
    state.average.lerp_(state.parameters, 1 - recipe.ema_decay_at(state.step))
    state.step += 1
    return loss.detach()


def _batches(model: Model, samples: Tensor, recipe: Recipe, seeds: Sequence[int], first: int) -> Iterator[Batch]:
    """Yield the batches of steps ``first`` to the last: shuffled epochs without their incomplete last batch."""
    replicates, n, dim = samples.shape
    size, device = recipe.batch_size, samples.device
    if size > n:
        raise ValueError(f"A batch of {size} cannot be drawn from {n} training samples; lower batch_size to {n}.")
    per_epoch = n // size
    flat = samples.reshape(replicates * n, dim)
    offset = torch.arange(0, replicates * n, n, device=device).unsqueeze(1)
    fixed = allocate(model.variant, size, device) if recipe.score_choice == "per_sample" else None
    order = chunk = None
    for step in range(first, recipe.steps):
        epoch, position = divmod(step, per_epoch)
        if order is None or position == 0:
            order = random.permutations(n, seeds, "epoch", epoch, device=device) + offset
        if chunk is None or step % CHUNK == 0:
            chunk = _draw_chunk(step // CHUNK, size, dim, seeds, device)
        noise, u, choice = (draws[:, step % CHUNK] for draws in chunk)
        rows = order[:, position * size : (position + 1) * size]
        selection = fixed or choose(model.variant, choice)
        if recipe.times == "stratified":
            blocks = selection.groups.values() if selection.groups else (slice(None),)
            u = torch.cat([stratify(u[:, block]) for block in blocks], dim=1)
        yield Batch(flat[rows], noise, model.times.inverse_cdf(u), selection)


def _draw_chunk(index: int, size: int, dim: int, seeds: Sequence[int], device: torch.device) -> tuple[Tensor, ...]:
    """Draw noise ``(replicates, CHUNK, size, dim)``, time ``(…, size)`` and score choice ``(…, 1)`` of a chunk."""
    return (
        random.normals((CHUNK, size, dim), seeds, "noise", index, device=device),
        random.uniforms((CHUNK, size), seeds, "time", index, device=device),
        random.uniforms((CHUNK, 1), seeds, "score", index, device=device),
    )


def _check_loss(loss: Tensor, state: State) -> None:
    if bad := (~loss.isfinite()).nonzero().flatten().tolist():
        raise FloatingPointError(
            f"The loss of replicate {state.first + bad[0]} is {loss[bad[0]].item()} in the {CHUNK} steps up to step "
            f"{state.step}; it was {state.loss[bad[0]].item():.4g} before. {REMEDY}"
        )


def _check_weights(state: State) -> None:
    for name, weights in (("parameters", state.parameters), ("averaged parameters", state.average)):
        if bad := (~weights.isfinite().all(dim=1)).nonzero().flatten().tolist():
            raise FloatingPointError(
                f"{(~weights[bad[0]].isfinite()).sum()} {name} of replicate {state.first + bad[0]} are not finite at "
                f"step {state.step}; its last finite loss was {state.loss[bad[0]].item():.4g}. {REMEDY}"
            )
