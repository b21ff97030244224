"""Jobs in processes of this machine."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit import local
from snakemake_executor_plugin_submitit.base import RefusedError
from snakemake_executor_plugin_submitit.local import Local, _gpus_here
from snakemake_executor_plugin_submitit.resources import Request
from snakemake_executor_plugin_submitit.work import Command, Work


def test_the_gpus_of_this_machine_are_those_that_cuda_shows(monkeypatch):
    for visible, gpus in (("2,5", [2, 5]), ("", []), ("GPU-8f2c", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert _gpus_here() == gpus


@pytest.fixture
def started(monkeypatch):
    """The GPUs of each job that is started, on a machine with two of them."""
    gpus = []

    class LocalExecutor:
        def __init__(self, **options):
            pass

        def update_parameters(self, *, visible_gpus, **options):
            gpus.append(visible_gpus)

        def submit(self, work):
            return SimpleNamespace(job_id=str(len(gpus)))

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    monkeypatch.setattr(local, "import_submitit", lambda: SimpleNamespace(LocalExecutor=LocalExecutor))
    return gpus


def test_a_job_gets_the_gpu_with_the_fewest_jobs_that_live(started, tmp_path, monkeypatch):
    cluster, living = Local(tmp_path), {"1", "2", "3", "4"}
    monkeypatch.setattr(Local, "_runs", lambda self, key: key in living)
    one, both = (Request(runtime=5, cpus=1, signal_delay=120, gpus=count) for count in (1, 2))
    work = Work(str(tmp_path), "/", (Command("1-fit", "true"),), max_requeues=20)
    cluster.submit(one, [work, work, work], "fit", "run/1")
    assert started == [[2], [5], [2]]
    cluster.submit(both, [work], "fit", "run/2")
    assert started[-1] == [5, 2]
    living -= {"1", "3"}
    cluster.submit(one, [work], "fit", "run/3")
    assert started[-1] == [2]


def test_more_gpus_than_there_are_cannot_be_had(started, tmp_path):
    work = Work(str(tmp_path), "/", (Command("1-fit", "true"),), max_requeues=20)
    with pytest.raises(RefusedError, match="3 GPUs are requested; this machine has 2"):
        Local(tmp_path).submit(Request(runtime=5, cpus=1, signal_delay=120, gpus=3), [work], "fit", "run/1")


def test_a_job_that_ends_while_it_is_being_cancelled_is_no_error(tmp_path, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    monkeypatch.setattr(Local, "_runs", lambda self, key: True)
    Local(tmp_path).cancel([str(process.pid)])


def test_jobs_of_earlier_runs_are_known_by_their_ids_unless_the_id_is_another_programs(tmp_path):
    command = [sys.executable, "-c", "input()", "submitit.local._local", str(tmp_path / "earlier")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        key = str(process.pid)
        assert Local(tmp_path / "now").alive([], [key, str(os.getpid())]) == {key}
        assert Local(tmp_path / "now").alive(["earlier"], []) == {key}
        assert Local(tmp_path / "elsewhere" / "now").alive(["earlier"], [key]) == set()
        process.communicate()
    assert Local(tmp_path / "now").alive([], [key]) == set()
