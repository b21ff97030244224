"""Training: one loop for a stack of replicates, each independent of the others.

Since every random draw is derived from a replicate's seed and the step (see :mod:`.batches`), the state of the loop is
the step, the parameters, their average and Adam's moments.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from .batches import CHUNK, Batch, Batches
from .graphs import captured
from .loss import noise_prediction_loss
from .model import Model
from .recipe import Recipe

GRAPH_DEVICES = ("cuda",)  # a step is captured as one graph
REMEDY = "Lower learning_rate, or check the samples' scale (in a study, minde.sde too)."


@dataclass
class State:
    """State of a training; tensors are shared with the loop, which changes them."""

    step: int
    """Steps done."""
    parameters: Tensor
    """`(replicates, flat_size)`."""
    leaves: dict[str, Tensor]
    """Views of the parameters by name; the loss is differentiated with respect to them."""
    gradients: list[Tensor]
    """Views of the parameters' gradient, one for each of `leaves`."""
    average: Tensor
    """`(replicates, flat_size)`: the exponential moving average (EMA) of the parameters."""
    optimizer: torch.optim.AdamW
    loss: Tensor
    """`(replicates,)`: mean loss in the last few steps before the state was yielded."""
    first: int = 0
    """Number of the stack's first replicate in error messages, if the stack is part of a cell."""


def start(model: Model, seeds: Sequence[int], device: torch.device, first: int = 0) -> State:
    """Return the state before the first step; errors number the replicates from `first`."""
    parameters = model.network.initialize(seeds, device)
    parameters.grad = torch.zeros_like(parameters)
    leaves = {name: view.requires_grad_() for name, view in model.network.unflatten(parameters).items()}
    gradients = list(model.network.unflatten(parameters.grad).values())
    # Adam works elementwise: one Adam on the stack's tensor equals one per replicate. Its learning rate is a tensor
    # and its state exists before the first step, so that all steps run the same code. Rate and decay are set later.
    rate = torch.zeros((), dtype=parameters.dtype, device=device)
    optimizer = torch.optim.AdamW([parameters], lr=rate, weight_decay=0.0, fused=True, capturable=device.type == "cuda")
    optimizer.state[parameters] = {
        "step": torch.zeros_like(rate),
        "exp_avg": torch.zeros_like(parameters),
        "exp_avg_sq": torch.zeros_like(parameters),
    }
    loss = parameters.new_full((len(seeds),), math.nan)
    return State(0, parameters, leaves, gradients, parameters.clone(), optimizer, loss, first)


def tensors_of(state: State) -> dict[str, Tensor]:
    """Return copies, on the CPU, of all that a training needs to resume, each tensor `(replicates, …)`.

    Rows of several stacks can be joined and split. Raises FloatingPointError, naming the replicate, if a parameter or
    its average is not finite.
    """
    _check_weights(state)
    adam = state.optimizer.state[state.parameters]
    tensors = {
        "step": torch.full_like(state.loss, state.step, dtype=torch.int64),
        "parameters": state.parameters,
        "average": state.average,
        "adam/mean": adam["exp_avg"],
        "adam/square": adam["exp_avg_sq"],
        "loss": state.loss,
    }
    return {name: tensor.to("cpu", copy=True) for name, tensor in tensors.items()}


def restore(state: State, tensors: dict[str, Tensor]) -> None:
    """Load the tensors of :func:`tensors_of`, from the same replicates, into a state of :func:`start`."""
    (state.step,) = set(tensors["step"].tolist())
    state.parameters.copy_(tensors["parameters"])
    state.average.copy_(tensors["average"])
    state.loss = tensors["loss"].to(state.loss.device)
    adam = state.optimizer.state[state.parameters]
    adam["step"].fill_(state.step)
    adam["exp_avg"].copy_(tensors["adam/mean"])
    adam["exp_avg_sq"].copy_(tensors["adam/square"])


