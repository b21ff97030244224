"""Cells trained together: of the processes that train at the same time, one does it for all, in few stacks.

Each asks for its cell in a folder of this machine. Who holds the folder's lock trains what is asked for; the others
pass on the signals that stop them, and copy what is said of their cell. A holder whose own cell has ended keeps the
others' checkpoints and leaves, for Snakemake takes outputs for done when their process ends. Where it leaves or dies,
another one takes the lock and goes on from the checkpoints.
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
from typing import TYPE_CHECKING

from minde.interruption import Interruption
from minde.progress import tell

if TYPE_CHECKING:
    from .stacks import Training

POLL = 0.2  # seconds
LOOK = 1.0  # seconds between looks for who has come or gone
COME = 30.0  # seconds that the next one to come is waited for: the processes of one allocation start together
FAILED = 1  # exit status


@dataclass(frozen=True)
class Asked:
    """A cell that a process waits for, by the files that the two sides leave for each other."""

    path: Path
    """Arguments of the training; named after the process, which keeps it locked as long as it lives."""

    @property
    def log(self) -> Path:
        """What the training says."""
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
        """Return the signal that is to stop the training; that of a process that is gone is to be stopped, too."""
        with suppress(FileNotFoundError):
            return signal.Signals[self.stopped_by.read_text()]
        try:
            with _lock(self.path) as is_free:
                return signal.SIGTERM if is_free else None
        except FileNotFoundError:  # who looks for what is asked removes what dead processes have left
            return signal.SIGTERM

    def remove(self) -> None:
        """Remove all files."""
        for path in (self.path, self.log, self.stopped_by, self.status):
            path.unlink(missing_ok=True)


def train(arguments: dict, cells: int, interruption: Interruption) -> None:
    """Have a cell trained, with up to ``cells - 1`` others, by this process or by another one.

    ``arguments`` are those of the verb `train`. Raises RuntimeError where the training fails, its reason being on
    standard error, and SystemExit where it is stopped, as one of its own process is.
    """
    folder = _folder()
    mine, told, copied = Asked(folder / f"{os.getpid()}.json"), False, 0
    mine.remove()  # of a process that had this number before
    with _ask(mine, arguments):
        while not mine.status.exists():
            with _lock(folder / "lock") as is_ours:
                if is_ours:
                    copied = _copy(mine.log, copied)
                    if not copied:  # nobody has trained it before
                        _await(cells, folder, interruption)
                    _lead(folder, mine, cells, interruption)
            if interruption.signal and not told:
                _write(mine.stopped_by, interruption.signal.name)
                told = True
            copied = _copy(mine.log, copied)
            time.sleep(POLL)
        _copy(mine.log, copied)
        status = int(mine.status.read_text())
    if status == FAILED:
        raise RuntimeError("The training failed; the reason stands above.")
    if status:
        sys.exit(status)


def _lead(folder: Path, mine: Asked, cells: int, interruption: Interruption) -> None:
    """Train what is asked for; leave, once all standings are kept, where this process is told to stop."""
    if not interruption.signal:
        _train_all(folder, mine, cells, interruption)
    if interruption.signal and not mine.status.exists():
        interruption.exit()


def _train_all(folder: Path, mine: Asked, cells: int, interruption: Interruption) -> None:
    """Train what is asked for, ``cells`` at the same time, until nothing is or this process's own cell has ended."""
    from .stacks import Trainer

    trainer, trainings, looked = Trainer(), {}, 0.0
    while True:
        told = interruption.signal or (signal.SIGTERM if mine.status.exists() else None)
        if not told and (not trainings or time.monotonic() - looked > LOOK):
            looked = time.monotonic()
            new = [asked for asked in _open(folder) if asked not in trainings]
            for asked in new[: cells - len(trainings)]:
                if training := _prepare(asked, None if asked == mine else asked.log.open("a")):
                    trainings[asked] = training
                    trainer.between.append(training)
        if not trainings:
            return
        for asked, training in trainings.items():
            training.keeper.interruption.signal = told or asked.signal()
        for training, error in trainer.turn():
            asked = next(asked for asked, other in trainings.items() if other is training)
            del trainings[asked]
            # Without a status, the process of a training that was stopped here goes on with it.
            if not (told and isinstance(error, SystemExit)):
                _end(asked, error, training.keeper.log)


def _prepare(asked: Asked, log: object) -> "Training | None":
    """Return the training of a cell; None where that fails, which ends it."""
    from minde.device import keep_freed_memory, pick_device

    from . import standing, train

    try:
        if log is not None:
            tell(f"Trained by process {os.getpid()}, which trains other cells as well.", log)
        arguments = json.loads(asked.path.read_text())
        keeper = standing.Keeper(Path(arguments["state"]), arguments["checkpoint_seconds"], Interruption(), log)
        paths = (Path(arguments[name]) for name in ("samples", "weights", "curve"))
        keep_freed_memory()
        device = pick_device(arguments["device"])
        return train.prepare(arguments["settings"], *paths, device, arguments["stack"], keeper)
    except Exception as error:
        _end(asked, error, log)
        return None


def _end(asked: Asked, error: BaseException | None, log: object) -> None:
    """Tell a process how its training has ended."""
    status = 0 if error is None else error.code if isinstance(error, SystemExit) else FAILED
    if status == FAILED:
        traceback.print_exception(error, file=log)
    if log is not None:
        log.close()
    _write(asked.status, str(status))


def _await(cells: int, folder: Path, interruption: Interruption) -> None:
    """Wait until so many ask, or nobody has come for a while."""
    while not interruption.signal:
        came = [asked.path.stat().st_mtime for asked in _open(folder)]
        if len(came) >= cells or time.time() - max(came, default=0.0) > COME:
            return
        time.sleep(POLL)


def _open(folder: Path) -> list[Asked]:
    """Return what is asked for and has not ended, in the order of asking; clear up after processes that are gone."""
    there = []
    for one in map(Asked, folder.glob("*.json")):
        with suppress(FileNotFoundError):  # its process may leave meanwhile
            if one.signal() is signal.SIGTERM and not one.stopped_by.exists():
                one.remove()
            elif not one.status.exists():
                there.append((one.path.stat().st_mtime, one.path))
    return [Asked(path) for _, path in sorted(there)]


@contextmanager
def _ask(mine: Asked, arguments: dict) -> Iterator[None]:
    """Ask for a cell; the system unlocks the file when this process dies, whatever of."""
    partial = mine.path.with_suffix(".partial")
    with partial.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump(arguments, file)
        file.flush()
        os.replace(partial, mine.path)
        try:
            yield
        finally:
            mine.remove()


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Hold a file's lock if nobody else does; say whether it is held."""
    with path.open("r+") as file:  # NFS locks only what is open for writing
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = True
        except BlockingIOError:
            is_ours = False
        yield is_ours


def _folder() -> Path:
    """Return the folder in which those meet that share this machine, allocation, GPUs, study and code."""
    where = [os.getcwd(), __file__, *(os.environ.get(name) for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"))]
    name = hashlib.sha256(json.dumps(where).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir(), f"minde-{os.getuid()}-{name}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
    (folder / "lock").touch()
    return folder


def _write(path: Path, text: str) -> None:
    """Write a file that the other side sees whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    os.replace(partial, path)


def _copy(log: Path, copied: int) -> int:
    """Copy what was added to a log to standard error; return how much of it was copied so far."""
    if not log.exists():
        return copied
    with log.open("rb") as file:
        file.seek(copied)
        new = file.read()
    print(new.decode(errors="replace"), end="", file=sys.stderr, flush=True)
    return copied + len(new)
