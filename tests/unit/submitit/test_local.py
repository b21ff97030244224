"""Jobs in processes of this machine."""

import os
import subprocess
import sys

from snakemake_executor_plugin_submitit.local import Local, _gpus_here


def test_the_gpus_of_this_machine_are_those_that_cuda_shows(monkeypatch):
    for visible, gpus in (("2,5", [2, 5]), ("", []), ("GPU-8f2c", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert _gpus_here() == gpus


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
