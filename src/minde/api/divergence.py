"""The Kullback-Leibler divergence between two sets of samples (paper, section 2)."""

from typing import Literal

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from minde import doubts
from minde.device import pick_device
from minde.diffusion import estimators
from minde.diffusion.preprocess import fit_preprocess

from .estimate import Estimate, combine
from .estimator import MINDE
from .inputs import check_same_columns, rows_of, warn_of_scale
from .settings import check_rows, check_settings
from .surroundings import undisturbed, warn
from .training import estimation_times, seeds_of, split, train


def kl_divergence(p, q, *, formula: Literal["gap", "inside"] = "gap", **settings) -> Estimate:
    """Estimate KL(p || q) in nats from samples of p ``(rows_p, dim)`` and of q ``(rows_q, dim)``.

    Two networks learn the scores of p and of q, and ``½ ∫ β E_p || s_p - s_q ||² dt`` is estimated on samples of p that
    neither has seen: from the denoising errors of both (gap), or with the difference inside the norm (inside), which is
    low while the networks are not converged. p must lie where q has samples: far from them the score of q is a guess.
    What of p is narrower than a hundredth of both together is not seen. The standard error is over samples of p; it
    knows of those of q only what replicates differ by, so let there be as many of q as of p.

    ``settings`` are those of :class:`minde.MINDE` without the variant; ``preprocess`` is fitted on both sets together.
    Raises what :meth:`minde.MINDE.fit` raises, and ValueError where p and q do not have the same columns. Warns where
    the formulas are far apart (ConvergenceWarning), of columns of few different values, and of a scale that
    ``preprocess="none"`` leaves.
    """
    if "variant" in settings:
        raise ValueError("a divergence has no variant: one score of p and one of q are learned; leave it out")
    settings = MINDE(**settings, formula=formula).get_params()
    check_settings(settings)
    check_same_columns(("p", "q"), p, q)
    if formula not in estimators.DIVERGENCE_FORMULAS:
        expected = " or ".join(estimators.DIVERGENCE_FORMULAS)
        raise ValueError(f"formula {formula!r} does not give a divergence; expected {expected}")
    samples = {"p": rows_of("p", p), "q": rows_of("q", q)}
    if samples["p"].shape[1] != samples["q"].shape[1]:
        raise ValueError(f"p has {samples['p'].shape[1]} columns and q has {samples['q'].shape[1]}; expected the same")
    seed = int(check_random_state(settings["random_state"]).randint(2**31 - 1))
    device = pick_device(settings["device"])
    with undisturbed(device, settings["threads"]):
        return _divergence(samples, settings, seed, device)


def _divergence(samples: dict[str, np.ndarray], settings: dict, seed: int, device: torch.device) -> Estimate:
    replicates, dim = settings["replicates"], samples["p"].shape[1]
    training, test = {}, {}
    for name, rows in samples.items():
        n_test = int(len(rows) * settings["test_size"])
        check_rows(len(rows), settings["batch_size"], n_test, name)
        kept, held_out = split(len(rows), n_test, replicates, seed)
        training[name], test[name] = (torch.tensor(rows[part], device=device) for part in (kept, held_out))
    preprocess = fit_preprocess(settings["preprocess"], torch.cat([training["p"], training["q"]], dim=1))
    if settings["preprocess"] == "none":
        for name, clean in training.items():
            warn_of_scale(clean, (dim, 0), (name, ""))
    trained = {
        name: train(
            settings,
            "x",
            (dim, 0),
            preprocess(clean).float(),
            seeds_of(seed, replicates, f"train/{name}"),
            title=f"Scores of {name}, {clean.shape[1]} samples of {dim} columns",
        )
        for name, clean in training.items()
    }
    found = estimators.divergence(
        trained["p"].predict,
        trained["q"].predict,
        preprocess(test["p"]).float(),
        times=estimation_times(trained["p"].model),
        formulas=estimators.DIVERGENCE_FORMULAS,
        mc_draws=settings["mc_draws"],
        stratified=True,
        seeds=seeds_of(seed, replicates, "estimate"),
    )
    inside, gap = (found[name].value.tolist() for name in ("inside", "gap"))
    if doubt := doubts.of_formulas(inside, gap, found["gap"].std_error.tolist()):
        warn(doubt, ConvergenceWarning)
    value, std_error = found[settings["formula"]].value, torch.maximum(*(each.std_error for each in found.values()))
    return combine(value, std_error, min(replicates, len(samples["p"]) // test["p"].shape[1]))
