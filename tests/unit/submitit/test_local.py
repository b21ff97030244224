"""Jobs in processes of this machine."""

import subprocess
import sys

from snakemake_executor_plugin_submitit.local import Local


def test_a_job_that_ends_while_it_is_being_cancelled_is_no_error(tmp_path, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    monkeypatch.setattr(Local, "_runs", lambda self, key: True)
    Local(tmp_path).cancel([str(process.pid)])
