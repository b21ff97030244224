"""MINE: mutual information by a statistics network, as a building block of other models (Belghazi et al. 2018).

A network T(x, z) is trained to tell joint samples from pairs of the marginals; the bound that it reaches is an estimate
from below, in nats. Tensors are `(…, batch, dim)`: leading dimensions are the independent replicates of a stack, so
that the same code serves one network and a stack of networks. Imports torch and nothing else of this package.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Loss = Literal["mine", "mine_biased", "fdiv"]
LOSSES = get_args(Loss)
Generators = torch.Generator | Sequence[torch.Generator] | None


class Mine(nn.Module):
    """A statistics network with the loss that trains it and its estimate of mutual information.

    `network` maps `(…, batch, dim)` to `(…, batch, 1)`; `combine` makes its input from x and z: `concat`, or a function
    of both. `loss` is one of

    - `mine`: the Donsker-Varadhan bound E T - log E' exp T (eq. 10), whose gradient is corrected by a running mean of
      E' exp T (eq. 12), in which `smoothing` is the weight of the newest batch;
    - `mine_biased`: the same bound with its own gradient, which is biased for small batches;
    - `fdiv`: the looser bound of f-divergences, E T - E' exp(T - 1) (eq. 6), whose gradient is not biased.

    E is the mean over joint samples, E' over pairs whose z comes from another sample. Raises ValueError if `loss`,
    `combine` or `smoothing` is invalid.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        loss: Loss = "mine",
        combine: Literal["concat"] | Callable[[Tensor, Tensor], Tensor] = "concat",
        smoothing: float = 0.01,
    ) -> None:
        """Use the network as it is; the running mean starts with the first batch."""
        super().__init__()
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r} of MINE; expected {', '.join(LOSSES)}")
        if combine != "concat" and not callable(combine):
            raise ValueError(f"unknown way to combine x and z: {combine!r}; expected 'concat' or a function of both")
        if not 0 < smoothing <= 1:
            raise ValueError(f"smoothing is {smoothing}; expected the newest batch's weight, above 0 and at most 1")
        self.network, self.kind, self.smoothing = network, loss, smoothing
        self.combine = concat if combine == "concat" else combine
        # Log of the running mean of E' exp T, per replicate; NaN before the first batch. As a logarithm it cannot
        # overflow.
        self.register_buffer("log_mean", torch.tensor(math.nan) if loss == "mine" else None)

    def loss(self, x: Tensor, z: Tensor, generator: Generators = None, z_marginal: Tensor | None = None) -> Tensor:
        """Return the loss of each replicate, `(…)`, to be minimized: minus the bound, in nats.

        It is differentiable with respect to the network's parameters, x and z. Marginal samples are z in a random order
        drawn from `generator` (see `shuffle`), or `z_marginal`, of the shape of z, if better ones are available. In
        training mode, `mine` updates its running mean. Raises ValueError if x and z differ in their numbers of
        replicates or samples, or have fewer than two samples, or if the network does not return one number per sample.
        """
        joint, marginal = self._statistics(x, z, generator, z_marginal)
        if self.kind == "fdiv":
            return -_fdiv(joint, marginal)
        log_mean_exp = _log_mean_exp(marginal)
        if self.kind == "mine":
            log_mean_exp = self._corrected(log_mean_exp)
        return log_mean_exp - joint.mean(dim=-1)

    def forward(self, x: Tensor, z: Tensor, generator: Generators = None, z_marginal: Tensor | None = None) -> Tensor:
        """Return the loss, for tools that call modules: hooks, `torch.compile`, data parallelism."""
        return self.loss(x, z, generator, z_marginal)

    @torch.no_grad()
    def information(
        self,
        x: Tensor,
        z: Tensor,
        generator: Generators = None,
        z_marginal: Tensor | None = None,
        *,
        shuffles: int = 10,
    ) -> Tensor:
        """Return the bound on the mutual information of each replicate, `(…)`, in nats.

        E' is over several `shuffles` of z, or over `z_marginal`: n samples have n - 1 times as many pairs as one
        shuffle. Ten shuffles reduce the estimate's noise by a factor of 1.3 for weak dependence to more than 2 for
        strong; the rest comes from the samples themselves. All modules compute in evaluation mode, and neither
        their modes nor the running mean change. Without a generator the orders of z are fixed, so that the same samples
        give the same number. Raises ValueError like `loss`, and if `shuffles` is below 1.
        """
        if shuffles < 1:
            raise ValueError(f"shuffles is {shuffles}; expected at least 1")
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        with _evaluating(self):
            joint, marginal = self._statistics(x, z, generator, z_marginal)
            more = range(1, shuffles if z_marginal is None else 1)
            others = [self._statistic(self.combine(x, shuffle(z, generator)), x.shape[:-1]) for _ in more]
            marginal = torch.cat([marginal, *others], dim=-1)
        if self.kind == "fdiv":
            return _fdiv(joint, marginal)
        return joint.mean(dim=-1) - _log_mean_exp(marginal)

    def _statistics(
        self, x: Tensor, z: Tensor, generator: Generators, z_marginal: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return T of joint samples and of pairs from the marginals, each `(…, batch)`."""
        if x.ndim < 2 or x.shape[:-1] != z.shape[:-1]:
            found = f"{tuple(x.shape)} and {tuple(z.shape)}"
            raise ValueError(f"expected x (…, batch, dim_x) and z (…, batch, dim_z), found {found}")
        if x.shape[-2] < 2:
            raise ValueError(f"{x.shape[-2]} samples have no pairs of the marginals; expected 2 or more in a batch")
        if z_marginal is None:
            z_marginal = shuffle(z, generator)
        elif z_marginal.shape != z.shape:
            raise ValueError(f"z_marginal has shape {tuple(z_marginal.shape)}; expected that of z, {tuple(z.shape)}")
        return tuple(self._statistic(self.combine(x, other), x.shape[:-1]) for other in (z, z_marginal))

    def _statistic(self, pair: Tensor, shape: torch.Size) -> Tensor:
        found = self.network(pair)
        if found.shape != (*shape, 1):
            raise ValueError(
                f"the network returns shape {tuple(found.shape)}; expected one number per sample, {(*shape, 1)}"
            )
        return _at_least_single(found.squeeze(-1))  # the bound is a difference of means and logarithms of means

    def _corrected(self, log_mean_exp: Tensor) -> Tensor:
        """Return the same value, with a gradient divided by the running mean instead of the batch's (eq. 12)."""
        batch = _at_least_single(log_mean_exp.detach())
        running = torch.where(self.log_mean.isnan(), batch, self.log_mean.to(batch.dtype))
        if self.training:
            kept = math.log1p(-self.smoothing) if self.smoothing < 1 else -math.inf
            moved = torch.logaddexp(running + kept, batch + math.log(self.smoothing))
            moved = torch.where(self.log_mean.isnan(), batch, moved)
            # A batch that is not finite, which the caller may skip, would never leave the mean.
            running = torch.where(batch.isfinite(), moved, self.log_mean.to(batch.dtype))
            self._keep(running)
        else:  # a batch far above the fixed running mean weighs no more than in training, where the mean follows
            running = torch.maximum(running, batch + math.log(self.smoothing))
        return batch + (batch - running).exp() * (log_mean_exp - batch)

    def _keep(self, running: Tensor) -> None:
        """Store the running mean, in place if possible, so that copies of the module in other threads share it."""
        if self.log_mean.shape == running.shape and self.log_mean.dtype == running.dtype:
            self.log_mean.copy_(running)
        else:
            self.log_mean = running

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        found = state_dict.get(f"{prefix}log_mean")
        if found is not None and self.log_mean is not None:
            self.log_mean = torch.empty_like(
                found, device=self.log_mean.device
            )  # possibly of another number of replicates
        super()._load_from_state_dict(state_dict, prefix, *args)


def concat(x: Tensor, z: Tensor) -> Tensor:
    """Return x and z concatenated, `(…, batch, dim_x + dim_z)`."""
    return torch.cat([x, z], dim=-1)


def shuffle(z: Tensor, generator: Generators = None) -> Tensor:
    """Return the samples of z `(…, batch, dim)` in a random order within each replicate, in which none keeps its place.

    One generator serves all replicates; a sequence has one for each, so that a replicate's order does not depend on the
    number of replicates. The default is torch's global generator. Raises ValueError if the number of generators is not
    that of the replicates.
    """
    *leading, batch, _ = z.shape
    if isinstance(generator, Sequence):
        if len(generator) != math.prod(leading):
            raise ValueError(f"{len(generator)} generators for {math.prod(leading)} replicates; expected one for each")
        draws = torch.stack([torch.rand(batch, generator=one, device=one.device) for one in generator])
        draws = draws.reshape(*leading, batch)
    else:
        device = generator.device if generator else z.device
        draws = torch.rand((*leading, batch), generator=generator, device=device)
    # A random cycle through all samples: one that kept its place would be a joint pair.
    order = draws.argsort(dim=-1, stable=True).to(z.device)  # stable: equal draws are sorted the same way in any stack
    source = torch.empty_like(order).scatter_(-1, order, order.roll(1, dims=-1))
    return z.gather(-2, source.unsqueeze(-1).expand_as(z))


def clip_adaptively(
    adversarial: Sequence[Tensor | None], information: Sequence[Tensor | None], *, stacked: bool = False
) -> list[Tensor | None]:
    """Return the gradients of the information term, with at most the norm of those of the adversarial loss.

    The paper's adaptive clipping: `g_a = min(|g_u|, |g_m|) g_m / |g_m|`, where g_u is the adversarial gradient, g_m
    that of the information, and norms are over all parameters; with `stacked`, over those of each replicate, the first
    dimension of every tensor. None, the gradient of a parameter that a loss does not depend on, counts as zero and
    stays None.
    """
    if all(g is None for g in information):
        return list(information)
    length = _norm(information, stacked)
    longest = torch.zeros_like(length) if all(g is None for g in adversarial) else _norm(adversarial, stacked)
    factor = torch.where(length > longest, longest / length, torch.ones_like(length))

    def clipped(g: Tensor) -> Tensor:
        return ((factor.reshape(-1, *[1] * (g.ndim - 1)) if stacked else factor[0]) * g).to(g.dtype)

    return [None if g is None else clipped(g) for g in information]


def _norm(gradients: Sequence[Tensor | None], stacked: bool) -> Tensor:
    """Return the Euclidean norm over all gradients: of each replicate, `(replicates,)`, or of all, `(1,)`."""
    squares = [
        _at_least_single(g).square().reshape(len(g) if stacked else 1, -1).sum(dim=1)
        for g in gradients
        if g is not None
    ]
    return torch.stack(squares).sum(dim=0).sqrt()


def _at_least_single(values: Tensor) -> Tensor:
    """Return values in single precision or better: in half, squares overflow and a running mean may not move."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Set evaluation mode for a while, then restore the mode of every submodule."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _log_mean_exp(statistics: Tensor) -> Tensor:
    """Return log E exp T over the last dimension, without overflow."""
    return statistics.logsumexp(dim=-1) - math.log(statistics.shape[-1])


def _fdiv(joint: Tensor, marginal: Tensor) -> Tensor:
    """Return E T - E' exp(T - 1), per replicate."""
    return joint.mean(dim=-1) - (marginal - 1).exp().mean(dim=-1)
