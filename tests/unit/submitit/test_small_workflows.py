"""A small workflow through the clusters that need no SLURM: processes of this machine, and Snakemake's own process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RULES = """
rule all:
    input: "1.txt", "2.txt"
rule part:
    output: "{i}.txt"
    resources: runtime=5
    shell: "echo {wildcards.i} > {output}"
rule broken:
    output: "broken"
    resources: runtime=5
    shell: "echo the reason >&2; exit 3"
"""


def snakemake(folder: Path, cluster: str, *arguments: str) -> subprocess.CompletedProcess:
    (folder / "Snakefile").write_text(RULES)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--executor",
        "submitit",
        "--submitit-cluster",
        cluster,
        "--jobs",
        "2",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")}
    command += ["--seconds-between-status-checks", "1", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_a_workflow_succeeds_and_leaves_its_results_only(tmp_path, cluster):
    run = snakemake(tmp_path, cluster)
    assert run.returncode == 0, run.stderr
    assert f"Jobs run on the cluster '{cluster}'" in run.stderr
    assert [(tmp_path / f"{i}.txt").read_text() for i in (1, 2)] == ["1\n", "2\n"]
    assert not list((tmp_path / ".snakemake/submitit").iterdir())


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_a_failure_says_why_and_leaves_its_log(tmp_path, cluster):
    run = snakemake(tmp_path, cluster, "broken")
    assert run.returncode == 1
    assert "Rule broken, job " in run.stderr
    assert "FAILED: exit status 3 (on " in run.stderr
    assert "    the reason\n" in run.stderr
    assert list((tmp_path / ".snakemake/submitit").glob("*/00001-broken.log"))
