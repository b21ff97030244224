"""The study that workflow tests share, in a checkout of its own."""

import pytest
import running


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache between workflows, filled by `study`."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def study(tmp_path_factory, cache):
    """A checkout in which the tiny study is complete. Dry runs only: a test that edits takes a copy."""
    checkout = running.checkout(tmp_path_factory.mktemp("study") / "minde")
    running.snakemake(checkout, "--configfile", "tiny.yaml", "--cache", cache=cache)
    return checkout