def train_stack(model: Model, samples: Tensor, recipe: Recipe, seeds: Sequence[int], state: State) -> Iterator[State]:
    """Train from `state` to the recipe's last step; yield the state after every CHUNK steps and at the end.

    `samples` are training samples `(replicates, n, dim)`. Raises FloatingPointError, naming step and replicate, as
    soon as a loss is not finite.
    """
    batches = Batches(model, samples, recipe, seeds)
    state.optimizer.param_groups[0]["weight_decay"] = recipe.decay(*samples.shape[1:])
    chunk = batches.draw(state.step)
    position = torch.zeros(1, dtype=torch.int64, device=samples.device)
    total = torch.zeros_like(state.loss)

    def step() -> None:
        total.add_(_step(model, state, batches.pick(chunk, position)))
        position.add_(1)

    with _as_graph(step, state) if samples.device.type in GRAPH_DEVICES else nullcontext(step) as run:
        while state.step < recipe.steps:
            steps = min(CHUNK, recipe.steps - state.step)
            position.zero_()
            total.zero_()
            for _ in range(steps):
                run()
            state.step += steps
            if state.step < recipe.steps:  # before the loss is read, so that the GPU need not wait for the host
                chunk.copy_(batches.draw(state.step))
            loss = total / steps
            if position.item() != steps:
                raise RuntimeError(f"The training step that was captured as a graph on {samples.device} does nothing.")
            _check_loss(loss, state)
            state.loss = loss
            yield state


@contextmanager
def _as_graph(step: Callable[[], None], state: State) -> Iterator[Callable[[], None]]:
    """Capture a step as one graph, without changing the state; yield what replays it."""
    before = tensors_of(state)
    with captured(step, state.parameters.device) as replay:
        restore(state, before)
        yield replay


def _step(model: Model, state: State, batch: Batch) -> Tensor:
    """Do one step of Adam and of the average; return the loss of each replicate.

    Nothing here may depend on host values that change with the step, or read a number from the device: see
    :mod:`.graphs`.
    """
    loss = loss_of(model, state.leaves, batch)
    # The sum's gradient holds each replicate's own, since no replicate's loss depends on another's parameters.
    gradients = torch.autograd.grad(loss.sum(), list(state.leaves.values()))
    torch._foreach_copy_(state.gradients, gradients)
    state.optimizer.param_groups[0]["lr"].copy_(batch.learning_rate)
    state.optimizer.step()
    state.average.lerp_(state.parameters, batch.ema_weight)
    return loss.detach()


def loss_of(model: Model, parameters: dict[str, Tensor], batch: Batch) -> Tensor:
    """Return the loss of each replicate, `(replicates,)`."""
    noisy = model.times.sde.perturb(batch.clean, batch.noise, batch.t)
    noise_pred = model.predict(parameters, batch.clean, noisy, batch.t, batch.selection)
    return noise_prediction_loss(noise_pred, batch.noise, model.masks.diffused[batch.selection.scores])


def _check_loss(loss: Tensor, state: State) -> None:
    if bad := (~loss.isfinite()).nonzero().flatten().tolist():
        raise FloatingPointError(
            f"The loss of replicate {state.first + bad[0]} is {loss[bad[0]].item()} in the {CHUNK} steps up to step "
            f"{state.step}{_last_loss(state, bad[0])}. {REMEDY}"
        )


def _check_weights(state: State) -> None:
    for name, weights in (("parameters", state.parameters), ("averaged parameters", state.average)):
        if bad := (~weights.isfinite().all(dim=1)).nonzero().flatten().tolist():
            raise FloatingPointError(
                f"{(~weights[bad[0]].isfinite()).sum()} {name} of replicate {state.first + bad[0]} are not finite at "
                f"step {state.step}{_last_loss(state, bad[0])}. {REMEDY}"
            )


def _last_loss(state: State, replicate: int) -> str:
    """Return the last finite loss in words, or nothing before the first."""
    loss = state.loss[replicate].item()
    return f"; its last finite loss was {loss:.4g}" if math.isfinite(loss) else ""
