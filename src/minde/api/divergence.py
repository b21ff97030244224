"""The Kullback-Leibler divergence between two sets of samples (paper)."""

from typing import Literal

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from minde import doubts
from minde.device import pick_device
from minde.diffusion import estimators
from minde.diffusion.preprocess import fit_preprocess

from .estimator import MINDE
from .inputs import check_same_columns, places_of, rows_of, warn_of_scale
from .result import Estimate, combine
from .settings import check_rows, check_settings, draw_seed
from .surroundings import undisturbed, warn
from .training import seeds_of, split, train


def kl_divergence(p, q, *, formula: Literal["gap", "inside"] = "gap", **settings) -> Estimate:
    """Estimate KL(p || q) in nats from samples of p `(rows_p, dim)` and of q `(rows_q, dim)`.

    Two networks learn the scores of p and of q, and `½ ∫ β E_p || s_p - s_q ||² dt` is estimated on samples of p that
    neither has seen: from the denoising errors of both (gap), or with the difference inside the norm (inside), which is
    too low until the networks converge. p must lie where q has samples: far from them the score of q is a guess.
    Details of p that are narrower than a hundredth of the spread of both together are not resolved. The standard error
    is over samples of p; of those of q it includes only the differences between replicates, so use several times as
    many of q as of p (with equal numbers, 95 % intervals cover about 87 %; with three times as many, 93 %).

    `settings` are those of :class:`minde.MINDE` without the variant; `preprocess` is fitted on both sets together.
    Raises the errors of :meth:`minde.MINDE.fit`, and ValueError if p and q do not have the same columns. Warns if
    inside is far above gap (ConvergenceWarning), as of networks that memorize few rows; of rows that repeat others; of
    columns with few distinct values, or whose spread comes from a few values; of columns that are much narrower in p or
    q than in both together; of rows of p far outside the range of q's; of a scale that `preprocess="none"` leaves; and
    if a few rows decide the estimate.
    """
    if "variant" in settings:
        raise ValueError("a divergence has no variant, since one score of p and one of q are learned; leave it out")
    if formula not in estimators.DIVERGENCE_FORMULAS:
        expected = " or ".join(estimators.DIVERGENCE_FORMULAS)
        raise ValueError(f"formula {formula!r} does not give a divergence; expected {expected}")
    settings = MINDE(**settings, formula=formula).get_params()
    check_settings(settings)
    check_same_columns(("p", "q"), p, q)
    standardized = settings["preprocess"] == "standardize"
    samples = {name: rows_of(name, values, standardized=standardized) for name, values in (("p", p), ("q", q))}
    if samples["p"].shape[1] != samples["q"].shape[1]:
        raise ValueError(f"p has {samples['p'].shape[1]} columns and q has {samples['q'].shape[1]}; expected the same")
    places = {name: places_of(name, p, samples["p"].shape[1]) for name in ("p", "q", "p and q")}
    for name, rows in samples.items():
        warn(doubts.of_repeated_rows(name, rows))
    seed = draw_seed(settings["random_state"])
    device = pick_device(settings["device"])
    with undisturbed(device, settings["threads"]):
        return _divergence(samples, settings, places, seed, device)


def _divergence(
    samples: dict[str, np.ndarray], settings: dict, places: dict[str, list[str]], seed: int, device: torch.device
) -> Estimate:
    replicates, dim = settings["replicates"], samples["p"].shape[1]
    training, test = {}, {}
    for name, rows in samples.items():
        n_test = int(len(rows) * settings["test_size"])
        check_rows(len(rows), settings["batch_size"], n_test, name=name, dim=dim)
        kept, held_out = split(len(rows), n_test, replicates, seed)
        training[name], test[name] = (torch.tensor(rows[part], device=device) for part in (kept, held_out))
    both = torch.cat([training["p"], training["q"]], dim=1)
    preprocess = fit_preprocess(settings["preprocess"], both, places["p and q"])
    training, test = ({name: preprocess(rows).float() for name, rows in part.items()} for part in (training, test))
    for name, clean in training.items():
        if settings["preprocess"] == "none":
            warn_of_scale(clean, places[name])
            continue
        widths = clean.std(dim=1).amin(dim=0).tolist()
        for doubt in map(doubts.of_narrow_side, places[name], widths):
            warn(doubt)
    columns = (rows[0].cpu().numpy().T for rows in (test["p"], training["q"]))
    for doubt in map(doubts.of_outside, places["p"], *columns):
        warn(doubt)
    trained = {
        name: train(
            settings,
            "x",
            (dim, 0),
            clean,
            seeds_of(seed, replicates, f"train/{name}"),
            title=f"Scores of {name}, {clean.shape[1]} samples of {dim} columns",
        )
        for name, clean in training.items()
    }
    found = estimators.divergence(
        trained["p"].scores,
        trained["q"].scores,
        test["p"],
        mc_draws=settings["mc_draws"],
        seeds=seeds_of(seed, replicates, "estimate"),
    )
    inside, gap = (found[name].value.tolist() for name in ("inside", "gap"))
    warn(doubts.of_formulas(inside, gap, found["gap"].std_error.tolist()), ConvergenceWarning)
    value, std_error = found[settings["formula"]].value, torch.maximum(*(each.std_error for each in found.values()))
    combined = combine(value, std_error, min(replicates, len(samples["p"]) // test["p"].shape[1]))
    warn(doubts.of_few_rows(combined, combined.std_error, because=doubts.SUPPORT))
    return combined
