"""Every reader reports a truncated file with its path and the rule that makes it."""

import shutil

import pytest
from running import TINY, copy, snakemake

TASK = TINY["tasks"][0]
SAMPLES = f"samples/{TASK}.parquet"
WEIGHTS = f"networks/minde-c/{TASK}/100.safetensors"
ESTIMATES = f"estimates/minde-c/{TASK}/100.parquet"


@pytest.fixture(scope="module")
def damaged(study, tmp_path_factory):
    """A copy of the study for this file's tests, each of which damages one file and makes it again."""
    return copy(study, tmp_path_factory.mktemp("damage") / "minde")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "rerun", "rule"),
    [
        pytest.param(SAMPLES, "train", "draw_samples", id="samples"),
        pytest.param(WEIGHTS, "estimate", "train", id="weights"),
        pytest.param(ESTIMATES, "merge", "estimate", id="estimates of a cell"),
        pytest.param("estimates.parquet", "table1", "merge", id="merged estimates"),
    ],
)
def test_a_truncated_file_is_named_with_the_rule_that_makes_it(damaged, damage, rerun, rule):
    path = damaged / "results/tiny" / damage
    whole = path.read_bytes()
    arguments = ["--configfile", "tiny.yaml", "--cores", "1"]
    path.write_bytes(whole[: len(whole) // 2])
    printed = snakemake(damaged, *arguments, "--forcerun", rerun, "--until", rerun, fails=True)
    assert f"results/tiny/{damage}" in printed
    assert f"`{rule}`" in printed
    assert "delete it and run the workflow again" in printed
    path.write_bytes(whole)
    snakemake(damaged, *arguments, "--until", rerun)


def test_results_of_another_study_are_not_merged(study, tmp_path):
    folder = copy(study, tmp_path / "minde")
    shutil.rmtree(folder / ".snakemake")
    (folder / "results/tiny/estimates.parquet").unlink()
    (folder / "other.yaml").write_text("seed: 5\n")
    printed = snakemake(folder, "--configfile", "tiny.yaml", "other.yaml", "--until", "merge", fails=True)
    assert "was made with other settings than the study's: seed of its samples is 0, expected 5" in printed
