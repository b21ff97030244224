"""Errors of learned scores at every time: how well networks model a density."""

from collections.abc import Sequence

import torch
from torch import Tensor

from . import random
from .conditioning import VARIANTS, diffused_coordinates
from .estimators import ROWS, Scores
from .gaussian import fit_moments, gaussian_scores
from .times import stratify


@torch.no_grad()
def score_errors(
    scores: Scores, clean: Tensor, *, parts: int, seeds: Sequence[int]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return times `(parts,)` and each score's squared error minus that of a Gaussian, `(replicates, parts)`.

    The errors are those of the predicted noise, `E||z - ẑ||²` per diffused coordinate (a score's are these divided by
    s_t²), over test samples `clean` `(replicates, n, dim)` in equal shares of the times; the Gaussian's predictions
    use the moments of the same samples. The unpredictable part cancels in the difference: for Gaussian samples it is
    the squared error of the learned score; it is negative if the network knows more than a Gaussian. Raises ValueError
    if there are fewer samples than parts.
    """
    n, dim = clean.shape[1:]
    times = scores.times
    if n < parts:
        raise ValueError(f"{n} test samples are too few for the error of scores at {parts} times; give more")
    gaussians = gaussian_scores(scores.variant, *fit_moments(clean), scores.dim_x)
    u = stratify(random.uniforms((n,), seeds, "errors", "time", device=clean.device))
    order = random.permutations(n, seeds, "errors", "order", device=clean.device)
    clean = clean.gather(1, order.unsqueeze(-1).expand_as(clean))  # test rows at random times
    t = times.inverse_cdf(u)
    noise = random.normals((n, dim), seeds, "errors", "noise", device=clean.device)
    noisy = times.sde.perturb(clean, noise, t)
    errors = {}
    for name in VARIANTS[scores.variant]:
        own, excess = diffused_coordinates(scores.variant, name, scores.dim_x, dim - scores.dim_x), []
        for start in range(0, n, ROWS):
            rows = slice(start, start + ROWS)
            learned = scores.predict(clean[:, rows], noisy[:, rows], t[:, rows], name)
            _, gaussian = gaussians[name].predict(times.sde, clean[:, rows], noisy[:, rows], t[:, rows])
            target = noise[:, rows, own]
            excess.append(((target - learned).square() - (target - gaussian).square()).mean(dim=-1))
        errors[name] = torch.stack(
            [part.mean(dim=1) for part in torch.cat(excess, dim=1).tensor_split(parts, dim=1)], 1
        )
    middle = times.inverse_cdf(stratify(torch.full((parts,), 0.5, dtype=torch.float64, device="cpu")))
    return middle, errors
