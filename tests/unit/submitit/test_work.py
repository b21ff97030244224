"""What runs on a node, started as submitit does: as a process that receives signals."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from snakemake_executor_plugin_submitit import work
from snakemake_executor_plugin_submitit.work import Command, Work, log_path, result_path

PATIENCE = 300  # seconds, longer than anything takes unless it hangs

STARTER = """
import os, signal, sys
from pathlib import Path
from snakemake_executor_plugin_submitit import work
from snakemake_executor_plugin_submitit.work import Command, Work
work.STOP_TAKES = float(os.environ.get("STOP_TAKES", work.STOP_TAKES))
class Requeue:
    '''What submitit does at SIGUSR2, but for SLURM: the work as it would go on is written down.'''
    def __call__(self, number, frame):
        Path(sys.argv[1], "requeued").write_text(repr(WORK.checkpoint().function.own_requeues))
        sys.exit(3)
signal.signal(signal.SIGUSR2, Requeue())
WORK = eval(sys.argv[2])
WORK()
"""


@pytest.fixture(autouse=True)
def outside_of_slurm(monkeypatch):
    """The tests may themselves run in a job, which may have been requeued."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)


def start(folder, *shells, max_requeues=20, executor="local", **options):
    """Start a process that runs the commands 0, 1, … in a folder."""
    commands = tuple(Command(str(number), shell) for number, shell in enumerate(shells))
    works = Work(str(folder), str(folder), commands, max_requeues, **options)
    environment = os.environ | {"SUBMITIT_EXECUTOR": executor}
    with (folder / "said").open("w") as said:
        return subprocess.Popen([sys.executable, "-c", STARTER, str(folder), repr(works)], env=environment, stdout=said)


def status(folder, number):
    path = result_path(folder, str(number))
    return json.loads(path.read_text())["status"] if path.exists() else None


def wait_for(path):
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)


def wait_until_said(folder, words, process):
    end = time.monotonic() + PATIENCE
    while words not in (folder / "said").read_text():
        assert process.poll() is None
        assert time.monotonic() < end, f"never said: {words}"
        time.sleep(0.05)


# `sh` cannot trap a signal that was ignored when it started; a program can install a handler.
RESUMABLE = (
    f"{sys.executable} -c 'import pathlib, signal, sys, time; "
    'signal.signal(signal.SIGUSR2, lambda *_: (pathlib.Path("stopped").touch(), sys.exit(75))); '
    'signal.signal(signal.SIGTERM, lambda *_: pathlib.Path("term").touch()); '
    'pathlib.Path("begun").touch(); time.sleep(60)\''
)


def test_every_command_leaves_how_it_ended(tmp_path):
    assert start(tmp_path, "true", "exit 3", "kill -9 $$").wait(PATIENCE) == 0
    assert [status(tmp_path, number) for number in range(3)] == [0, 3, -9]
    assert not list(tmp_path.glob("*.group"))  # otherwise Ctrl-C would end whatever has that number by then


def test_a_command_runs_even_if_its_process_group_cannot_be_recorded(tmp_path):
    """As on a full disk; here a directory is in the place of the file."""
    (tmp_path / "0.group").mkdir()
    assert start(tmp_path, "exit 3").wait(PATIENCE) == 0
    assert status(tmp_path, 0) == 3


def test_what_a_dead_command_had_started_does_not_go_on(tmp_path):
    """For example the training of a Snakemake that was killed for memory: a retry would be a second writer."""
    start(tmp_path, "(touch begun; sleep 2; touch written) & while ! test -e begun; do :; done; kill -9 $$").wait(
        PATIENCE
    )
    assert status(tmp_path, 0) == -9
    time.sleep(3)
    assert not (tmp_path / "written").exists()


def test_a_process_that_nothing_reaps_has_ended():
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    assert work.group_lives(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not work.group_lives(process.pid)
    process.wait()


def test_a_command_that_is_finished_does_not_run_again(tmp_path):
    start(tmp_path, "echo once >> ran").wait(PATIENCE)
    start(tmp_path, "echo once >> ran").wait(PATIENCE)
    assert (tmp_path / "ran").read_text() == "once\n"


def test_so_many_run_at_once(tmp_path):
    meets = "touch {0}; for i in $(seq 100); do test -e {1} && exit 0; sleep 0.1; done; exit 1"
    start(tmp_path, meets.format("a", "b"), meets.format("b", "a"), at_once=2).wait(PATIENCE)
    assert [status(tmp_path, 0), status(tmp_path, 1)] == [0, 0]


def test_so_many_run_at_once_and_no_more(tmp_path):
    alone = "mkdir place && sleep 0.3 && rmdir place"
    start(tmp_path, alone, alone).wait(PATIENCE)
    assert [status(tmp_path, 0), status(tmp_path, 1)] == [0, 0]


def test_the_log_of_a_command_goes_on_after_a_requeue(tmp_path):
    log_path(tmp_path, "0").write_text("before\n")
    start(tmp_path, "echo after; echo error >&2").wait(PATIENCE)
    assert log_path(tmp_path, "0").read_text() == "before\nafter\nerror\n"


def test_told_to_stop_it_is_requeued_with_what_is_left(tmp_path):
    process = start(tmp_path, "true", RESUMABLE, "touch last")
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGUSR2)
    assert process.wait(PATIENCE) == 3
    assert (tmp_path / "requeued").read_text() == "1"
    assert [status(tmp_path, number) for number in range(3)] == [0, None, None]
    assert (tmp_path / "stopped").exists()
    assert not (tmp_path / "last").exists()


