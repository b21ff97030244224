"""Requests to train a cell, in a folder that the processes of one machine, allocation and working directory share.

A request is a file that its process keeps locked as long as it lives, and others next to it by which this process and
the one that trains tell each other how the training goes.
"""

import fcntl
import hashlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

POLL = 0.2  # seconds
LOCK = "lock"  # name of the file that the process which trains keeps locked


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

    def is_orphaned(self) -> bool:
        """Return whether its process is gone."""
        with suppress(FileNotFoundError), lock(self.path) as is_free:
            return is_free
        return True  # a leader that found the process dead has removed the request

    def stop_signal(self) -> signal.Signals | None:
        """Return the signal that is to stop the training: SIGTERM if its process is gone."""
        with suppress(FileNotFoundError):
            return signal.Signals[self.stopped_by.read_text()]
        return signal.SIGTERM if self.is_orphaned() else None

    def remove(self) -> None:
        """Remove all files."""
        for path in (self.path, self.log, self.stopped_by, self.status):
            path.unlink(missing_ok=True)


def pending(folder: Path) -> list[Request]:
    """Return the requests that have not ended, oldest first; remove those of processes that are gone."""
    found = []
    for request in map(Request, folder.glob("*.json")):
        with suppress(FileNotFoundError):  # its process may exit meanwhile
            if request.is_orphaned():
                request.remove()
            elif not request.status.exists():
                found.append((request.path.stat().st_mtime, request.path))
    return [Request(path) for _, path in sorted(found)]


@contextmanager
def posted(arguments: dict) -> Iterator[Request]:
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
            if folder.lstat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")
            request.remove()  # of an earlier process with the same number
            return request, request.path.with_suffix(".partial").open("w")


@contextmanager
def lock(path: Path, mode: str = "r+") -> Iterator[bool]:
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
    """Return the folder that processes of the same machine, allocation, GPUs, working directory and code share."""
    where = [os.getcwd(), __file__, *(os.environ.get(name) for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"))]
    name = hashlib.sha256(json.dumps(where).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"minde-{os.getuid()}-{name}")


def _remove_if_last(folder: Path) -> None:
    """Remove the folder if no process has a request there; one that posts a request meanwhile keeps it."""
    with suppress(OSError):  # rmdir fails if it holds another request by then
        while not any(folder.glob("*.json")):
            with lock(folder / LOCK, "a") as is_ours:
                if is_ours:
                    for path in folder.iterdir():  # a leader may have written files for processes that had died
                        if path.suffix not in (".json", ".partial"):
                            path.unlink()
                    folder.rmdir()
                    return
            time.sleep(POLL)  # without a request, the lock is held only by another process that removes the folder


def write(path: Path, text: str) -> None:
    """Write a file that its reader sees whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    os.replace(partial, path)
