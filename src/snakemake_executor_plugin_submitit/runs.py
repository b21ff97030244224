"""A run's private folder, and its list of submitted jobs, from which a later run finds what is still under way."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from . import work

BEAT = 20.0  # seconds between signs of life for other hosts, which cannot see our process
WATCH = 60.0  # seconds without one after which a Snakemake of another host counts as gone
SAME_START = 10.0  # seconds that two readings of a process's start may differ by: the clock may have been set


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
    over: threading.Event = field(default_factory=threading.Event, compare=False)
    """Set when there is no more sign of life to be given."""

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
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()}
        self._beat(owner)
        threading.Thread(target=self._live, args=(owner,), daemon=True).start()

    def _live(self, owner: dict) -> None:
        while not self.over.wait(BEAT):
            with contextlib.suppress(OSError):  # the next one may succeed
                self._beat(owner)

    def _beat(self, owner: dict) -> None:
        partial = self.folder / "owner.partial"
        partial.write_text(json.dumps(owner | {"seen": time.time()}))
        os.replace(partial, self.folder / "owner.json")

    def owner(self) -> dict | None:
        """Return host, process and last sign of life of the Snakemake that has begun this run, as far as it said so."""
        try:
            return json.loads((self.folder / "owner.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def note(self, entries: Iterable[Entry]) -> None:
        """Add submitted jobs to the list, before anybody else is told of them."""
        self._append(asdict(entry) for entry in entries)

    def note_end(self, *tokens: str) -> None:
        """Note that the end of jobs is known to Snakemake."""
        self._append({"ended": token} for token in tokens)

    def note_cancelled(self, *tokens: str) -> None:
        """Note that jobs were cancelled, and may still be ending."""
        self._append({"cancelled": token} for token in tokens)

    def open_entries(self) -> Iterator[Entry]:
        """Return the jobs whose end no Snakemake knows of."""
        return (entry for entry, end in self.entries() if not end)

    def entries(self) -> Iterator[tuple[Entry, str]]:
        """Return all jobs of the list, and whether they have "ended", were "cancelled", or neither ("")."""
        found: dict[str, tuple[Entry, str]] = {}
        path = self.folder / "jobs.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a Snakemake that was killed as it wrote
            for end in ("ended", "cancelled"):
                if row.get(end) in found:
                    found[row[end]] = (found[row[end]][0], end)
            if "token" in row:
                found[row["token"]] = (Entry(**row | {"outputs": tuple(row["outputs"])}), "")
        yield from found.values()

    def _append(self, rows: Iterable[dict]) -> None:
        with (self.folder / "jobs.jsonl").open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())

    def remove_if_idle(self) -> None:
        """Remove the folder of a run that left nothing to read: no log and no job that may still run."""
        self.over.set()
        logs = (*self.folder.glob("*.log"), *self.folder.glob("*_log.out"))
        if not logs and not any(self.open_entries()):
            shutil.rmtree(self.folder, ignore_errors=True)


def earlier(parent: Path, say: Callable[[str], None]) -> tuple[list[Run], list[Run]]:
    """Return the runs whose Snakemake is gone, and those whose still lives; oldest first.

    Those on other hosts are watched for signs of life, as processes there cannot be seen.
    """
    folders = sorted(parent.iterdir()) if parent.is_dir() else []
    private = [f for f in folders if f.is_dir() and not f.is_symlink() and f.stat().st_uid == os.getuid()]
    found = [(run, run.owner()) for run in map(Run, private)]
    elsewhere = {owner["host"] for run, owner in found if owner and _is_elsewhere(owner) and any(run.open_entries())}
    if elsewhere:
        hosts = ", ".join(sorted(elsewhere))
        say(f"Looking for {WATCH:.0f} seconds whether the Snakemake that submitted jobs from {hosts} still runs.")
        time.sleep(WATCH)
    living = [run for run, owner in found if owner and _lives(run, owner)]
    return [run for run, _ in found if run not in living], living


def _is_elsewhere(owner: dict) -> bool:
    return owner["host"] != socket.gethostname()


def _lives(run: Run, owner: dict) -> bool:
    if _is_elsewhere(owner):
        return run.owner() != owner or not any(run.open_entries())  # with none, there is nothing to take over
    try:
        started = psutil.Process(owner["pid"]).create_time()
    except psutil.Error:
        return False
    return owner["pid"] != os.getpid() and abs(started - owner.get("started", 0)) < SAME_START


def results(jobs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict]:
    """Return how commands ended, of those given by folder and token that have left word."""
    found, tokens = {}, defaultdict(set)
    for folder, token in jobs:
        tokens[folder].add(token)
    for folder, wanted in tokens.items():
        here: set[str] = set()
        with contextlib.suppress(OSError):  # the next look may succeed
            here = set(os.listdir(folder))
        for token in wanted:
            path = work.result_path(folder, token)
            if path.name in here:
                with contextlib.suppress(json.JSONDecodeError, OSError):  # as a full disk may leave it
                    found[folder, token] = json.loads(path.read_text())
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
        self.waited_for.add(token)  # first: another thread may be tidying
        self.tokens.add(token)

    def close(self, token: str, ok: bool, keep_log: bool) -> None:
        """Note a command's end, in the run's list too; the log of a success goes, the result stays for a requeue."""
        self.waited_for.discard(token)
        self.has_failed |= not ok
        Run(self.folder).note_end(token)
        if ok and not keep_log:
            work.log_path(self.folder, token).unlink(missing_ok=True)

    def tidy(self) -> bool:
        """Remove all that is left when all went well; False where submitit is still about to write its last file."""
        if self.waited_for or not (self.folder / f"{self.cluster_id}_0_result.pkl").exists():
            return False
        for path in self.folder.glob(f"{self.cluster_id}_*"):
            path.unlink(missing_ok=True)
        for token in self.tokens - self.waited_for:
            work.result_path(self.folder, token).unlink(missing_ok=True)
        return True
