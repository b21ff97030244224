"""Layers of stacked networks: the networks of all replicates are one batched program.

Parameters are named, and their first dimension is the replicates: a matrix is `(replicates, out, in)`. Activations
are `(replicates, features, batch)`, so that a norm reduces over an outer dimension and vectorizes over the batch.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import gelu, silu

GROUPS = 8  # of every group norm
EPSILON = 1e-5  # added to the variances of group norms, as torch does

Parameters = dict[str, Tensor]


def linear(p: Parameters, name: str, x: Tensor) -> Tensor:
    """Apply the linear layer `name` to `(replicates, in, batch)`."""
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"].unsqueeze(2)
    if weight.shape[1] == 1:
        # A matrix product with one row rounds differently for a single replicate than in a stack; a sum does not.
        return (weight.mT * x).sum(dim=1, keepdim=True) + bias
    return torch.baddbmm(bias, weight, x)


def time_embedding(p: Parameters, times: Tensor) -> Tensor:
    """Embed the two times of each row, `(replicates, 2, batch)`, in `(replicates, hidden, batch)`."""
    return silu(linear(p, "time2", gelu(linear(p, "time1", times))))


def norm_silu(p: Parameters, name: str, x: Tensor) -> Tensor:
    """Apply the group norm `name`, with its affine part, then SiLU."""
    return NormSilu.apply(x, p[f"{name}.weight"], p[f"{name}.bias"])


class NormSilu(Function):
    """Group norm with its affine part, then SiLU, of `(replicates, features, batch)`, with a fused backward pass.

    Weight and bias are `(replicates, features)`. Autograd through the same operations would keep and read all their
    intermediate results.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return `silu(weight * norm(x) + bias)`."""
        grouped = x.unflatten(1, (GROUPS, -1))
        centred = grouped - grouped.mean(dim=2, keepdim=True)
        scale = centred.square().mean(dim=2, keepdim=True).add_(EPSILON).rsqrt_()
        normalized = centred.mul_(scale).flatten(1, 2)
        affine = torch.addcmul(bias.unsqueeze(2), normalized, weight.unsqueeze(2))
        ctx.save_for_backward(normalized, scale, affine, weight)
        return silu(affine)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of x, weight and bias."""
        normalized, scale, affine, weight = ctx.saved_tensors
        gradient = torch.ops.aten.silu_backward(gradient, affine)
        product = gradient * normalized
        weight_gradient, bias_gradient = product.sum(dim=2), gradient.sum(dim=2)
        # The normalized values keep mean 0 and variance 1: remove the components that would change them.
        slope = gradient.mul_(weight.unsqueeze(2)).unflatten(1, (GROUPS, -1))
        along = product.mul_(weight.unsqueeze(2)).unflatten(1, (GROUPS, -1)).mean(dim=2, keepdim=True)
        x_gradient = slope - slope.mean(dim=2, keepdim=True)
        x_gradient = x_gradient.addcmul_(normalized.unflatten(1, (GROUPS, -1)), along, value=-1).mul_(scale)
        return x_gradient.flatten(1, 2), weight_gradient, bias_gradient
