"""The experiments of MINE in the workflow: a rule and a figure for each that a study names, with its caption."""

import pytest
import yaml
from running import ESTIMATION, MINE, ROOT, checkout, snakemake

KSG = {"neighbors": 3}
DEPENDENCE = {"replicates": 2, "functions": ["cubic"], "noises": [0, 0.5], "samples": 100, "loss": "mine", "ksg": KSG}
DEPENDENCE |= {"mine": MINE}
DEPENDENCE |= {"minde": {"hidden": 8, "batch_size": 50, "learning_rate": 0.001, "steps": 5, "mc_draws": 1}}
BOTH = {"experiments": {"estimation": ESTIMATION, "dependence": DEPENDENCE}}
FILES = {f"{folder}.{kind}" for folder in ("figures/estimation", "figures/dependence") for kind in ("png", "pdf")}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A checkout in which both experiments have been run."""
    folder = checkout(tmp_path_factory.mktemp("experiments") / "minde")
    (folder / "both.yaml").write_text(yaml.safe_dump(BOTH))
    snakemake(folder, "experiments", "--configfile", "tiny.yaml", "both.yaml")
    return folder


def planned(folder, experiments):
    """What a run of other settings would do."""
    (folder / "changed.yaml").write_text(yaml.safe_dump({"experiments": experiments}))
    return snakemake(folder, "experiments", "--dry-run", "--configfile", "tiny.yaml", "changed.yaml")


def test_every_experiment_has_rows_and_a_figure(run):
    for name in ("estimation", "dependence"):
        assert (run / f"results/tiny/experiments/{name}.parquet").stat().st_size > 0
    assert {f"figures/{path.name}" for path in (run / "results/tiny/figures").iterdir()} == FILES
    assert "Nothing to be done" in planned(run, BOTH["experiments"])


def test_a_setting_of_one_experiment_reruns_that_one(run):
    printed = planned(run, BOTH["experiments"] | {"estimation": ESTIMATION | {"ksg": {"neighbors": 4}}})
    assert "estimation_figure" in printed
    assert "dependence_figure" not in printed


def test_the_report_has_their_captions(run):
    snakemake(run, "experiments", "--configfile", "tiny.yaml", "both.yaml", "--report", "report.html")
    report = (run / "report.html").read_text()
    for words in ("MINE against nearest neighbours", "Dependences that are not linear", "estimation.png"):
        assert words in report
    assert "System Message" not in report  # what docutils puts where a caption is not reStructuredText


@pytest.mark.parametrize("name", yaml.safe_load((ROOT / "config/mine.yaml").read_text())["experiments"])
def test_the_small_study_of_mine_plans_every_experiment(run, name):
    printed = snakemake(run, "--dry-run", "--configfile", "config/mine.yaml")
    assert f"{name}_figure" in printed
