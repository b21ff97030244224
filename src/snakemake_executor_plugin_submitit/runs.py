"""A run's private folder, and its list of submitted jobs, from which a later run finds what is still under way."""

import hashlib
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from . import work


@dataclass(frozen=True)
class Entry:
    """A job that was submitted, as the list keeps it."""

    token: str
    cluster: str
    cluster_id: str
    """SLURM's id, or the process id of submitit's local controller."""
    outputs: tuple[str, ...]
    fingerprint: str
    """Of all that decides what the job does."""
    submitted: float
    """Seconds since the epoch."""
    folder: str


@dataclass
class Run:
    """One run of Snakemake: its id and its folder, whose name is that id."""

    folder: Path

    @property
    def id(self) -> str:
        """What marks the run's jobs in the queue."""
        return self.folder.name

    @classmethod
    def new(cls, parent: Path) -> "Run":
        """Return a run that has not started, and may have nothing to do."""
        return cls(parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}")

    def start(self) -> None:
        """Make the run's folder, which only its user may enter, if there is none yet."""
        if self.folder.exists():
            return
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        (self.folder / "owner.json").write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))

    def owned_by_another(self) -> bool:
        """Return whether a Snakemake that still runs has begun this run."""
        try:
            owner = json.loads((self.folder / "owner.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return owner["host"] == socket.gethostname() and owner["pid"] != os.getpid() and psutil.pid_exists(owner["pid"])

    def note(self, entries: Iterable[Entry]) -> None:
        """Add submitted jobs to the list, before anybody else is told of them."""
        self._append(asdict(entry) for entry in entries)

    def note_end(self, token: str) -> None:
        """Note that a job's end is known to Snakemake."""
        self._append([{"ended": token}])

    def open_entries(self) -> Iterator[Entry]:
        """Return the jobs whose end no Snakemake knows of."""
        found: dict[str, Entry] = {}
        path = self.folder / "jobs.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a Snakemake that was killed as it wrote
            if "ended" in row:
                found.pop(row["ended"], None)
            else:
                found[row["token"]] = Entry(**row | {"outputs": tuple(row["outputs"])})
        yield from found.values()

    def _append(self, rows: Iterable[dict]) -> None:
        with (self.folder / "jobs.jsonl").open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())

    def remove_if_idle(self) -> None:
        """Remove the folder of a run that left nothing to read: no log and no job that may still run."""
        logs = (*self.folder.glob("*.log"), *self.folder.glob("*_log.out"))
        if not logs and not any(self.open_entries()):
            shutil.rmtree(self.folder, ignore_errors=True)


def earlier(parent: Path) -> list[Run]:
    """Return the runs whose Snakemake is gone, oldest first."""
    folders = sorted(parent.iterdir()) if parent.is_dir() else []
    private = (f for f in folders if f.is_dir() and not f.is_symlink() and f.stat().st_uid == os.getuid())
    return [run for run in map(Run, private) if not run.owned_by_another()]


def results(folders: Iterable[Path]) -> dict[tuple[str, str], dict]:
    """Return how commands ended, by folder and token, from the files that they left."""
    found = {}
    for folder in folders:
        for entry in os.scandir(folder) if folder.is_dir() else ():
            if entry.name.endswith(".result.json"):
                found[str(folder), entry.name.removesuffix(".result.json")] = json.loads(Path(entry.path).read_text())
    return found


def fingerprint(*parts: object) -> str:
    """Return a digest of what decides what a job does."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


def is_stale(entry: Entry, inputs: Iterable[str], ended: bool) -> bool:
    """Return whether a job's inputs are younger than the job, or its outputs missing although it has ended."""
    if any(Path(path).exists() and Path(path).stat().st_mtime > entry.submitted for path in inputs):
        return True
    return ended and not all(Path(path).exists() for path in entry.outputs)


@dataclass
class Allocation:
    """What one job of the cluster runs for Snakemake, and which of it Snakemake still waits for."""

    folder: Path
    cluster_id: str
    tokens: set[str] = field(default_factory=set)
    waited_for: set[str] = field(default_factory=set)
    has_failed: bool = False

    def add(self, token: str) -> None:
        """Take in a command."""
        self.tokens.add(token)
        self.waited_for.add(token)

    def close(self, token: str, ok: bool, keep_log: bool) -> None:
        """Note a command's end, in the run's list too; the log of a success goes, the result stays for a requeue."""
        Run(self.folder).note_end(token)
        self.waited_for.discard(token)
        self.has_failed |= not ok
        if ok and not keep_log:
            work.log_path(self.folder, token).unlink(missing_ok=True)

    def tidy(self) -> bool:
        """Remove all that is left when all went well; False where submitit is still about to write its last file."""
        if not any(self.folder.glob(f"{self.cluster_id}_*_result.pkl")):
            return False
        for path in self.folder.glob(f"{self.cluster_id}_*"):
            path.unlink(missing_ok=True)
        for token in self.tokens:
            work.result_path(self.folder, token).unlink(missing_ok=True)
        return True
