"""What runs on a node: commands that share one allocation, their signals, and a small file that says how each ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

POLL = 0.2  # seconds
# An allocation that was told to end is ended by the cluster, which knows why and whether to requeue it. SIGTERM that no
# cluster has sent must not keep the allocation for ever.
WAIT_FOR_THE_END = 900.0  # seconds
REPEAT = 5.0  # seconds: a command that has only just begun does not listen yet
STOP_TAKES = 25.0  # seconds after SIGTERM; SLURM's own default is 30, for the processes that it still knows
TOGETHER = 5.0  # seconds between the signals of one preemption
AFTER_INTERRUPT = 0.7  # seconds: submitit's local controller kills one second after it interrupts


@dataclass(frozen=True)
class Command:
    """A job of Snakemake's: a shell command and the token that its files are named after."""

    token: str
    shell: str


@dataclass(frozen=True)
class Work:
    """Commands that run in one allocation, ``at_once`` of them at the same time, and go on where they were requeued.

    A command that has a result file is finished: whatever restarts the allocation, it does not run again.
    """

    folder: str
    workdir: str
    commands: tuple[Command, ...]
    at_once: int = 1
    max_requeues: int = 20
    requeues: int = 0

    @property
    def starts(self) -> int:
        """How often this has started before: after requeues of our own, and of SLURM's where a node failed, say."""
        return max(self.requeues, int(os.environ.get("SLURM_RESTART_COUNT", 0)))

    def __call__(self) -> None:
        """Run what is not finished; what submitit calls on the node."""
        _Shift(self).run()

    def checkpoint(self) -> "DelayedSubmission":
        """Return what runs after a requeue; what submitit calls before it."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(replace(self, requeues=self.requeues + 1))


def result_path(folder: str | Path, token: str) -> Path:
    """Return the file that says how a command ended."""
    return Path(folder, f"{token}.result.json")


def log_path(folder: str | Path, token: str) -> Path:
    """Return the file that a command's output goes to."""
    return Path(folder, f"{token}.log")


def groups_path(folder: str | Path, token: str) -> Path:
    """Return the file that holds the process group of a command that runs."""
    return Path(folder, f"{token}.group")


@dataclass
class _Shift:
    """One start of some work: from the allocation's beginning to its end or requeue."""

    work: Work
    unfinished: list[Command] = field(default_factory=list)
    running: dict[Command, subprocess.Popen] = field(default_factory=dict)
    told: dict[signal.Signals, float] = field(default_factory=dict)
    """When signals were heard first."""
    repeated: float = 0.0
    is_late: bool = False
    """Commands did not stop when they were asked to, and the end has come: what it is, SLURM knows."""

    def run(self) -> None:
        handler = self._listen()
        # Asked once: when all has ended, Snakemake removes the result files.
        self.unfinished = [c for c in self.work.commands if not result_path(self.work.folder, c.token).exists()]
        if self.work.starts > self.work.max_requeues:
            self._give_up()
        waiting = list(self.unfinished)
        while self.running or (waiting and not self.told):
            while waiting and not self.told and len(self.running) < self.work.at_once:
                self._start(waiting.pop(0))
            self._collect()
            self._repeat()
            time.sleep(POLL)
        if self.unfinished:
            self._leave(handler)

    def _listen(self) -> object:
        """Note signals from now on; return submitit's handler, which requeues."""
        if threading.current_thread() is not threading.main_thread():
            return None  # the cluster `debug` runs inside Snakemake, whose signals are not ours
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        return signal.signal(signal.SIGUSR2, self._hear)

    def _hear(self, number: int, frame: object) -> None:
        heard = signal.Signals(number)
        _say(f"heard {heard.name}, passing it on")
        self.told.setdefault(heard, time.monotonic())
        if heard is signal.SIGTERM and self.running:
            self.is_late = time.monotonic() - self.told.get(signal.SIGUSR2, float("inf")) > TOGETHER
        # SLURM tells all processes itself. A Snakemake that hears SIGTERM twice never ends: its handler takes a lock.
        if heard is signal.SIGUSR2:
            self._pass_on(signal.SIGUSR2)
        elif os.environ.get("SUBMITIT_EXECUTOR") != "slurm":
            self._pass_on(signal.SIGTERM)
        if heard is signal.SIGINT:
            time.sleep(AFTER_INTERRUPT)
            self._pass_on(signal.SIGKILL)

    def _pass_on(self, number: int) -> None:
        self.repeated = time.monotonic()
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):  # it may have ended meanwhile
                os.killpg(process.pid, number)

    def _repeat(self) -> None:
        """Ask commands that do not stop once more, and end those that the end of the allocation might forget."""
        now = time.monotonic()
        if signal.SIGTERM in self.told:
            if now - self.told[signal.SIGTERM] > STOP_TAKES:
                self._pass_on(signal.SIGKILL)
        elif signal.SIGUSR2 in self.told and now - self.repeated > REPEAT:
            self._pass_on(signal.SIGUSR2)

    def _start(self, command: Command) -> None:
        # SIGUSR2 kills a process that knows nothing of it; it is ignored by default, for all that the command starts.
        with log_path(self.work.folder, command.token).open("ab") as log:
            self.running[command] = subprocess.Popen(
                ["/bin/sh", "-c", f"trap '' USR2; {command.shell}"],
                cwd=self.work.workdir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        groups_path(self.work.folder, command.token).write_text(str(self.running[command].pid))

    def _collect(self) -> None:
        """Take note of commands that have ended, with all that they had started."""
        for command, process in list(self.running.items()):
            status = process.poll()
            if status is None or (self.told and _group_lives(process.pid)):
                continue  # the process that writes a checkpoint may outlive the one that was started
            if status:  # what it had started must not go on beside its successor
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            del self.running[command]
            groups_path(self.work.folder, command.token).unlink(missing_ok=True)
            if status == 0 or not self.told:
                self._finish(command, status)

    def _finish(self, command: Command, status: int, note: str = "") -> None:
        result = {"status": status, "node": socket.gethostname(), "requeues": self.work.starts, "note": note}
        path = result_path(self.work.folder, command.token)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(result))
        os.replace(partial, path)
        self.unfinished.remove(command)

    def _give_up(self) -> None:
        for command in list(self.unfinished):
            self._finish(command, 75, f"stopped again after {self.work.max_requeues} requeues, the most allowed")

    def _leave(self, handler: object) -> None:
        """Leave an allocation that was told to end before all was finished, for the queue if that is due."""
        if signal.SIGUSR2 in self.told and not self.is_late and callable(handler):
            if self.work.starts >= self.work.max_requeues:
                return self._give_up()
            _say(f"requeueing, {self.work.starts + 1} of at most {self.work.max_requeues} times")
            _requeue(handler)
        if os.environ.get("SUBMITIT_EXECUTOR") == "slurm":
            _say("stopped; waiting for SLURM to end or requeue the job")
            end = time.monotonic() + WAIT_FOR_THE_END
            while time.monotonic() < end:
                time.sleep(POLL)
                if signal.SIGUSR2 in self.told and not self.is_late:  # the other signal of a preemption
                    return self._leave(handler)
        return sys.exit(128 + signal.SIGTERM)


def _requeue(handler: object) -> None:
    """Have submitit put the allocation back into the queue and exit; tries on while the controller does not answer."""
    while True:
        try:
            handler(signal.SIGUSR2, None)
        except (subprocess.SubprocessError, OSError) as error:
            _say(f"could not be requeued: {error}; trying again")
            time.sleep(10)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