def test_a_command_that_does_not_know_the_signal_runs_on(tmp_path):
    process = start(tmp_path, "touch begun; sleep 2")
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGUSR2)
    assert process.wait(PATIENCE) == 0
    assert status(tmp_path, 0) == 0


def test_a_command_that_listens_late_is_asked_again(tmp_path):
    process = start(tmp_path, "touch early; sleep 1; " + RESUMABLE)
    wait_for(tmp_path / "early")
    process.send_signal(signal.SIGUSR2)
    assert process.wait(PATIENCE) == 3
    assert (tmp_path / "stopped").exists()


def test_a_requeue_waits_for_a_checkpoint_that_is_written_after_the_end_of_a_command(tmp_path):
    """By a process that the command has started."""
    program = (
        "import os, signal, time\n"
        "child = os.fork() == 0\n"
        "def stop(*_):\n"
        "    child and (time.sleep(0.5), open('written', 'w'))\n"
        "    os._exit(75)\n"
        "signal.signal(signal.SIGUSR2, stop)\n"
        "open('child' if child else 'parent', 'w')\n"
        "time.sleep(60)"
    )
    process = start(tmp_path, f'{sys.executable} -c "{program}"')
    wait_for(tmp_path / "child")
    wait_for(tmp_path / "parent")
    process.send_signal(signal.SIGUSR2)
    assert process.wait(PATIENCE) == 3
    assert (tmp_path / "written").exists()


@pytest.mark.parametrize("ends_first", [False, True])
def test_a_preemption_that_begins_with_sigterm_ends_in_a_requeue(tmp_path, ends_first):
    """SLURM sends SIGTERM to all processes itself."""
    command = "echo $$ > new; mv new begun; exec sleep 60" if ends_first else RESUMABLE
    process = start(tmp_path, command, executor="slurm")
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGTERM)
    wait_until_said(tmp_path, "received SIGTERM", process)
    if ends_first:
        os.killpg(int((tmp_path / "begun").read_text()), signal.SIGTERM)
        wait_until_said(tmp_path, "waiting for SLURM", process)
    process.send_signal(signal.SIGUSR2)
    assert process.wait(PATIENCE) == 3
    assert not (tmp_path / "term").exists()


def test_a_requeue_is_tried_until_the_controller_answers(monkeypatch):
    errors = [subprocess.CalledProcessError(1, "scontrol"), subprocess.TimeoutExpired("scontrol", 60), OSError()]
    pauses, answers = [], [*errors, SystemExit(3)]
    monkeypatch.setattr(work, "time", SimpleNamespace(sleep=pauses.append, strftime=time.strftime))

    def handler(number, frame):
        raise answers.pop(0)

    with pytest.raises(SystemExit):
        work._requeue(handler)
    assert pauses == [10] * 3


def test_a_command_that_does_not_stop_in_time_is_left_to_the_cluster(tmp_path):
    process = start(tmp_path, "touch begun; sleep 60")
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGUSR2)
    time.sleep(5.5)  # until the limit
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 143
    assert not (tmp_path / "requeued").exists()
    assert status(tmp_path, 0) is None


def test_a_command_that_ignores_the_signals_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("STOP_TAKES", "1")
    process = start(tmp_path, "trap '' TERM; echo $$ > new; mv new begun; while :; do sleep 0.1; done")
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "begun").read_text()), 0)


def test_a_command_that_a_signal_to_all_processes_ends_first_has_not_failed(tmp_path):
    """As scancel may do: the allocation is left to the cluster."""
    process = start(tmp_path, "echo begun > begun; exec sleep 60")
    wait_for(tmp_path / "0.group")
    wait_for(tmp_path / "begun")
    time.sleep(0.2)
    os.killpg(int((tmp_path / "0.group").read_text()), signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 143
    assert status(tmp_path, 0) is None


def test_requeues_have_a_limit(tmp_path):
    process = start(tmp_path, RESUMABLE, own_requeues=2, max_requeues=2)
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGUSR2)
    process.wait(PATIENCE)
    result = json.loads(result_path(tmp_path, "0").read_text())
    assert result["status"] == 75
    assert result["note"] == "stopped again after 2 requeues, the most allowed"


def test_requeues_of_slurm_s_own_count(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_RESTART_COUNT", "3")
    assert start(tmp_path, "touch begun", max_requeues=2).wait(PATIENCE) == 0
    assert not (tmp_path / "begun").exists()
    result = json.loads(result_path(tmp_path, "0").read_text())
    assert (result["status"], result["requeues"]) == (75, 3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_it_ends_what_it_has_started(tmp_path, number):
    process = start(tmp_path, "echo $$ > begun; exec sleep 60")
    wait_for(tmp_path / "begun")
    time.sleep(0.2)
    process.send_signal(number)
    process.wait(PATIENCE)
    assert status(tmp_path, 0) is None
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "begun").read_text()), 0)
