"""The consistency tests in the workflow: from images to a table and a figure, and reruns."""

import pytest
import yaml
from running import IMAGES, OF_IMAGES, checkout, pending, snakemake


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A checkout in which the tests have been run."""
    folder = checkout(tmp_path_factory.mktemp("consistency") / "minde")
    (folder / "images.yaml").write_text(yaml.safe_dump(OF_IMAGES))
    snakemake(folder, "--configfile", "tiny.yaml", "images.yaml")
    return folder


def test_every_test_has_its_line_and_the_figure_is_drawn(run):
    lines = (run / "results/tiny/tables/consistency.md").read_text().splitlines()
    tests = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines[2:]]
    assert tests == [
        ["baseline", "4"],
        ["baseline", "8"],
        ["processing", "8"],
        ["additivity", "4"],
        ["additivity", "8"],
    ]
    for kind in ("pdf", "png"):
        assert (run / f"results/tiny/figures/consistency.{kind}").stat().st_size > 0


def test_nothing_runs_again_unless_something_changes(run):
    assert not pending(run, OF_IMAGES)


def test_other_noise_makes_the_latents_and_what_follows_again(run):
    outputs = pending(run, OF_IMAGES | {"consistency": IMAGES | {"noise": 0.5}})
    assert {"latents.parquet", "estimates/cca/baseline-4/0.parquet", "figures/consistency.png"} <= outputs


def test_other_rows_are_not_asked_for_that_the_images_do_not_have(run):
    (run / "changed.yaml").write_text(yaml.safe_dump(OF_IMAGES | {"consistency": IMAGES | {"rows": [4, 9]}}))
    printed = snakemake(run, "latents", "--configfile", "tiny.yaml", "changed.yaml", fails=True)
    assert "consistency.rows: found [4, 9]; allowed: numbers that end in 8" in printed
