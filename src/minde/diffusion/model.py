"""A stack of noise predictors: the network, the base that it is added to, and their inputs.

Without a base the network has the inputs of the paper's. With a base it is preconditioned: it also sees the base's
white coordinates (see :mod:`.gaussian`); the lengths of x, y and the white coordinates, and the products of these
lengths with their vectors, since scores often depend on the radius; sines and cosines of the variables, if there are
enough samples (:func:`wave_frequencies`), since networks learn fast oscillations last; and the time by the clock of
:class:`.times.Times`, which spreads out small times. An extra output w scales the base: the prediction is `network +
(1 + w) base`. For Gaussian samples w stays 0; for others, the network need not learn to subtract the base.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from .base import Base, Moments, base_predictions, base_scores
from .conditioning import VARIANTS, Masks, Selection, diffused_coordinates, masks, only, predicted_coordinates
from .network import Network
from .times import Times
from .width import hidden_width

WEIGHTS_VERSION = 3
"""Increased when the same weights would give other predictions; files of weights record it."""

CLOCK_RANGE = 4.0  # of the preconditioned network's time inputs, centred at zero
N_LENGTHS = 3  # of x, of y and of the white coordinates
# Bounds on inputs, so that outliers of heavy tails, and their squares, do not affect the network elsewhere.
FAR = 10.0  # of a coordinate, in absolute value
LONG = 3.0  # of the factor on a vector
FREQUENCIES = (2.0, 4.0, 8.0)  # in radians per unit, about the spread of a column
SAMPLES_PER_COLUMN = 4000  # for training; with fewer, waves slow down the learning of spirals, and fit noise


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything that turns parameters into noise predictions; the parameters themselves are passed in.

    One network serves every score of the variant (paper). Variants c and x predict x only, variant j both.
    """

    variant: str
    dim_x: int
    dim_y: int
    times: Times
    network: Network
    base: Base
    """Closed-form noise predictions, by score, to which the network's are added; empty in the paper."""
    frequencies: tuple[float, ...]
    """Of the sines and cosines of the variables among the network's inputs."""
    masks: Masks = field(repr=False)

    def predict(
        self, parameters: dict[str, Tensor], clean: Tensor, noisy: Tensor, t: Tensor, selection: Selection
    ) -> Tensor:
        """Predict the noise in each row's selected score, `(replicates, batch, dim_x or dim_x + dim_y)`.

        `clean` and `noisy` have shape `(replicates, batch, dim_x + dim_y)`, `t` has `(replicates, batch)`.
        """
        if not self.base:
            return self.network(parameters, *self.masks.network_input(clean, noisy, t, selection.scores))
        variables, times = self.masks.network_input(clean, noisy, self.times.clock(t), selection.scores)
        white, base = base_predictions(self.base, self.times.sde, clean, noisy, t, selection)
        n_noise = self.network.dim_out - 1
        vectors = [variables[..., : self.dim_x], variables[..., self.dim_x :], white[..., :n_noise]]
        features = [with_lengths(vectors), *waves(variables, self.frequencies)]
        out = self.network(parameters, torch.cat(features, dim=-1), CLOCK_RANGE * (times - 0.5))
        return torch.addcmul(out[..., :n_noise], 1 + out[..., n_noise:], base[..., :n_noise])

    def noise_pred(self, parameters: dict[str, Tensor], clean: Tensor, noisy: Tensor, t: Tensor, score: str) -> Tensor:
        """Predict the noise of one score's diffused coordinates, `(replicates, batch, diffused)`."""
        noise_pred = self.predict(parameters, clean, noisy, t, only(self.variant, score))
        return noise_pred[..., diffused_coordinates(self.variant, score, self.dim_x, self.dim_y)]


def with_lengths(vectors: Sequence[Tensor]) -> Tensor:
    """Join vectors `(..., n)`, their lengths minus √n, and the products of both: `(..., sum of 2 n + 1)`.

    The length of a standard normal vector is √n ± 0.7 for any n.
    """
    vectors = [vector.clamp(-FAR, FAR) for vector in vectors]
    lengths = [vector.norm(dim=-1, keepdim=True) - math.sqrt(vector.shape[-1]) for vector in vectors]
    products = [vector * length.clamp(max=LONG) for vector, length in zip(vectors, lengths, strict=True)]
    return torch.cat([*vectors, *lengths, *products], dim=-1)


def waves(variables: Tensor, frequencies: Sequence[float]) -> list[Tensor]:
    """Return sines and cosines of the variables, each of their shape; frequencies in radians per unit."""
    bounded = variables.clamp(-FAR, FAR)
    return [wave(frequency * bounded) for frequency in frequencies for wave in (torch.sin, torch.cos)]


def wave_frequencies(dim: int, n_train: int) -> tuple[float, ...]:
    """Return the frequencies of the network's inputs for `dim` columns: none if there are few training samples."""
    return FREQUENCIES if n_train >= SAMPLES_PER_COLUMN * dim else ()


def score_network(
    *, variant: str, dim_x: int, dim_y: int, n_train: int, has_base: bool, hidden: int | Literal["auto"], **shape
) -> Network:
    """Return the network of a variant, with the additional inputs and output if there is a base.

    `n_train` is the number of training samples; `shape` are the middle_blocks and architecture of
    :class:`.network.Network`, whose `hidden` may be auto here.
    """
    dim, n_noise = dim_x + dim_y, predicted_coordinates(variant, dim_x, dim_y).stop
    dim_in, dim_out = dim, n_noise
    if has_base:
        dim_in = 2 * (dim + n_noise) + N_LENGTHS + 2 * dim * len(wave_frequencies(dim, n_train))
        dim_out += 1
    return Network(dim_in=dim_in, dim_out=dim_out, hidden=hidden_width(dim, hidden), **shape)


def build_model(
    *,
    variant: str,
    dim_x: int,
    dim_y: int,
    n_train: int,
    times: Times,
    moments: Moments,
    device: torch.device,
    **shape,
) -> Model:
    """Build the model of a variant for `n_train` training samples; `moments` (:func:`.base.fit_base`) give it a base.

    `shape` are the hidden, middle_blocks and architecture of :func:`score_network`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"Unknown variant {variant!r}; expected one of {', '.join(VARIANTS)}.")
    dims = {"dim_x": dim_x, "dim_y": dim_y}
    return Model(
        variant=variant,
        **dims,
        times=times,
        network=score_network(variant=variant, **dims, n_train=n_train, has_base=bool(moments), **shape),
        base=base_scores(variant, moments, dim_x),
        frequencies=wave_frequencies(dim_x + dim_y, n_train),
        masks=masks(variant, dim_x, dim_y, device),
    )
