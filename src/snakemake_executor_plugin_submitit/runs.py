"""A run's private folder and its list of submitted jobs, by which a later run finds those that have not ended."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil

from . import work

BEAT = 20.0  # seconds between heartbeats, for other hosts, which cannot see this process
WATCH = 60.0  # seconds without a heartbeat after which a Snakemake on another host counts as gone
SAME_START = 10.0  # seconds by which two readings of a process's start may differ, if the clock was set


@dataclass(frozen=True)
class Entry:
    """A submitted job, as recorded in the list."""

    token: str
    cluster: str
    cluster_id: str
    """SLURM's id, or the process id of submitit's local controller."""
    outputs: tuple[str, ...]
    fingerprint: str
    """A digest of everything that determines what the job does."""
    submitted: float
    """Seconds since the epoch."""
    folder: str


@dataclass(frozen=True)
class Noted:
    """A recorded job with what later lines of the list say about it."""

    entry: Entry
    end: str = ""
    """Either "ended", "cancelled", or empty."""
    taker: str = ""
    """Id of the last run that has taken the job over, or empty."""


@dataclass
class Run:
    """One run of Snakemake: its id and its folder, whose name is that id."""

    folder: Path
    over: threading.Event = field(default_factory=threading.Event, init=False, compare=False)
    """Set when heartbeats are to stop."""

    @property
    def id(self) -> str:
        """The mark of the run's jobs in the queue."""
        return self.folder.name

    @classmethod
    def new(cls, parent: Path) -> "Run":
        """Return a run that has not started; it has no folder yet."""
        return cls(parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}")

    def start(self) -> None:
        """Make the run's folder, accessible to its user only, if it does not exist; others may share its parent."""
        if self.folder.exists():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        hidden = Run(self.folder.with_name(f".{self.id}"))  # without an owner, others would take the run for gone
        hidden.folder.mkdir(mode=0o700)
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()}
        hidden._beat(owner)
        hidden.folder.rename(self.folder)
        threading.Thread(target=self._live, args=(owner,), daemon=True).start()

    def _live(self, owner: dict) -> None:
        while not self.over.wait(BEAT):
            with contextlib.suppress(OSError):  # the next heartbeat may succeed
                self._beat(owner)

    def _beat(self, owner: dict) -> None:
        partial = self.folder / "owner.partial"
        partial.write_text(json.dumps(owner | {"seen": time.time()}))
        os.replace(partial, self.folder / "owner.json")

    def owner(self) -> dict | None:
        """Return host, process and last heartbeat of the Snakemake that started this run; None if not recorded."""
        try:
            return json.loads((self.folder / "owner.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def note(self, entries: Iterable[Entry]) -> None:
        """Record submitted jobs; call this before reporting them to Snakemake."""
        self._append(asdict(entry) for entry in entries)

    def note_end(self, *tokens: str) -> None:
        """Record that Snakemake knows that jobs have ended."""
        self._append({"ended": token} for token in tokens)

    def note_cancelled(self, *tokens: str) -> None:
        """Record that jobs were cancelled; they may still be ending."""
        self._append({"cancelled": token} for token in tokens)

    def note_taken(self, taker: str, *tokens: str) -> None:
        """Record that the run with the id `taker` has taken jobs over."""
        self._append({"taken": token, "by": taker} for token in tokens)

    def open_entries(self) -> Iterator[Entry]:
        """Return the jobs that are not recorded as ended or cancelled."""
        return (noted.entry for noted in self.entries() if not noted.end)

    def entries(self) -> list[Noted]:
        """Return all jobs of the list."""
        found: dict[str, Noted] = {}
        path = self.folder / "jobs.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # an empty line, or the last one of a Snakemake that was killed while writing
            if "token" in row:
                found[row["token"]] = Noted(Entry(**row | {"outputs": tuple(row["outputs"])}))
                continue
            for key in {"ended", "cancelled", "taken"} & row.keys():
                if noted := found.get(row[key]):
                    change = {"taker": row["by"]} if key == "taken" else {"end": key}
                    found[row[key]] = replace(noted, **change)
        return list(found.values())

    def _append(self, rows: Iterable[dict]) -> None:
        with (self.folder / "jobs.jsonl").open("a") as file:
            file.writelines(f"\n{json.dumps(row)}\n" for row in rows)  # the line before may have been cut short
            file.flush()
            os.fsync(file.fileno())

    def remove_if_idle(self) -> None:
        """Remove the folder of a run if it holds no logs and no job may still run."""
        self.over.set()
        logs = (*self.folder.glob("*.log"), *self.folder.glob("*_log.out"))
        if not logs and not any(self.open_entries()):
            shutil.rmtree(self.folder, ignore_errors=True)


def previous(parent: Path, say: Callable[[str], None]) -> tuple[list[Run], list[Run]]:
    """Return the runs whose Snakemake is gone, and those whose Snakemake still runs; oldest first.

    Those on other hosts, whose processes cannot be seen here, are watched for heartbeats.
    """
    folders = sorted(parent.glob("[!.]*"))
    private = [f for f in folders if f.is_dir() and not f.is_symlink() and f.stat().st_uid == os.getuid()]
    found = [(run, run.owner()) for run in map(Run, private)]
    open_jobs = [(run.id, noted.taker) for run, _ in found for noted in run.entries() if not noted.end]
    busy = set().union(*open_jobs)  # runs that have submitted or taken over jobs that have not ended
    elsewhere = {owner["host"] for run, owner in found if owner and _is_elsewhere(owner) and run.id in busy}
    if elsewhere:
        hosts = ", ".join(sorted(elsewhere))
        say(f"Waiting {WATCH:.0f} seconds to see whether the Snakemake that submitted jobs from {hosts} still runs.")
        time.sleep(WATCH)
    living = [run for run, owner in found if owner and _lives(run, owner, run.id in busy)]
    return [run for run, _ in found if run not in living], living


def _is_elsewhere(owner: dict) -> bool:
    return owner["host"] != socket.gethostname()


def _lives(run: Run, owner: dict, is_busy: bool) -> bool:
    if _is_elsewhere(owner):
        return run.owner() != owner or not is_busy  # one without jobs was not watched: nothing of it can be taken over
    try:
        started = psutil.Process(owner["pid"]).create_time()
    except psutil.Error:
        return False
    return owner["pid"] != os.getpid() and abs(started - owner.get("started", 0)) < SAME_START


def held(lists: list[Run], dead: set[str]) -> list[tuple[Run, Entry]]:
    """Return the jobs in allocations that a living run has taken over, each with that run.

    `lists` are the runs that submitted them. A taker counts as living if it has a folder and is not in `dead`.
    """
    found = []
    for run in lists:
        jobs = [noted for noted in run.entries() if noted.end != "ended"]
        takers = {one.entry.cluster_id: one.taker for one in jobs if one.taker and not one.end}
        takers = {key: Run(run.folder.parent / taker) for key, taker in takers.items() if taker not in dead}
        takers = {key: taker for key, taker in takers.items() if taker.folder.is_dir()}
        found += [(takers[one.entry.cluster_id], one.entry) for one in jobs if one.entry.cluster_id in takers]
    return found


def results(jobs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict]:
    """Return the results of those commands, given by folder and token, that have written one."""
    found, tokens = {}, defaultdict(set)
    for folder, token in jobs:
        tokens[folder].add(token)
    for folder, wanted in tokens.items():
        here: set[str] = set()
        with contextlib.suppress(OSError):  # the next attempt may succeed
            here = set(os.listdir(folder))
        for token in wanted:
            path = work.result_path(folder, token)
            if path.name in here:
                with contextlib.suppress(json.JSONDecodeError, OSError):  # as a full disk may leave it
                    found[folder, token] = json.loads(path.read_text())
    return found


@dataclass
class Allocation:
    """One job of the cluster: the Snakemake jobs that it runs, and those that Snakemake still waits for."""

    folder: Path
    cluster_id: str
    tokens: set[str] = field(default_factory=set)
    waited_for: set[str] = field(default_factory=set, init=False)
    has_failed: bool = field(default=False, init=False)

    def add(self, token: str) -> None:
        """Add a command."""
        self.waited_for.add(token)  # first: another thread may be tidying
        self.tokens.add(token)

    def close(self, token: str, ok: bool, keep_log: bool) -> None:
        """Record a command's end, in the run's list too; delete the log of a success, keep its result for a requeue."""
        self.waited_for.discard(token)
        self.has_failed |= not ok
        Run(self.folder).note_end(token)
        if ok and not keep_log:
            work.log_path(self.folder, token).unlink(missing_ok=True)

    def tidy(self) -> bool:
        """Remove the files of an allocation whose jobs have succeeded; return False if it has not ended yet."""
        if self.waited_for or not (self.folder / f"{self.cluster_id}_0_result.pkl").exists():
            return False
        for path in self.folder.glob(f"{self.cluster_id}_*"):
            path.unlink(missing_ok=True)
        for token in self.tokens - self.waited_for:
            work.result_path(self.folder, token).unlink(missing_ok=True)
        return True
