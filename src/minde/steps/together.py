"""Cells trained together: of the processes of one machine that train at the same time, one trains the cells of all.

Each process posts a request in a shared folder. The one that holds the folder's lock, the leader, trains all requested
cells, in few stacks; the others wait, forward the signals that stop them, and copy the log of their cell. When its own
cell has ended, the leader writes the checkpoints of the other cells and exits, because Snakemake takes outputs as
finished when their process ends. If the leader exits or dies, another process takes the lock and resumes.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from minde.interruption import Interruption
from minde.progress import tell

from .requests import LOCK, POLL, Request, lock, pending, posted, write

if TYPE_CHECKING:
    from .stacks import Training

LOOK = 1.0  # seconds between the leader's looks for new requests
GATHER = 30.0  # seconds to wait for one more process: those of one allocation start together
FAILED = 1  # exit status


def train(arguments: dict, cells: int, interruption: Interruption) -> None:
    """Train a cell together with up to `cells - 1` others, in this process or in another one.

    `arguments` are those of the verb `train`. Raises RuntimeError if the training fails, with the reason on standard
    error, and SystemExit if it is stopped, as a training in this process would.
    """
    with posted(arguments) as own:
        status = _wait(own, cells, interruption)
    if status == FAILED:
        raise RuntimeError("The training failed; see the error above.")
    if status:
        sys.exit(status)


def _wait(own: Request, cells: int, interruption: Interruption) -> int:
    """Wait for the exit status of a request, as the leader if there is no other."""
    is_forwarded, copied = False, 0
    while not own.status.exists():
        with lock(own.path.with_name(LOCK), "a") as is_leader:
            if is_leader:
                copied = _copy(own.log, copied)
                _run_as_leader(own, cells, interruption, is_first=not copied)
        if interruption.signal and not is_forwarded:
            write(own.stopped_by, interruption.signal.name)
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
            new = [request for request in pending(own.path.parent) if request not in trainings]
            for request in new[: cells - len(trainings)]:
                log = None if request == own else request.log.open("a")
                training = _prepare(request, log, is_alone=not trainings)
                if training is not None:
                    trainings[request] = training
                    trainer.idle.append(training)
                elif not request.status.exists():  # it has not failed: memory is short until a training ends
                    is_full = True
                    break
        if not trainings:
            return
        for request, training in trainings.items():
            training.checkpointer.interruption.signal = leaves_by or request.stop_signal()
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
    write(request.status, str(status))


def _gather(folder: Path, cells: int, interruption: Interruption) -> None:
    """Wait until there are `cells` requests, or no new one has come for a while."""
    while not interruption.signal:
        came = [request.path.stat().st_mtime for request in pending(folder)]
        if len(came) >= cells or time.time() - max(came, default=0.0) > GATHER:
            return
        time.sleep(POLL)


def _copy(log: Path, copied: int) -> int:
    """Copy a log from position `copied` on to standard error; return the new position."""
    if not log.exists():
        return copied
    with log.open("rb") as file:
        file.seek(copied)
        new = file.read()
    print(new.decode(errors="replace"), end="", file=sys.stderr, flush=True)
    return copied + len(new)
