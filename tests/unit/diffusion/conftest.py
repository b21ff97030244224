"""Tests of the method."""

import torch

# Small tensors: more threads than one only wait for each other, the more so beside other processes.
torch.set_num_threads(1)
