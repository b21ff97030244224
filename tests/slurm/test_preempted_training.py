"""Trainings that are stopped and resumed have bitwise the same weights as an undisturbed one."""

import re
from concurrent.futures import ThreadPoolExecutor

import yaml
from running import TINY, checkout
from safetensors.numpy import load_file
from scenario import Snakemake, queue, run, running, submitted, until

LONG = {
    "tasks": TINY["tasks"][:1],
    "methods": ["minde-c"],
    "recipes": {"tiny": {"duration": {"steps": 20000}}},
    "run": {"checkpoint_seconds": 0},
}
CONFIGS = ("--configfile", "tiny.yaml", "long.yaml")


def start(folder, *resources):
    """Return a checkout and its Snakemake; its study trains for longer than a minute on any machine."""
    checkout(folder)
    (folder / "long.yaml").write_text(yaml.safe_dump(LONG))
    small = ("train:mem_mb=3000", "draw_samples:mem_mb=2000")  # so that the three run at the same time
    arguments = (*CONFIGS, "--until", "train", "--set-resources", *small, *resources)
    return folder, Snakemake(folder, "--jobs", "2", *arguments)


def log(folder):
    """Return the training's log so far."""
    path = folder / f"results/tiny/logs/train/minde-c/{LONG['tasks'][0]}/100.log"
    return path.read_text() if path.exists() else ""


def is_training(folder):
    """Return a condition: the folder's job is training."""
    return lambda: " steps " in log(folder) and running(folder)


def weights(folder):
    """Return the tensors of the trained networks, as bytes."""
    path = next(folder.glob("results/tiny/networks/**/*.safetensors"))
    return {name: array.tobytes() for name, array in load_file(path).items()}


def preempt(folder):
    """Submit a job of higher priority that takes the GPUs of a training."""
    until(is_training(folder), "the training that is to be preempted")
    run("sbatch", "--wrap", "sleep 3", "--partition=high", "--gpus=2", "--mem=50", "--output=/dev/null")


def end_the_time_of(folder):
    """Set a job's time limit so that it ends during its training on any machine; then raise it again."""
    job = until(is_training(folder), "the training whose time is to be up")
    clock = run("squeue", "--noheader", "--job", job, "--format=%M").strip()  # minutes:seconds
    run("scontrol", "update", f"jobid={job}", f"timelimit={int(clock.split(':')[0]) + 2}")
    until(lambda: queue(folder, "PENDING"), "the requeue")
    run("scontrol", "update", f"jobid={job}", "timelimit=60")


def test_stopped_trainings_resume_to_the_same_bits(tmp_path):
    whole, undisturbed = start(tmp_path / "whole")
    preempted, victim = start(tmp_path / "preempted", "train:slurm_partition=low", "train:gpu=2")
    limited, hurried = start(tmp_path / "limited", "train:runtime=60m")
    with ThreadPoolExecutor() as pool:  # either may train first
        for done in (pool.submit(preempt, preempted), pool.submit(end_the_time_of, limited)):
            done.result()
    for snakemake in (undisturbed, victim, hurried):
        assert len(submitted(snakemake.succeeds())) == 2  # the samples, and one training
    for folder in (preempted, limited):
        assert re.search(r"resumed at step [1-9]\d*/20000", log(folder)), log(folder)
        assert weights(folder) == weights(whole)
