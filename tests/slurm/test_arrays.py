"""Equal jobs share an array, bundles share an allocation, and SLURM gets the requested resources."""

import re

from scenario import Snakemake, run, workflow

MANY = """
rule all:
    input: expand("out/{i}.txt", i=range(7)), "big.txt"
rule small:
    output: "out/{i}.txt"
    resources: mem_mb=500, runtime=5
    shell: "echo ${{SLURM_ARRAY_JOB_ID:-single}} $SLURM_JOB_NAME > {output}"
rule big:
    output: "big.txt"
    threads: 2
    resources: mem_mb=600, runtime=7, gpu=1, gpu_model="fake", slurm_partition="high", slurm_extra="--nice=5"
    shell:
        "scontrol show job $SLURM_JOB_ID > {output}; "
        "echo VISIBLE=$CUDA_VISIBLE_DEVICES THREADS={threads} >> {output}"
"""


def test_jobs_with_equal_resources_are_one_array(tmp_path):
    folder = workflow(tmp_path, MANY)
    printed = Snakemake(folder, "--jobs", "20").succeeds()
    ids = {(folder / f"out/{i}.txt").read_text() for i in range(7)}
    assert len(ids) == 1
    assert re.fullmatch(r"\d+ small\n", ids.pop())
    assert int(re.search(r"(\d+) sbatch", printed).group(1)) == 2
    assert not list((folder / ".snakemake/submitit").iterdir())  # successful jobs leave nothing


def test_resources_become_sbatch_options(tmp_path):
    folder = workflow(tmp_path, MANY)
    Snakemake(folder, "--jobs", "20", "big.txt").succeeds()
    job = (folder / "big.txt").read_text()
    for expected in (
        "JobName=big",
        "Partition=high",
        "TimeLimit=00:07:00",
        "NumCPUs=2",
        "mem=600M",
        "gres:gpu:fake:1",
        "Nice=5",
        "Requeue=1",
        "THREADS=2",
    ):
        assert expected in job, job
    assert re.search(r"Comment=\d{8}-\d{6}-\w{6}/\d", job)
    assert re.search(r"VISIBLE=[01] ", job)


def test_members_of_an_array_are_limited(tmp_path):
    folder = workflow(tmp_path, MANY)
    Snakemake(folder, "--jobs", "20", "--submitit-array-limit", "3", "--until", "small").succeeds()
    ids = [(folder / f"out/{i}.txt").read_text() for i in range(7)]
    assert sorted(ids.count(one) for one in set(ids)) == [1, 3, 3]


def test_a_limit_on_jobs_in_the_queue_makes_arrays_smaller_and_fails_nothing(tmp_path):
    folder = workflow(tmp_path, MANY.replace("runtime=5", "runtime=5, qos='three'"))
    printed = Snakemake(folder, "--jobs", "20", "--until", "small").succeeds()
    ids = [(folder / f"out/{i}.txt").read_text() for i in range(7)]
    assert 0 < max(ids.count(one) for one in set(ids)) <= 3
    assert "QOSMaxSubmitJobPerUserLimit" in printed


def test_a_bundle_shares_one_allocation(tmp_path):
    rules = MANY.replace("runtime=5", "runtime=5, bundle=4, at_once=2")
    folder = workflow(tmp_path, rules.replace("{{SLURM_ARRAY_JOB_ID:-single}}", "SLURM_JOB_ID"))
    Snakemake(folder, "--jobs", "20", "--until", "small").succeeds()
    ids = [(folder / f"out/{i}.txt").read_text().split()[0] for i in range(7)]
    assert sorted(ids.count(one) for one in set(ids)) == [3, 4]
    # Two at the same time: twice the memory, and half of four times the time.
    assert "00:10:00|1000M" in run("sacct", "-X", "-n", "-P", "-j", ids[0], "-o", "TimelimitRaw,Timelimit,ReqMem")
