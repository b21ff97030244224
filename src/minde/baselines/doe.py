"""DoE: mutual information as a difference of entropies (McAllester and Stratos 2020).

I(X; Y) = H(Y) - H(Y | X), each entropy replaced by the cross entropy of a model: q(y) of independent coordinates with
learnt location and scale, and q(y | x) of independent coordinates whose location and scale are a network's outputs. All
replicates train independently, but as one program: every tensor is `(replicates, …)`.
"""

import math
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from minde.progress import Progress

from . import widths
from .interface import Outcome, Replicate, outcome_of
from .perceptrons import Perceptrons
from .stacks import generators, stack, train

Density = Literal["gaussian", "logistic"]


def doe(
    replicates: Iterable[Replicate],
    *,
    device: torch.device | str = "cpu",
    density: Density,
    hidden: int | str,
    layers: int,
    batch_size: int,
    learning_rate: float,
    clip: float,
    steps: int,
) -> Iterator[Outcome]:
    """Train both models on each replicate's training split; estimate from their cross entropies on the test split.

    The network has `layers` tanh layers of `hidden` units, or `auto` (see `widths`). Adam with a constant rate;
    `clip` is the largest norm of a replicate's gradient. The standard error is that of the mean over test samples.
    Raises ValueError if there are fewer training rows than a batch has.
    """
    start = time.perf_counter()
    replicates = list(replicates)
    samples, test = stack(replicates, device)
    dim_x, dim_y = (tensor.shape[2] for tensor in samples)
    seeds = [replicate.seed for replicate in replicates]
    marginal, network = initialize(seeds, dim_x, dim_y, widths.of_network(dim_x, hidden), layers, device)
    parameters = [marginal, *network.parameters()]

    def losses(x: Tensor, y: Tensor) -> Tensor:
        return sum(_cross_entropy(y, outputs, density) for outputs in (marginal, network(x))).mean(dim=1)

    lost = train(
        losses,
        parameters,
        samples,
        seeds,
        batch_size=batch_size,
        learning_rate=learning_rate,
        steps=steps,
        progress=Progress(f"DoE ({density}), {len(seeds)} replicates on {marginal.device.type}", steps, "steps"),
        on_gradients=lambda: _clip([tensor.grad for tensor in parameters], clip),
    )
    nats, std_error = _evaluate(marginal, network, *test, density)
    seconds = (time.perf_counter() - start) / len(replicates)
    for value, error, step in zip(nats.tolist(), std_error.tolist(), lost.tolist(), strict=True):
        reason = f"the loss was not finite at step {step}" if step else f"the cross entropies differ by {value}"
        yield outcome_of(value, seconds, otherwise=reason, std_error=error)


doe_gaussian = partial(doe, density="gaussian")
doe_logistic = partial(doe, density="logistic")


def log_density(y: Tensor, location: Tensor, log_scale: Tensor, density: Density) -> Tensor:
    """Return the log density of y `(…, dim_y)` under independent coordinates, `(…)`."""
    z = (y - location) * (-log_scale).exp()
    shape = -0.5 * (z.square() + math.log(2 * math.pi)) if density == "gaussian" else -z - 2 * softplus(-z)
    return (shape - log_scale).sum(dim=-1)


def initialize(
    seeds: list[int], dim_x: int, dim_y: int, hidden: int, layers: int, device: torch.device | str
) -> tuple[Tensor, Perceptrons]:
    """Return location and log scale of q(y), concatenated `(replicates, 1, 2 dim_y)` and 0; the network of q(y | x)."""
    sizes = [dim_x, *[hidden] * layers, 2 * dim_y]
    network = Perceptrons(sizes, generators(seeds, "initialise"), "tanh").to(device)
    return torch.zeros(len(seeds), 1, 2 * dim_y, device=device, requires_grad=True), network


def _cross_entropy(y: Tensor, outputs: Tensor, density: Density) -> Tensor:
    """Return -log q of every sample, `(replicates, rows)`; `outputs` are location and log scale, concatenated."""
    return -log_density(y, *outputs.chunk(2, dim=2), density)


def _clip(gradients: list[Tensor], largest: float) -> None:
    """Scale each replicate's gradient to at most this norm."""
    norm = sum(gradient.square().sum(dim=(1, 2)) for gradient in gradients).sqrt()
    factor = (largest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor[:, None, None])


def _evaluate(marginal: Tensor, network: Perceptrons, x: Tensor, y: Tensor, density: Density) -> tuple[Tensor, Tensor]:
    """Return the mean over test samples of the cross entropies' difference, and its standard error, per replicate."""
    with torch.no_grad():
        gain = (_cross_entropy(y, marginal, density) - _cross_entropy(y, network(x), density)).double()
    return gain.mean(dim=1), gain.std(dim=1) / math.sqrt(gain.shape[1])
