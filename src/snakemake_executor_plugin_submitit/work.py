"""What runs on a node: commands that share one allocation, their signals, and a result file for each."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

POLL = 0.2  # seconds
# After SIGTERM, SLURM itself ends or requeues the allocation, and records why. If the signal did not come from SLURM,
# the allocation ends after this time.
WAIT_FOR_THE_END = 900.0  # seconds
REPEAT = 5.0  # seconds: a command that has just started has no handler yet
STOP_TAKES = 25.0  # seconds after SIGTERM; SLURM's own default is 30, for processes that it tracks
SIGNAL_LAG = 1.0  # seconds between the death of a command by a signal to all processes and its arrival here
TOGETHER = 5.0  # seconds between the signals of one preemption
AFTER_INTERRUPT = 0.7  # seconds: submitit's local controller kills one second after it interrupts


@dataclass(frozen=True)
class Command:
    """A Snakemake job: a shell command and the token that its files are named after."""

    token: str
    shell: str


@dataclass(frozen=True)
class Work:
    """Commands that run in one allocation, `at_once` of them at the same time, and continue after a requeue.

    A command that has a result file is finished and does not run again when the allocation is restarted.
    """

    folder: str
    workdir: str
    commands: tuple[Command, ...]
    max_requeues: int
    at_once: int = 1
    own_requeues: int = 0
    """How often this had itself requeued before."""

    @property
    def requeues(self) -> int:
        """How often this was requeued before, by itself or by SLURM, for example after a node failure."""
        return max(self.own_requeues, int(os.environ.get("SLURM_RESTART_COUNT", 0)))

    def __call__(self) -> None:
        """Run what is not finished; submitit calls this on the node."""
        _Execution(self).run()

    def checkpoint(self) -> "DelayedSubmission":
        """Return what runs after a requeue; submitit calls this before it."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(replace(self, own_requeues=self.own_requeues + 1))


def result_path(folder: str | Path, token: str) -> Path:
    """Return the path of the file that records how a command ended."""
    return Path(folder, f"{token}.result.json")


def log_path(folder: str | Path, token: str) -> Path:
    """Return the path of a command's log."""
    return Path(folder, f"{token}.log")


def group_path(folder: str | Path, token: str) -> Path:
    """Return the path of the file that holds the process group of a running command."""
    return Path(folder, f"{token}.group")


