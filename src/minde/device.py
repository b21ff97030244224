"""Where tensors live: on a GPU where there is one."""

import torch


def pick_device(name: str) -> torch.device:
    """Return the device of a name; auto is CUDA where there is one. Raises ValueError where cuda is not to be had."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("Device cuda was asked for, but torch finds none; use auto or cpu, or look at `nvidia-smi`.")
    return torch.device(name)
