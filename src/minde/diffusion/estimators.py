"""The estimators: mutual information, divergence and entropy from noise predictions (paper).

With `score = -noise_pred / s_t` every formula of the paper is `½ ∫ (β/s²) E[integrand] dt`. Let a be the noise
predicted without the other variable and b the noise predicted with it:

- variant c: a = ẑ(x_t), b = ẑ(x_t | y_0);
- variant j: a = ẑ(x_t, y_t), b = [ẑ(x_t | y_0), ẑ(y_t | x_0)];
- KL(p || q), on samples of p: a is predicted by the network of q, b by that of p.

Then every formula is a product with the difference d = b - a:

- inside: `d · d`, the paper's `|| s_b - s_a ||²`;
- sigma: `d · (b + a - 2 r)`, the paper's `|| s_b - ref_σ ||² - || s_a - ref_σ ||²` with r the noise of `ref_σ`;
- gap: `d · (2 z - a - b)`, the difference `|| z - a ||² - || z - b ||²` of the denoising errors, with the added
  noise z (MMG, NeurIPS 2025). Errors of a and b enter it in second order only, since both are the best predictions on
  these samples; in a KL divergence that of q is not, and its errors enter in first order.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from . import random
from .conditioning import VARIANTS, diffused_coordinates, predicted_coordinates
from .model import Model
from .times import Times, stratify

Predictor = Callable[[Tensor, Tensor, Tensor, str], Tensor]
"""`(clean, noisy, t, score) -> noise_pred`: shapes `(replicates, batch, dim)` twice, `(replicates, batch)`, the
name of a score, and `(replicates, batch, diffused)`."""

ENTROPIES = {"marginal": "x", "conditional": "x|y", "joint": "xy", "x_given_y": "x|y", "y_given_x": "y|x"}
"""The variable whose entropy follows from each score."""

ENTROPIES_OF = {"c": ("x", "x|y"), "j": ("xy", "x|y", "y|x", "x", "y")}
"""Those that are known of each variant: with j, `H(X) = H(X, Y) - H(Y | X)`."""

FORMULAS = ("inside", "sigma", "gap")
"""Formulas of mutual information."""

DIVERGENCE_FORMULAS = ("inside", "gap")
"""Formulas of a KL divergence."""

ROWS = 2048  # test points per call of the predictor, which bounds memory, and those of `growth`


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of a variant, learned or known, and the times at which estimates ask for them."""

    predict: Predictor
    variant: str
    dim_x: int
    times: Times

    def __call__(self, clean: Tensor, noisy: Tensor, t: Tensor) -> dict[str, Tensor]:
        """Return the noise predicted in every score of the variant, by its name."""
        return {name: self.predict(clean, noisy, t, name) for name in VARIANTS[self.variant]}


def scores_of(model: Model, parameters: dict[str, Tensor], *, importance_sampling: bool = True) -> Scores:
    """Return a model's scores, whose times may be importance-sampled even if those of its training were not."""
    times = replace(model.times, importance_sampling=importance_sampling)
    predict = partial(model.noise_pred, parameters)
    return Scores(predict=predict, variant=model.variant, dim_x=model.dim_x, times=times)


class Estimates(NamedTuple):
    """Monte Carlo estimates of all replicates, in nats."""

    value: Tensor
    """`(replicates,)`."""
    std_error: Tensor
    """`(replicates,)`: standard error over test points, each averaged over its draws of time and noise."""


def reference_noise(times: Times, noisy: Tensor, t: Tensor, sigma: float) -> Tensor:
    """Return the noise prediction `s_t x_t / (k_t² σ² + s_t²)` of the reference N(0, σ² I), shaped like `noisy`."""
    k, variance = times.sde.mean_scale(t).unsqueeze(-1), times.sde.variance(t).unsqueeze(-1)
    return variance.sqrt() * noisy / (k**2 * sigma**2 + variance)


