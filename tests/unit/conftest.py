"""Unit tests see no GPU: many compare numbers to the bit, as a CPU gives them. Tests of a GPU are in tests/gpu."""

from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Around all of a test with its fixtures, also those of the session, which outlive it."""
    is_unit = HERE in item.path.parents
    with patch("torch.cuda.is_available", return_value=False) if is_unit else nullcontext():
        return (yield)
