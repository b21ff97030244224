"""Tests of the method."""

import torch

# Small tensors: several threads mostly wait for each other, especially next to other processes.
torch.set_num_threads(1)
