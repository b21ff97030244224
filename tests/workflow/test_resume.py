"""A study that is killed during a training resumes that training."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml
from running import TINY, checkout, environment, snakemake

pytestmark = pytest.mark.slow

TASK = TINY["tasks"][0]
CHANGED = {
    "tasks": [TASK],
    "recipes": {"tiny": {"duration": {"steps": 4000}}},
    "run": {"checkpoint_seconds": 1},
}


def test_a_killed_study_goes_on_in_the_middle_of_its_training(tmp_path):
    folder = checkout(tmp_path / "minde")
    (folder / "changed.yaml").write_text(yaml.safe_dump(CHANGED))
    arguments = ["--configfile", "tiny.yaml", "changed.yaml"]
    state = folder / f"results/tiny/state/minde-c/{TASK}/100.safetensors"
    command = [sys.executable, "-m", "snakemake", *arguments, "--until", "train"]
    study = subprocess.Popen(command, cwd=folder, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    while not state.exists():
        assert study.poll() is None, "the study ended before it could be killed"
        time.sleep(0.05)
    os.killpg(study.pid, signal.SIGKILL)  # Snakemake and the training
    study.wait()

    snakemake(folder, *arguments, "--unlock")
    snakemake(folder, *arguments, "--until", "train")
    log = (folder / f"results/tiny/logs/train/minde-c/{TASK}/100.log").read_text()
    assert re.search(r"resumed at step [1-9]\d*/4000", log), log
    assert (folder / f"results/tiny/networks/minde-c/{TASK}/100.safetensors").exists()
    assert not state.exists()
