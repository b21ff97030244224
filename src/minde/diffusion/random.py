"""Random numbers that depend on names, not on order: every draw has its own seed, derived from its use."""

from collections.abc import Sequence
from hashlib import blake2b

import torch


def fold_in(seed: int, *path: int | str) -> int:
    """Derive the seed of a named use of `seed`; stable across machines and versions.

    Since no generator state is carried from draw to draw, a training can resume at any step from its seeds alone.
    """
    digest = blake2b("/".join(map(str, (seed, *path))).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1  # 63 bits, the range of torch.Generator


def generator(device: torch.device, seed: int, *path: int | str) -> torch.Generator:
    """Return a generator for one named use of `seed`."""
    return torch.Generator(device).manual_seed(fold_in(seed, *path))


def normals(shape: Sequence[int], seeds: Sequence[int], *path: int | str, device: torch.device) -> torch.Tensor:
    """Draw standard normals of shape `(replicates, *shape)`, row r from `seeds[r]` alone."""
    kind = {"device": device, "dtype": torch.float32}  # independent of the program's default
    return torch.stack([torch.randn(*shape, generator=generator(device, s, *path), **kind) for s in seeds])


def uniforms(shape: Sequence[int], seeds: Sequence[int], *path: int | str, device: torch.device) -> torch.Tensor:
    """Draw uniforms on [0, 1) of shape `(replicates, *shape)`, row r from `seeds[r]` alone."""
    kind = {"device": device, "dtype": torch.float32}
    return torch.stack([torch.rand(*shape, generator=generator(device, s, *path), **kind) for s in seeds])


def permutations(n: int, seeds: Sequence[int], *path: int | str, device: torch.device) -> torch.Tensor:
    """Draw permutations of `range(n)`, shape `(replicates, n)`, row r from `seeds[r]` alone."""
    return torch.stack([torch.randperm(n, generator=generator(device, s, *path), device=device) for s in seeds])
