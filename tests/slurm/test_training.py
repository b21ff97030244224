"""Trainings that are stopped in the middle resume to the weights of one that nothing has stopped, bit by bit."""

import re

import pytest
import yaml
from running import TINY, checkout
from safetensors.numpy import load_file
from scenario import Snakemake, run, running, submitted, until

pytestmark = pytest.mark.xdist_group("training")

STEPS = {"recipes": {"tiny": {"duration": {"steps": 10000}}}, "run": {"checkpoint_seconds": 0}}
ONE = {"tasks": TINY["tasks"][:1], "methods": ["minde-c"]}


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory):
    """The weights of a training that nothing has stopped."""
    folder = training(tmp_path_factory.mktemp("whole") / "minde")
    Snakemake(folder, "--jobs", "2", *CONFIGS, "--until", "train").succeeds()
    return weights(folder)


CONFIGS = ("--configfile", "tiny.yaml", "long.yaml")


def training(folder):
    """A checkout whose study trains for a while."""
    checkout(folder)
    (folder / "long.yaml").write_text(yaml.safe_dump(STEPS | ONE))
    return folder


def weights(folder):
    """The bytes of the tensors of the trained networks."""
    path = next(folder.glob("results/tiny/networks/**/*.safetensors"))
    return {name: array.tobytes() for name, array in load_file(path).items()}


def test_a_preempted_training_resumes_to_the_same_bits(tmp_path, uninterrupted):
    folder = training(tmp_path / "minde")
    snakemake = Snakemake(
        folder,
        "--jobs",
        "2",
        *CONFIGS,
        "--until",
        "train",
        "--set-resources",
        "train:slurm_partition=low",
        "train:runtime=10m",
    )
    log = folder / f"results/tiny/logs/train/minde-c/{ONE['tasks'][0]}/100.log"
    until(lambda: log.exists() and "steps" in log.read_text() and running(folder), "the training")
    everything = run("sinfo", "--noheader", "-o", "%c").strip()
    run("sbatch", "--wrap", "sleep 5", "-p", "high", "-c", everything, "--mem", "100", "--output", "/dev/null")
    printed = snakemake.succeeds()
    assert re.search(r"resumed at step [1-9]\d*/10000", log.read_text())
    assert len(submitted(printed)) == 2  # the samples, and one training
    assert weights(folder) == uninterrupted


def test_a_training_resumes_at_its_time_limit_to_the_same_bits(tmp_path, uninterrupted):
    folder = training(tmp_path / "minde")
    # Of one minute, SLURM's signal leaves but the start: stopped several times.
    printed = Snakemake(
        folder, "--jobs", "2", *CONFIGS, "--until", "train", "--set-resources", "train:runtime=1m"
    ).succeeds()
    assert re.search(
        r"resumed at step [1-9]\d*/10000", (next(folder.glob("results/tiny/logs/train/**/*.log"))).read_text()
    )
    assert len(submitted(printed)) == 2
    assert weights(folder) == uninterrupted
