"""The estimator: mutual information and entropies of user arrays (paper)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from minde import doubts
from minde.device import pick_device
from minde.diffusion import estimators
from minde.diffusion.preprocess import Standardize, fit_preprocess

from . import inputs, measures, saving
from .benchmark_mi import PointEstimator
from .result import Estimate
from .settings import check_entropy_width, check_rows, check_settings, check_width, draw_seed, resolve_formula
from .surroundings import undisturbed, warn
from .training import Curve, Fitted, seeds_of, shuffled, split, train


class MINDE(PointEstimator, BaseEstimator):
    """Mutual information and entropies of paired samples, in nats, by score-based diffusion.

    A network learns the scores of the samples along a diffusion process, and formulas turn them into numbers. Estimates
    use samples that the network was not trained on: each replicate holds out its own share of the rows.

    Defaults are the recipe `fast` of the study's config; docs/recipes.md explains when others are better.

    Parameters
    ----------
    variant : {"c", "j"}
        Learn the scores of x and of x given y (c), or those of (x, y), of x given y and of y given x (j).
    preprocess : {"standardize", "gaussianize", "none"}
        How each column is transformed first; no choice changes the mutual information. gaussianize (ranks to a normal
        distribution) is for heavy tails and other columns far from normal, and leaves entropies undefined; none is for
        columns whose mean is already near 0 and whose standard deviation is near 1, the scale of the diffusion's noise.
    steps : int
        Updates of the weights.
    batch_size : int
        Rows per step and replicate.
    learning_rate : float
        Adam's learning rate at its highest.
    weight_decay : float
        Decay of the weights per step, times the learning rate and divided by the number of training rows; with fewer
        than 400 rows per column, also times 400 over the rows per column, but never by more than the weights
        themselves. It keeps networks from memorizing few rows.
    schedule : {"cosine", "constant"}
        Learning rate during training.
    ema_decay : float
        Decay per step of the average of the weights, which estimates use.
    base : {"mixture", "gaussian", "none"}
        Learn the residual to the scores of a mixture of Gaussians, one for each of up to 32 clusters (a single one for
        samples without clusters), the residual to those of one Gaussian, or the whole scores.
    importance_sampling, score_choice, times
        How training draws times and scores; see docs/recipes.md.
    hidden : int or "auto"
        Width of the network, a multiple of 8; auto is 64, 128 or 256 depending on the number of columns (paper).
    architecture : {"gated", "residual"}
        The network: gated linear units, or the paper's residual blocks with group norms.
    middle_blocks : int
        Blocks of the network before the last one.
    formula : {"auto", "inside", "sigma", "gap"}
        The formula that :meth:`mutual_information` uses by default: auto is inside for variant c and gap for j, whose
        inside is too high in many columns; see docs/estimators.md.
    mc_draws : int
        Monte Carlo draws of time and noise per held-out row. Like formula, it can be changed after a fit.
    replicates : int
        Number of networks, trained as one stack; they differ in their seed and in the rows that they hold out.
    test_size : float
        Share of the rows that each replicate holds out. With `replicates=5` and a fifth, every row is held out once.
    device : str or torch.device
        Where to train: cpu, cuda or, for example, cuda:1; auto uses a GPU if there is one.
    threads : int
        CPU threads. Networks this small gain little from a second one, and lose if cores are busy.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        Source of all random numbers; with an int, the same samples give the same estimates on the same device.
    verbose : bool or int
        Write progress to standard error; all integers but 0 mean True.

    Attributes
    ----------
    curve_ : dict of numpy.ndarray
        Estimates during training on held-out rows: `step` and `seconds` `(points,)`; `loss`, `inside`,
        `sigma` (width 1) and `gap` `(points, replicates)`, in nats.
    dim_x_, dim_y_ : int
        Columns of x and y.
    seed_ : int
        Seed of this fit's random numbers.
    """

    def __init__(
        self,
        variant: Literal["c", "j"] = "c",
        *,
        preprocess: Literal["standardize", "gaussianize", "none"] = "standardize",
        steps: int = 1500,
        batch_size: int = 256,
        learning_rate: float = 2e-3,
        weight_decay: float = 600.0,
        schedule: Literal["cosine", "constant"] = "cosine",
        ema_decay: float = 0.999,
        base: Literal["mixture", "gaussian", "none"] = "mixture",
        importance_sampling: bool = True,
        score_choice: Literal["per_sample", "per_batch"] = "per_sample",
        times: Literal["stratified", "iid"] = "stratified",
        hidden: int | Literal["auto"] = "auto",
        architecture: Literal["gated", "residual"] = "gated",
        middle_blocks: int = 2,
        formula: Literal["auto", "inside", "sigma", "gap"] = "auto",
        mc_draws: int = 10,
        replicates: int = 5,
        test_size: float = 0.2,
        device: str | torch.device = "auto",
        threads: int = 1,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
        verbose: bool | int = False,
    ) -> None:
        """Keep the settings; they are checked when the estimator is fitted."""
        self.variant = variant
        self.preprocess = preprocess
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.ema_decay = ema_decay
        self.base = base
        self.importance_sampling = importance_sampling
        self.score_choice = score_choice
        self.times = times
        self.hidden = hidden
        self.architecture = architecture
        self.middle_blocks = middle_blocks
        self.formula = formula
        self.mc_draws = mc_draws
        self.replicates = replicates
        self.test_size = test_size
        self.device = device
        self.threads = threads
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, x, y, *, x_test=None, y_test=None) -> Self:
        """Train on paired samples `(rows, dim_x)` and `(rows, dim_y)`; an array `(rows,)` is one column.

        Arrays can be numpy arrays, torch tensors, pandas objects or sequences. `x_test` and `y_test` are samples to
        estimate with instead of held-out ones: training then uses all of x and y, and replicates differ in their seed
        only. Each replicate's test rows are kept, in single precision.

        Rows are taken to be independent of one another. Those of a time series or of groups are not: hold out another
        period or other groups by `x_test` and `y_test`, and do not rely on the interval.

        Raises TypeError for values that are not real numbers; ValueError for arrays that do not fit each other, have
        values that are not finite, a constant column or too few rows, and for settings out of range;
        FloatingPointError if training diverges. Warns (UserWarning) of pandas labels that are at different rows of x
        and y; of rows that repeat others, are given as test rows too, or are too few for so many columns; of columns
        with few distinct values whose density is learned, or whose spread comes from a few values; of a scale that
        `preprocess="none"` leaves; and of estimates that lack details, as if y is a function of x, above the entropy of
        a discrete variable, or far below what nearest neighbours find. Warns (ConvergenceWarning) if inside is so far
        above gap that the networks have not learned the scores.
        """
        check_settings(self.get_params())
        # Variant c needs no density of y.
        standardized = self.preprocess == "standardize"
        pairs = inputs.joined(x, y, have_density=(True, self.variant == "j"), standardized=standardized)
        samples, widest = pairs.rows, max(pairs.dims)
        seed = draw_seed(self.random_state)
        if x_test is None and y_test is None:
            n_test = int(len(samples) * self.test_size)
            check_rows(len(samples), self.batch_size, n_test, dim=widest)
            warn(doubts.of_repeated_rows("x and y", samples))
            rows = zip(*split(len(samples), n_test, self.replicates, seed), strict=True)
            disjoint = min(self.replicates, len(samples) // n_test)
            parts = ((samples[kept], samples[held_out]) for kept, held_out in rows)
            return self._fit(parts, pairs, samples, seed, disjoint)
        if x_test is None or y_test is None:
            raise ValueError("one of x_test and y_test is None; expected both, or neither to hold out rows of x and y")
        check_rows(len(samples), self.batch_size, dim=widest)
        for name, own, test in (("x", x, x_test), ("y", y, y_test)):
            inputs.check_same_columns((name, f"{name}_test"), own, test)
        test = inputs.joined(x_test, y_test, ("x_test", "y_test"), have_density=(False, False), vary=False)
        if test.dims != pairs.dims:
            raise ValueError(f"x_test and y_test have {test.dims} columns; expected {pairs.dims}, those of x and y")
        warn(doubts.of_shared_rows(samples, test.rows))
        # Shuffled like held-out rows, since some computations use the first rows only.
        samples, test_samples = shuffled(samples, seed), shuffled(test.rows, seed)
        parts = ((samples, test_samples) for _ in range(self.replicates))
        return self._fit(parts, pairs, test_samples, seed, disjoint=1)

    def _fit(
        self,
        parts: Iterable[tuple[np.ndarray, np.ndarray]],
        pairs: inputs.Pairs,
        all_test: np.ndarray,
        seed: int,
        disjoint: int,
    ) -> Self:
        """Train on each replicate's training rows, and keep what estimates need; a failure leaves an earlier fit as is.

        `parts` are training and test rows, `(n, dim)` each, of one replicate after the other; `all_test` are the rows
        from which all test rows are.
        """
        device, dims = pick_device(self.device), pairs.dims
        with undisturbed(device, self.threads):
            clean, test, log_scale = self._preprocessed(parts, pairs.places, device)
            if self.preprocess == "none":
                inputs.warn_of_scale(clean, pairs.places)
            curve = Curve(test, seeds_of(seed, len(test), "curve"), self.mc_draws)
            title = f"MINDE-{self.variant}, {clean.shape[1]} samples of {dims[0]} + {dims[1]} columns"
            seeds = seeds_of(seed, len(test), "train")
            fitted = Fitted(
                trained=train(self.get_params(), self.variant, dims, clean, seeds, title=title, curve=curve),
                settings=self.get_params(),
                test=test,
                n_train=clean.shape[1],
                disjoint=disjoint,
                log_scale=log_scale,
            )
            grows = measures.growth(fitted, seed)["information"]
        self._fitted = fitted
        self.dim_x_, self.dim_y_ = dims
        self.curve_, self.seed_ = curve.arrays(), seed
        measures.warn_of_fit(fitted, curve, grows, all_test)
        return self

    def _preprocessed(
        self, parts: Iterable[tuple[np.ndarray, np.ndarray]], places: Sequence[str], device: torch.device
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return training and test samples `(replicates, n, dim)`, and the logarithms of columns' scales, if known.

        One replicate at a time: columns far from zero need double precision, in which samples are several times larger
        than what is kept of them.
        """
        kept = []
        for replicate, (training, test) in enumerate(parts):
            inputs.check_training(training, places, replicate)
            clean = torch.tensor(training, device=device).unsqueeze(0)
            preprocess = fit_preprocess(self.preprocess, clean, places)
            held_out = preprocess(torch.tensor(test, device=device).unsqueeze(0))
            log_scale = preprocess.std.log().squeeze(1) if isinstance(preprocess, Standardize) else clean.new_zeros(0)
            kept.append((preprocess(clean).float(), held_out.float(), log_scale))
        clean, test, log_scale = map(torch.cat, zip(*kept, strict=True))
        return clean, test, log_scale if len(log_scale) else None

    def mutual_information(self, sigma: float | None = None, *, formula: str | None = None) -> Estimate:
        """Estimate I(X; Y) in nats.

        `sigma` selects the difference against a Gaussian reference of that width, in units of the preprocessed
        samples (paper); `formula` overrides the estimator's formula: `inside`, `sigma` (width 1), `gap`, or `auto` for
        the variant's. All use the same networks.

        Raises NotFittedError before :meth:`fit`, and ValueError for an unknown formula or a width that is not positive.
        Warns (UserWarning) if a few test rows decide the estimate.
        """
        if sigma is not None and formula not in (None, "sigma"):
            raise ValueError(f"formula {formula!r} has no sigma; leave one of the two out")
        check_is_fitted(self)
        formula = formula or ("sigma" if sigma is not None else self.formula)
        formula = resolve_formula(formula, self._fitted.trained.model.variant)
        (found,) = self._mutual_informations((formula,), 1.0 if sigma is None else sigma).values()
        return found

    def by_formula(self, sigma: float = 1.0) -> dict[str, Estimate]:
        """Estimate I(X; Y) in nats by every formula, from the same draws: `inside`, `sigma` and `gap`.

        The width, errors and warnings are those of :meth:`mutual_information`.
        """
        check_is_fitted(self)
        return self._mutual_informations(estimators.FORMULAS, sigma)

    def entropy(self, of: Literal["x", "y", "xy"] = "x", sigma: float = 1.0) -> Estimate:
        """Estimate the differential entropy H(X), H(Y) or H(X, Y) in nats, in the units of the samples.

        `sigma`, at least 0.1, is the width of the reference Gaussian, in units of the preprocessed samples (paper).
        Raises ValueError for an entropy that the fitted variant does not learn (variant c learns the scores of x only),
        and after `preprocess="gaussianize"`. Warns (UserWarning) if the entropy is minus infinity, or near
        it: columns are collinear, or rows lie on a curve.
        """
        if of not in ("x", "y", "xy"):
            raise ValueError(f"of is {of!r}; expected x, y or xy")
        return self._entropy(of, sigma)

    def conditional_entropy(self, of: Literal["x", "y"] = "x", sigma: float = 1.0) -> Estimate:
        """Estimate H(X | Y), or H(Y | X) for y, in nats; otherwise like :meth:`entropy`.

        Raises ValueError if `of` is neither x nor y.
        """
        if of not in ("x", "y"):
            raise ValueError(f"of is {of!r}; expected x or y")
        return self._entropy({"x": "x|y", "y": "y|x"}[of], sigma)

    def _mutual_informations(self, formulas: Sequence[str], sigma: float) -> dict[str, Estimate]:
        check_width(sigma)
        check_settings(self.get_params())
        with undisturbed(self._fitted.test.device, self.threads):
            return measures.mutual_informations(self._fitted, formulas, sigma, mc_draws=self.mc_draws, seed=self.seed_)

    def _entropy(self, of: str, sigma: float) -> Estimate:
        check_is_fitted(self)
        check_entropy_width(sigma)
        check_settings(self.get_params())
        with undisturbed(self._fitted.test.device, self.threads):
            return measures.entropy(self._fitted, of, sigma, mc_draws=self.mc_draws, seed=self.seed_)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one safetensors file, with settings and a checksum as JSON in its header.

        The file also holds the held-out samples, which further estimates need. A random generator is not saved.
        """
        check_is_fitted(self)
        saving.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device | None = None) -> Self:
        """Read a file that :meth:`save` wrote, to another device if one is given.

        Raises ValueError if the file is damaged or of another kind, or if the device is not available.
        """
        return saving.load(cls, Path(path), device)
