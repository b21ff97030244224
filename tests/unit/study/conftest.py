"""The default study's config, for tests that change it."""

from pathlib import Path

import pytest
import yaml

from minde.study import config as configs

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config():
    return configs.resolve(yaml.safe_load((ROOT / "config/config.yaml").read_text()), ROOT)