def split_predictions(variant: str, predictions: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return a and b of the module docstring from the predictions of every score of a variant."""
    if variant == "c":
        return predictions["marginal"], predictions["conditional"]
    return predictions["joint"], torch.cat([predictions["x_given_y"], predictions["y_given_x"]], dim=-1)


def pointwise_information(
    scores: Scores, clean: Tensor, *, formulas: Sequence[str], sigmas: Sequence[float], **options
) -> dict[str, Tensor]:
    """Estimate the mutual information at each test point `(replicates, n)` by every formula, from the same draws.

    `clean` are test samples `(replicates, n, dim_x + dim_y)`; `options` are those of :func:`integrate`. The
    result is keyed by estimator: `inside`, `gap` and `sigma=<σ>` for each of `sigmas`. Raises ValueError for an
    unknown formula.
    """
    if unknown := set(formulas) - set(FORMULAS):
        raise ValueError(f"Unknown formulas {sorted(unknown)}; expected some of {', '.join(FORMULAS)}.")
    own = predicted_coordinates(scores.variant, scores.dim_x, clean.shape[-1] - scores.dim_x)

    def integrands(clean: Tensor, noisy: Tensor, noise: Tensor, t: Tensor) -> dict[str, Tensor]:
        a, b = split_predictions(scores.variant, scores(clean, noisy, t))
        factors = {"inside": b - a} if "inside" in formulas else {}
        for sigma in sigmas if "sigma" in formulas else ():
            factors[f"sigma={sigma:g}"] = b + a - 2 * reference_noise(scores.times, noisy[..., own], t, sigma)
        if "gap" in formulas:
            factors["gap"] = 2 * noise[..., own] - a - b
        return {name: ((b - a) * factor).sum(dim=-1) for name, factor in factors.items()}

    return integrate(integrands, clean, times=scores.times, **options)


def mutual_information(scores: Scores, clean: Tensor, *, first: int = 0, **options) -> dict[str, Estimates]:
    """Estimate the mutual information of each replicate by every formula: the mean of :func:`pointwise_information`.

    `options` and keys of the result are as there. Raises FloatingPointError, naming the estimator and the replicate,
    numbered from `first`, if an estimate is not finite.
    """
    per_point = pointwise_information(scores, clean, **options)
    return {name: summarize(name, values, first) for name, values in per_point.items()}


def estimates_of_state(
    model: Model, average: Tensor, test: Tensor, seeds: Sequence[int], *, first: int = 0, mc_draws: int = 1
) -> dict[str, Estimates]:
    """Estimate by every formula during training, with σ = 1.

    `average` are averaged parameters `(replicates, flat_size)`, `test` test samples `(replicates, n, dim)`; the result
    and errors are those of :func:`mutual_information`.
    """
    scores = scores_of(model, model.network.unflatten(average))
    return mutual_information(
        scores, test, formulas=FORMULAS, sigmas=(1.0,), mc_draws=mc_draws, seeds=seeds, first=first
    )


def divergence(p: Scores, q: Scores, clean: Tensor, **options) -> dict[str, Estimates]:
    """Estimate `KL(p || q) = ½ ∫ β E_p || s_p - s_q ||² dt` of each replicate, in nats (paper).

    `clean` are test samples of p, `(replicates, n, dim)`; both scores are of variant x; `options` are those of
    :func:`integrate`. The result is keyed by formula, `inside` and `gap`; errors are as in :func:`mutual_information`.
    """

    def integrands(clean: Tensor, noisy: Tensor, noise: Tensor, t: Tensor) -> dict[str, Tensor]:
        a, b = (scores.predict(clean, noisy, t, "marginal") for scores in (q, p))
        factors = {"inside": b - a, "gap": 2 * noise - a - b}
        return {name: ((b - a) * factor).sum(dim=-1) for name, factor in factors.items()}

    per_point = integrate(integrands, clean, times=p.times, **options)
    return {name: summarize(name, values) for name, values in per_point.items()}


def entropy(scores: Scores, clean: Tensor, *, sigma: float, **options) -> dict[str, Estimates]:
    """Estimate differential entropies, in nats: x and x|y with variant c; xy, x|y, y|x, x and y with variant j.

    `H = ½ N log(2πσ²) + E||x_0||² / (2σ²) - ½ ∫ β E|| s - ref_σ ||² dt - KL(p_1 || ref_σ)` for the N coordinates that
    a score diffuses (paper). The last term assumes a standard normal p_1 at t = 1, which holds for
    standardized samples; it is negligible unless σ is large. Variant j learns no score of x or y alone: `H(X) =
    H(X, Y) - H(Y | X)`. Arguments and errors as in :func:`mutual_information`.
    """
    variant, dim_x, times = scores.variant, scores.dim_x, scores.times
    own = {name: diffused_coordinates(variant, name, dim_x, clean.shape[-1] - dim_x) for name in VARIANTS[variant]}

    def integrands(clean: Tensor, noisy: Tensor, noise: Tensor, t: Tensor) -> dict[str, Tensor]:
        return {
            name: (noise_pred - reference_noise(times, noisy[..., own[name]], t, sigma)).square().sum(dim=-1)
            for name, noise_pred in scores(clean, noisy, t).items()
        }

    from_reference = integrate(integrands, clean, times=times, **options)
    end = torch.ones((), dtype=torch.float64, device="cpu")
    width = (times.sde.mean_scale(end) ** 2 * sigma**2 + times.sde.variance(end)).item()  # of ref_σ, squared, at t = 1
    terminal = 0.5 * (1 / width - 1 + math.log(width))
    per_point = {}
    for name, part in own.items():
        x = clean[..., part].double()
        cross = x.shape[-1] * (0.5 * math.log(2 * math.pi * sigma**2) - terminal) + x.square().sum(-1) / (2 * sigma**2)
        per_point[ENTROPIES[name]] = cross - from_reference[name]
    return {name: summarize(f"entropy of {name}", values) for name, values in with_single(per_point).items()}


def with_single(entropies: dict) -> dict:
    """Return entropies, or other values that add up like them, with those of x and y alone if they follow."""
    if "xy" not in entropies:
        return entropies
    return entropies | {"x": entropies["xy"] - entropies["y|x"], "y": entropies["xy"] - entropies["x|y"]}


@torch.no_grad()
def growth(scores: Scores, clean: Tensor, *, seeds: Sequence[int]) -> dict[str, float]:
    """Return what halving the finest noise would add to mutual information and to negative entropies, in nats.

    That noise is the one at t_eps, below which details are not resolved: what grows there is not all found, and details
    that are much finer do not show here. Halving the noise multiplies the signal-to-noise ratio by 4, which adds `½ log
    4 · E || b - a ||²` to first order, by `dI/d snr = ½ mmse` (Guo, Shamai, Verdú, 2005). Keys are `information` and
    those of :func:`entropy`; values are means over replicates and the first test points. Arguments are those of
    :func:`mutual_information`.
    """
    clean, times = clean[:, :ROWS], scores.times
    t = torch.full(clean.shape[:2], times.t_eps, dtype=clean.dtype, device=clean.device)
    noisy = times.sde.perturb(clean, random.normals(clean.shape[1:], seeds, "growth", device=clean.device), t)
    found = scores(clean, noisy, t)
    a, b = split_predictions(scores.variant, found)
    found = {ENTROPIES[name]: noise_pred for name, noise_pred in found.items()} | {"information": b - a}
    return with_single(
        {name: math.log(2) * values.square().sum(dim=-1).mean().item() for name, values in found.items()}
    )


@torch.no_grad()
def integrate(
    integrands: Callable[[Tensor, Tensor, Tensor, Tensor], dict[str, Tensor]],
    clean: Tensor,
    *,
    times: Times,
    mc_draws: int,
    seeds: Sequence[int],
    stratified: bool = True,
    on_draw: Callable[[int], None] = lambda done: None,
) -> dict[str, Tensor]:
    """Return `½ ∫ (β/s²) E[integrand] dt` at every test point, `(replicates, n)`, averaged over its draws.

    `integrands(clean, noisy, noise, t)` gives named values `(replicates, batch)`; `seeds` is one integer per
    replicate. Stratified draws put one of a point's times in each of `mc_draws` equal shares of the time
    distribution, and one point in each of n parts of a share: the mean over points then varies only with the
    noise and with which point gets which time.
    `on_draw` is called with the number of draws done. Raises ValueError without a draw, or unless there is one seed
    per replicate.
    """
    replicates, n, dim = clean.shape
    if mc_draws < 1:
        raise ValueError(f"mc_draws is {mc_draws}; expected at least 1.")
    if len(seeds) != replicates:
        raise ValueError(f"There are {len(seeds)} seeds for {replicates} replicates; expected one each.")
    totals: dict[str, Tensor] = {}
    for draw in range(mc_draws):
        u = random.uniforms((n,), seeds, "estimate", draw, "time", device=clean.device)
        if stratified:
            order = random.permutations(n, seeds, "estimate", draw, "order", device=clean.device)
            u = (draw + stratify(u).gather(1, order)) / mc_draws
        t = times.inverse_cdf(u)
        noise = random.normals((n, dim), seeds, "estimate", draw, "noise", device=clean.device)
        noisy = times.sde.perturb(clean, noise, t)
        for start in range(0, n, ROWS):
            rows = slice(start, start + ROWS)
            values = integrands(clean[:, rows], noisy[:, rows], noise[:, rows], t[:, rows])
            for name, value in values.items():
                total = totals.setdefault(name, clean.new_zeros(replicates, n, dtype=torch.float64))
                total[:, rows] += 0.5 * times.weight(t[:, rows]) * value / mc_draws
        on_draw(draw + 1)
    return totals


def summarize(name: str, per_point: Tensor, first: int = 0) -> Estimates:
    """Average estimates at test points `(replicates, n)`.

    Raises FloatingPointError, naming the estimator and the replicate, numbered from `first`, if one is not finite.
    """
    # One by one: torch rounds the statistics of a replicate differently alone than in a stack.
    value, std = (torch.stack([statistic(points) for points in per_point]) for statistic in (torch.mean, torch.std))
    if bad := (~value.isfinite()).nonzero().flatten().tolist():
        raise FloatingPointError(
            f"The estimate {name!r} of replicate {first + bad[0]} is {value[bad[0]].item()}, not finite."
        )
    return Estimates(value, std / math.sqrt(per_point.shape[1]))
