"""Tests that need a GPU, and are skipped without one."""

import sys
from pathlib import Path

import pytest
import torch

torch.set_float32_matmul_precision("highest")  # NVIDIA's containers allow TF32
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unit" / "diffusion"))  # small trainings


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs a GPU that torch finds"))
