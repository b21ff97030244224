"""A stack of noise predictors: the network, the base that it is added to, and their inputs.

Without a base the network has the inputs of the paper's. With a base it is preconditioned: it also sees the base's
white coordinates (see :mod:`.gaussian`); the lengths of x, y and the white coordinates, and the products of these
lengths with their vectors, since scores often depend on the radius; and the time by the clock of :class:`.times.Times`,
which spreads out small times. An extra output w scales the base: the prediction is `network + (1 + w) base`. For
Gaussian samples w stays 0; for others, the network need not learn to subtract the base.
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

WEIGHTS_VERSION = 2
"""Increased when the same weights would give other predictions; files of weights record it."""

CLOCK_RANGE = 4.0  # of the preconditioned network's time inputs, centred at zero
N_LENGTHS = 3  # of x, of y and of the white coordinates
# Bounds on inputs, so that outliers of heavy tails, and their squares, do not affect the network elsewhere.
FAR = 10.0  # of a coordinate, in absolute value
LONG = 3.0  # of the factor on a vector


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
        features = with_lengths([variables[..., : self.dim_x], variables[..., self.dim_x :], white[..., :n_noise]])
        out = self.network(parameters, features, CLOCK_RANGE * (times - 0.5))
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


def score_network(
    *, variant: str, dim_x: int, dim_y: int, has_base: bool, hidden: int | Literal["auto"], **shape
) -> Network:
    """Return the network of a variant, with the additional inputs and output if there is a base.

    `shape` are the middle_blocks and architecture of :class:`.network.Network`; its `hidden` may be auto here.
    """
    n_noise = predicted_coordinates(variant, dim_x, dim_y).stop
    dims = (2 * (dim_x + dim_y + n_noise) + N_LENGTHS, n_noise + 1) if has_base else (dim_x + dim_y, n_noise)
    return Network(dim_in=dims[0], dim_out=dims[1], hidden=hidden_width(dim_x + dim_y, hidden), **shape)


def build_model(
    *,
    variant: str,
    dim_x: int,
    dim_y: int,
    times: Times,
    moments: Moments,
    device: torch.device,
    **shape,
) -> Model:
    """Build the model of a variant; `moments` (see :func:`.base.fit_base`) give it a base.

    `shape` are the hidden, middle_blocks and architecture of :func:`score_network`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"Unknown variant {variant!r}; expected one of {', '.join(VARIANTS)}.")
    return Model(
        variant=variant,
        dim_x=dim_x,
        dim_y=dim_y,
        times=times,
        network=score_network(variant=variant, dim_x=dim_x, dim_y=dim_y, has_base=bool(moments), **shape),
        base=base_scores(variant, moments, dim_x),
        masks=masks(variant, dim_x, dim_y, device),
    )
