"""The competitor in docs/extending.md estimates."""

import re
from pathlib import Path

import numpy as np
import pytest

from minde.baselines.interface import Replicate

ROOT = Path(__file__).parents[3]


def test_the_histogram_finds_the_information_of_normals_and_says_what_it_cannot_do() -> None:
    page = (ROOT / "docs/extending.md").read_text()
    (shown,) = re.findall(r'^```python\n(""".*?def bins.*?)^```', page, flags=re.MULTILINE | re.DOTALL)
    exec(shown, names := {})
    x, noise = np.random.default_rng(0).normal(size=(2, 10_000, 1))
    y = 0.75 * x + np.sqrt(1 - 0.75**2) * noise
    one, two = names["bins"](
        [Replicate(number=0, x_test=x, y_test=y), Replicate(number=1, x_test=np.hstack([x, y]), y_test=y)],
        per_column=20,
    )
    assert one.nats == pytest.approx(0.41, abs=0.05)
    assert two.not_converged == "a histogram needs 1 + 1 columns"
