"""The training loss: squared error of the predicted noise over the diffused coordinates."""

from torch import Tensor


def noise_prediction_loss(noise_pred: Tensor, noise: Tensor, diffused: Tensor) -> Tensor:
    """Return the loss of each replicate, `(replicates,)`.

    Per row, the squared error is averaged over the `n_diff` diffused coordinates and weighted by
    `1 + (D - n_diff) / D` with D the number of all coordinates, as in the authors' code. `noise_pred` has shape
    `(replicates, batch, dim_out)`; `noise` has all D coordinates; `diffused` is their mask, which broadcasts to
    `noise`.
    """
    dim, dim_out = noise.shape[-1], noise_pred.shape[-1]
    n_diff = diffused.sum(dim=-1)
    weight = (1 + (dim - n_diff) / dim) / n_diff
    squared = (noise_pred - noise[..., :dim_out]).square() * diffused[..., :dim_out]
    return (squared.sum(dim=-1) * weight).mean(dim=-1)
