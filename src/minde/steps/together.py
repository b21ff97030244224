"""Cells trained together: of the processes of one machine that train at the same time, one trains the cells of all.

Each process posts a request in a shared folder. The one that holds the folder's lock, the leader, trains all requested
cells, in few stacks; the others wait, forward the signals that stop them, and copy the log of their cell. When its own
cell has ended, the leader writes the checkpoints of the other cells and exits, because Snakemake takes outputs as
finished when their process ends. If the leader exits or dies, another process takes the lock and resumes.
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from minde.interruption import Interruption
from minde.progress import tell

if TYPE_CHECKING:
    from .stacks import Training

POLL = 0.2  # seconds
LOOK = 1.0  # seconds between the leader's looks for new requests
GATHER = 30.0  # seconds to wait for one more process: those of one allocation start together
FAILED = 1  # exit status
LOCK = "lock"  # file name


@dataclass(frozen=True)
class Request:
    """A cell that a process wants trained: the files that this process and the leader write for each other."""

    path: Path
    """Arguments of the training; named after the process, which keeps it locked as long as it lives."""

    @property
    def log(self) -> Path:
        """The log of the training."""
        return self.path.with_suffix(".log")

    @property
    def stopped_by(self) -> Path:
        """The signal that the process was told to stop by."""
        return self.path.with_suffix(".signal")

    @property
    def status(self) -> Path:
        """The exit status that the process is to have."""
        return self.path.with_suffix(".status")

    def signal(self) -> signal.Signals | None:
        """Return the signal that is to stop the training: SIGTERM if its process is gone."""
        with suppress(FileNotFoundError):
            return signal.Signals[self.stopped_by.read_text()]
        try:
            with _lock(self.path) as is_free:
                return signal.SIGTERM if is_free else None
        except FileNotFoundError:  # removed by a leader that found the process dead
            return signal.SIGTERM

    def remove(self) -> None:
        """Remove all files."""
        for path in (self.path, self.log, self.stopped_by, self.status):
            path.unlink(missing_ok=True)


def train(arguments: dict, cells: int, interruption: Interruption) -> None:
    """Train a cell together with up to `cells - 1` others, in this process or in another one.

    `arguments` are those of the verb `train`. Raises RuntimeError if the training fails, with the reason on standard
    error, and SystemExit if it is stopped, as a training in this process would.
    """
    with _posted(arguments) as own:
        status = _wait(own, cells, interruption)
    if status == FAILED:
        raise RuntimeError("The training failed; see the error above.")
    if status:
        sys.exit(status)


def _wait(own: Request, cells: int, interruption: Interruption) -> int:
    """Wait for the exit status of a request, as the leader if there is no other."""
    is_forwarded, copied = False, 0
    while not own.status.exists():
        with _lock(own.path.with_name(LOCK), "a") as is_leader:
            if is_leader:
                copied = _copy(own.log, copied)
                _run_as_leader(own, cells, interruption, is_first=not copied)
        if interruption.signal and not is_forwarded:
            _write(own.stopped_by, interruption.signal.name)
            is_forwarded = True
        copied = _copy(own.log, copied)
        time.sleep(POLL)
    _copy(own.log, copied)
    return int(own.status.read_text())


def _run_as_leader(own: Request, cells: int, interruption: Interruption, *, is_first: bool) -> None:
    """Train the requested cells; exit, after all checkpoints are written, if this process is told to stop."""
    if is_first:
        _gather(own.path.parent, cells, interruption)
    if not interruption.signal:
        _train_requests(own, cells, interruption)
    elif not own.status.exists():
        tell(f"Stopped by {interruption.signal.name}; the same command resumes the training.")
    if interruption.signal and not own.status.exists():
        interruption.exit()


def _train_requests(own: Request, cells: int, interruption: Interruption) -> None:
    """Train the requested cells, at most `cells` at a time, until none is left or this process's own has ended."""
    from .trainer import Trainer

    trainer, trainings, looked, is_full = Trainer(), {}, 0.0, False
    while True:
        leaves_by = interruption.signal or (signal.SIGTERM if own.status.exists() else None)
        if not leaves_by and not is_full and (not trainings or time.monotonic() - looked > LOOK):
            looked = time.monotonic()
            new = [request for request in _pending(own.path.parent) if request not in trainings]
            for request in new[: cells - len(trainings)]:
                log = None if request == own else request.log.open("a")
                if training := _prepare(request, log, is_alone=not trainings):
                    trainings[request] = training
                    trainer.idle.append(training)
                elif is_full := not request.status.exists():
                    break
        if not trainings:
            return
        for request, training in trainings.items():
            training.checkpointer.interruption.signal = leaves_by or request.signal()
            training.checkpointer.is_handing_over = leaves_by is not None and request != own
        for training, error in trainer.advance():
            request = next(request for request, other in trainings.items() if other is training)
            del trainings[request]
            is_full = False
            # Without a status, the process of a training that was stopped here resumes it.
            if not (leaves_by and isinstance(error, SystemExit)):
                _finish(request, error, training.checkpointer.log)