@dataclass
class _Execution:
    """One run of some work, from the start of the allocation to its end or requeue."""

    work: Work
    unfinished: list[Command] = field(default_factory=list, init=False)
    running: dict[Command, subprocess.Popen] = field(default_factory=dict, init=False)
    received: dict[signal.Signals, float] = field(default_factory=dict, init=False)
    """When each signal was received first."""
    passed_on: float = field(default=0.0, init=False)
    """When a signal was last sent to the commands."""
    is_late: bool = field(default=False, init=False)
    """Commands did not stop after SIGUSR2, and SIGTERM has followed: SLURM decides what happens next."""

    def run(self) -> None:
        handler = self._listen()
        # Checked once only: when all have ended, Snakemake removes the result files.
        self.unfinished = [c for c in self.work.commands if not result_path(self.work.folder, c.token).exists()]
        if self.work.requeues > self.work.max_requeues:
            self._give_up()
            return
        waiting = list(self.unfinished)
        while self.running or (waiting and not self.received):
            while waiting and not self.received and len(self.running) < self.work.at_once:
                self._start(waiting.pop(0))
            self._collect()
            self._repeat()
            time.sleep(POLL)
        if self.unfinished:
            self._leave(handler)

    def _listen(self) -> object:
        """Install handlers for signals; return submitit's handler, which requeues."""
        if threading.current_thread() is not threading.main_thread():
            return None  # the cluster `debug` runs inside Snakemake, which handles the signals
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        return signal.signal(signal.SIGUSR2, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        received = signal.Signals(number)
        _log(f"received {received.name}, passing it on")
        self.received.setdefault(received, time.monotonic())
        if received is signal.SIGTERM and self.running:
            self.is_late = time.monotonic() - self.received.get(signal.SIGUSR2, float("inf")) > TOGETHER
        # SLURM signals all processes itself. A Snakemake that receives SIGTERM twice hangs: its handler takes a lock.
        if received is signal.SIGUSR2:
            self._pass_on(signal.SIGUSR2)
        elif os.environ.get("SUBMITIT_EXECUTOR") != "slurm":
            self._pass_on(signal.SIGTERM)
        if received is signal.SIGINT:
            time.sleep(AFTER_INTERRUPT)
            self._pass_on(signal.SIGKILL)

    def _pass_on(self, number: int) -> None:
        self.passed_on = time.monotonic()
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):  # it may have ended in the meantime
                os.killpg(process.pid, number)

    def _repeat(self) -> None:
        """Repeat SIGUSR2 to commands that do not stop; kill those that do not end after SIGTERM."""
        now = time.monotonic()
        if signal.SIGTERM in self.received:
            if now - self.received[signal.SIGTERM] > STOP_TAKES:
                self._pass_on(signal.SIGKILL)
        elif signal.SIGUSR2 in self.received and now - self.passed_on > REPEAT:
            self._pass_on(signal.SIGUSR2)

    def _start(self, command: Command) -> None:
        # SIGUSR2 kills a process without a handler for it, so the command and its children start with it ignored.
        with log_path(self.work.folder, command.token).open("ab") as log:
            self.running[command] = subprocess.Popen(
                ["/bin/sh", "-c", f"trap '' USR2; {command.shell}"],
                cwd=self.work.workdir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # on a full disk the command can run all the same
            group_path(self.work.folder, command.token).write_text(str(self.running[command].pid))

    def _collect(self) -> None:
        """Record the commands that have ended together with all their children."""
        for command, process in list(self.running.items()):
            status = process.poll()
            if status and not self.received:  # the job may be about to be cancelled or preempted, and has not failed
                time.sleep(SIGNAL_LAG)
            if status is None or (self.received and group_lives(process.pid)):
                continue  # a child that writes a checkpoint may outlive the command
            if status:  # its children must not run at the same time as a retry
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            del self.running[command]
            with contextlib.suppress(OSError):
                group_path(self.work.folder, command.token).unlink(missing_ok=True)
            if status == 0 or not self.received:
                self._finish(command, status)

    def _finish(self, command: Command, status: int, note: str = "") -> None:
        result = {"status": status, "node": socket.gethostname(), "requeues": self.work.requeues, "note": note}
        path = result_path(self.work.folder, command.token)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result))
        os.replace(partial, path)
        self.unfinished.remove(command)

    def _give_up(self) -> None:
        for command in list(self.unfinished):
            self._finish(command, 75, f"stopped again after {self.work.max_requeues} requeues, the most allowed")

    def _leave(self, handler: object) -> None:
        """Leave an allocation that was told to stop before all commands finished; requeue it if possible."""
        if not self._may_requeue:
            self._wait_for_slurm()
        if self._may_requeue and callable(handler):
            if self.work.requeues >= self.work.max_requeues:
                self._give_up()
                return
            _log(f"requeueing, {self.work.requeues + 1} of at most {self.work.max_requeues} times")
            _requeue(handler)
        sys.exit(128 + signal.SIGTERM)

    @property
    def _may_requeue(self) -> bool:
        return signal.SIGUSR2 in self.received and not self.is_late

    def _wait_for_slurm(self) -> None:
        """Wait until SLURM ends or requeues the allocation, or SIGUSR2 arrives, the other signal of a preemption."""
        if os.environ.get("SUBMITIT_EXECUTOR") != "slurm":
            return
        _log("stopped; waiting for SLURM to end or requeue the job")
        end = time.monotonic() + WAIT_FOR_THE_END
        while not self._may_requeue and time.monotonic() < end:
            time.sleep(POLL)


def _requeue(handler: Callable) -> NoReturn:
    """Have submitit requeue the allocation and exit; repeat while the controller does not answer."""
    while True:
        try:
            handler(signal.SIGUSR2, None)
        except (subprocess.SubprocessError, OSError) as error:
            _log(f"could not be requeued: {error}; trying again")
            time.sleep(10)


def group_lives(group: int) -> bool:
    """Return whether a process of the group runs; a zombie, which nothing reaps in some containers, does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError):  # it may have ended in the meantime
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                return True
    return False


def _log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
