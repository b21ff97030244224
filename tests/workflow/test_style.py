"""The workflow and the code are in the style that their tools check."""

import subprocess
import sys

import pytest
from running import ROOT, snakemake


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("snakefmt", "--check", "Snakefile", "rules"),
    ],
    ids=" ".join,
)
def test_style(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_snakemake_lint_finds_nothing():
    assert "Congratulations" in snakemake(ROOT, "--lint")


def test_the_snakefile_and_the_names_rules_share_stay_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60
    assert len((ROOT / "rules/common.smk").read_text().splitlines()) < 110
