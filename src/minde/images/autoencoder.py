"""The autoencoder of the paper's consistency tests: pixels - hidden - latent - hidden - pixels, ReLU, squared error."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import linear, mse_loss, relu

Layer = tuple[Tensor, Tensor]


def encode(
    images: Tensor,
    *,
    hidden: int,
    latent: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    on_epoch: Callable[[int, float], None] = lambda done, loss: None,
) -> Tensor:
    """Fit an autoencoder to `images` `(images, pixels)` with Adam and return their latents `(images, latent)`.

    `on_epoch` is called with the number of epochs done and the mean squared error per pixel in the last one. All random
    numbers come from `seed`. The incomplete last batch of an epoch is dropped. Raises FloatingPointError if the error
    is not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    pixels = images.shape[1]
    encoder = _layers([pixels, hidden, latent], generator, images.device)
    decoder = _layers([latent, hidden, pixels], generator, images.device)
    optimizer = torch.optim.Adam([tensor for layer in encoder + decoder for tensor in layer], lr=learning_rate)
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(images), generator=generator).to(images.device)
        losses = []
        for rows in order.split(batch_size)[: max(1, len(images) // batch_size)]:
            loss = mse_loss(_apply(decoder, _apply(encoder, images[rows])), images[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        mean = torch.stack(losses).mean().item()
        if not math.isfinite(mean):
            raise FloatingPointError(f"the autoencoder's error is {mean} in epoch {epoch}; lower its learning_rate")
        on_epoch(epoch, mean)
    with torch.no_grad():
        return _apply(encoder, images)


def _layers(widths: list[int], generator: torch.Generator, device: torch.device) -> list[Layer]:
    """Return weights and biases that start as torch's linear layers do: uniform within ±1/sqrt(fan_in)."""
    layers = []
    for fan_in, fan_out in pairwise(widths):
        weight, bias = (
            ((2 * torch.rand(shape, generator=generator) - 1) / math.sqrt(fan_in)).to(device).requires_grad_()
            for shape in ((fan_out, fan_in), (fan_out,))
        )
        layers.append((weight, bias))
    return layers


def _apply(layers: list[Layer], x: Tensor) -> Tensor:
    *inner, last = layers
    for weight, bias in inner:
        x = relu(linear(x, weight, bias))
    return linear(x, *last)