def _prepare(request: Request, log: TextIO | None, *, is_alone: bool) -> "Training | None":
    """Return the training of a cell; if that fails, finish its request and return None.

    A request for which there is no memory next to other trainings is not finished: it waits until one of them ends.
    """
    from minde.device import keep_freed_memory, pick_device

    from . import checkpointing, train
    from .trainer import REMEDY, free_frames

    try:
        if log is not None:
            tell(f"Trained by process {os.getpid()}, which trains other cells as well.", log)
        arguments = json.loads(request.path.read_text())
        every = arguments["checkpoint_seconds"]
        checkpointer = checkpointing.Checkpointer(Path(arguments["state"]), every, Interruption(), log)
        paths = (Path(arguments[name]) for name in ("samples", "weights", "curve"))
        keep_freed_memory()
        device = pick_device(arguments["device"])
        return train.prepare(arguments["settings"], *paths, device, arguments["stack"], checkpointer)
    except Exception as error:
        if is_alone or not isinstance(error, MemoryError):
            _finish(request, error, log)
            return None
        free_frames(error)
        tell(f"{error}; the cell waits until another one has ended: {REMEDY}", log)
        if log is not None:
            log.close()
        return None


def _finish(request: Request, error: BaseException | None, log: TextIO | None) -> None:
    """Tell a process how its training has ended."""
    status = 0 if error is None else error.code if isinstance(error, SystemExit) else FAILED
    if status == FAILED:
        traceback.print_exception(error, file=log)
    if log is not None:
        log.close()
    _write(request.status, str(status))


def _gather(folder: Path, cells: int, interruption: Interruption) -> None:
    """Wait until there are `cells` requests, or no new one has come for a while."""
    while not interruption.signal:
        posted = [request.path.stat().st_mtime for request in _pending(folder)]
        if len(posted) >= cells or time.time() - max(posted, default=0.0) > GATHER:
            return
        time.sleep(POLL)


def _pending(folder: Path) -> list[Request]:
    """Return the requests that have not ended, oldest first; remove those of processes that are gone."""
    found = []
    for request in map(Request, folder.glob("*.json")):
        with suppress(FileNotFoundError):  # its process may exit meanwhile
            if request.signal() is signal.SIGTERM and not request.stopped_by.exists():
                request.remove()
            elif not request.status.exists():
                found.append((request.path.stat().st_mtime, request.path))
    return [Request(path) for _, path in sorted(found)]


@contextmanager
def _posted(arguments: dict) -> Iterator[Request]:
    """Post a request for a while; the system unlocks its file when this process dies, whatever the reason."""
    request, partial = _own_request()
    with partial:
        fcntl.flock(partial, fcntl.LOCK_EX)
        json.dump(arguments, partial)
        partial.flush()
        os.replace(partial.name, request.path)
        try:
            yield request
        finally:
            request.remove()
            _remove_if_last(request.path.parent)


def _own_request() -> tuple[Request, TextIO]:
    """Return the request of this process, without files, and the file to write it to."""
    folder = _folder()
    request = Request(folder / f"{os.getpid()}.json")
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):  # the last of the other processes may have removed it meanwhile
            if folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
            request.remove()  # of an earlier process with the same number
            return request, request.path.with_suffix(".partial").open("w")


@contextmanager
def _lock(path: Path, mode: str = "r+") -> Iterator[bool]:
    """Lock a file unless another process has, and yield whether it is locked; NFS locks only files open for writing."""
    with path.open(mode) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed it since it was opened here.
            is_ours = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        yield is_ours


def _folder() -> Path:
    """Return the folder that is shared by processes of the same machine, allocation, GPUs, study and code."""
    where = [os.getcwd(), __file__, *(os.environ.get(name) for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"))]
    name = hashlib.sha256(json.dumps(where).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"minde-{os.getuid()}-{name}")


def _remove_if_last(folder: Path) -> None:
    """Remove the folder if no process has a request there; one that posts a request meanwhile keeps it."""
    with suppress(OSError):
        while not any(folder.glob("*.json")):
            with _lock(folder / LOCK, "a") as is_ours:
                if is_ours:
                    # A leader may have written logs and statuses for processes that had died.
                    for path in (*folder.glob("*.log"), *folder.glob("*.status"), folder / LOCK):
                        path.unlink()
                    folder.rmdir()
                    return
            time.sleep(POLL)  # without a request, the lock is held only by another process that removes the folder


def _write(path: Path, text: str) -> None:
    """Write a file that its reader sees whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    os.replace(partial, path)


def _copy(log: Path, copied: int) -> int:
    """Copy a log from position `copied` on to standard error; return the new position."""
    if not log.exists():
        return copied
    with log.open("rb") as file:
        file.seek(copied)
        new = file.read()
    print(new.decode(errors="replace"), end="", file=sys.stderr, flush=True)
    return copied + len(new)
