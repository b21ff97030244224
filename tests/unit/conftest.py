"""Unit tests see no GPU: many compare numbers to the bit, as a CPU gives them. Tests of a GPU are in tests/gpu."""

from pathlib import Path
from unittest.mock import patch

import pytest
import torch

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Around all of a test with its fixtures, also those of the session, which outlive it."""
    if HERE not in item.path.parents:
        return (yield)
    with patch("torch.cuda.is_available", return_value=False):
        torch.manual_seed(0)  # for tests that draw without a generator: whatever ran before them, the same numbers
        return (yield)
