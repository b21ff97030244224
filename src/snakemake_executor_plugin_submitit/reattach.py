"""Jobs of earlier runs whose Snakemake was killed: those that do what is needed are taken over, not submitted again."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import runs, work
from .base import Cluster
from .jobs import Ready
from .runs import Entry, Noted, Run
from .slurm import shortened

AGAIN = 10.0  # seconds between questions to a cluster that does not answer


@dataclass
class PreviousRuns:
    """The jobs of earlier runs: waiting, running, or ended while no Snakemake was watching."""

    cluster: Cluster
    logger: object
    this_run: str
    """Id of the run that takes jobs over."""
    gone: list[Run]
    """The runs whose Snakemake is gone."""
    unfinished: list[Run]
    """Those among them with jobs that had not ended at the start."""
    entries: list[Entry]
    """The jobs that can still be taken over."""
    living: set[str]
    """Allocations that waited or ran at the start and are not known to have ended."""
    unrecorded: set[str]
    """Allocations of unknown content, which are cancelled."""
    to_cancel: set[str]
    """Allocations that were cancelled before, or would write the same files in another way."""
    taken: set[str] = field(default_factory=set, init=False)
    """Allocations that this run waits for."""

    @classmethod
    def recover(cls, gone: list[Run], cluster: Cluster, logger: object, this_run: str) -> "PreviousRuns":
        """Return what dead runs left on a cluster, once it answers; record what has ended, cancel what is unknown.

        Allocations that another living run has taken over are left out.
        """
        recorded = _recorded(gone, cluster.name, logger)
        others = {_allocation(entry) for _, entry in runs.held(gone, {run.id for run in gone})}
        open_jobs = [noted for noted in recorded if noted.end != "ended" and _allocation(noted.entry) not in others]
        living = _wait_for_living(cluster, gone, [noted.entry.cluster_id for noted in open_jobs], logger)
        unrecorded = living - {noted.entry.cluster_id for noted in recorded}
        living = living - {cluster_id for _, cluster_id in others}
        left, over = _split(open_jobs, living)
        _note(Run.note_end, over, logger)
        to_cancel = {noted.entry.cluster_id for noted in open_jobs if noted.end == "cancelled"} & living
        if count := sum(entry.cluster_id not in to_cancel for entry in left):
            logger.info(f"{count} jobs of an earlier run are still there; those that are needed are taken over.")
        if unrecorded:
            logger.info(f"Cancelling {shortened(unrecorded)}: an earlier run was killed before it had recorded them.")
            cluster.cancel(unrecorded)
        unfinished = [run for run in gone if any(run.open_entries())]
        return cls(cluster, logger, this_run, gone, unfinished, left, living, unrecorded, to_cancel)

    def unneeded(self) -> set[str]:
        """Return the allocations of jobs that have not ended and that this run does not need."""
        return {entry.cluster_id for entry in self.entries if not _has_ended(entry)} - self.to_cancel

    def take(self, wanted: list[Ready]) -> list[tuple[Ready, Entry | None]]:
        """Return each job with an earlier one that does the same, or with the rivals that have to end before it.

        An allocation is taken over or cancelled as a whole; one that this run waits for is not cancelled.
        """
        writers = defaultdict(list)
        for entry in self.entries:
            for path in entry.outputs:
                writers[path].append(entry)
        near = [list(dict.fromkeys(entry for path in ready.outputs for entry in writers[path])) for ready in wanted]
        fitting = [self._fitting(ready, entries) for ready, entries in zip(wanted, near, strict=True)]
        # A command that has ended does not write any more, whatever the rest of its allocation does.
        rivals = [{entry.cluster_id for entry in entries if not _has_ended(entry)} & self.living for entries in near]
        self._give_up(set().union(*(ids for ids, fit in zip(rivals, fitting, strict=True) if fit is None)))
        pairs = []
        for ready, entries, ids, fit in zip(wanted, near, rivals, fitting, strict=True):
            if fit is not None and fit.cluster_id not in self.to_cancel:
                pairs.append((ready, fit))
            else:
                _note(Run.note_cancelled, entries, self.logger)  # so that no later run takes them over
                pairs.append((replace(ready, rivals=frozenset(ids | self.unrecorded)), None))
        taken = {entry for _, entry in pairs if entry}
        self.taken |= {entry.cluster_id for entry in taken}
        self.entries = [entry for entry in self.entries if entry not in taken]
        return pairs

    def held_by_others(self) -> list[tuple[Run, Entry]]:
        """Withdraw the jobs that other living runs have taken over; return them, each with its taker."""
        found = runs.held(self.unfinished, {self.this_run, *(run.id for run in self.gone)})
        allocations = {_allocation(entry) for _, entry in found}
        self.entries = [entry for entry in self.entries if _allocation(entry) not in allocations]
        return found

    def note_taken(self, entries: Iterable[Entry]) -> None:
        """Record in the lists of the runs that submitted them that this run has taken jobs over."""
        _note(lambda run, *tokens: run.note_taken(self.this_run, *tokens), entries, self.logger)

    def _fitting(self, ready: Ready, near: list[Entry]) -> Entry | None:
        if len(near) != 1 or (near[0].outputs, near[0].fingerprint) != (ready.outputs, ready.fingerprint):
            return None
        return None if _is_stale(near[0], ready.inputs) else near[0]

    def _give_up(self, allocations: set[str]) -> None:
        if allocations := allocations - self.taken - self.to_cancel:
            self.logger.info(
                f"Cancelling {shortened(allocations)} of an earlier run: "
                "settings of jobs that make the same files differ."
            )
            self.to_cancel |= allocations

    def blocked(self, batch: list[Ready]) -> tuple[list[Ready], str]:
        """Return the jobs whose rivals have not ended, and why; cancel rivals that this run does not wait for."""
        rivals = frozenset().union(*(ready.rivals for ready in batch)) & self.living
        if not rivals:
            return [], ""
        living = self.cluster.alive([], rivals)
        if living is None:
            still, reason = rivals, "the cluster does not say whether jobs of an earlier run have ended"
        else:
            still = rivals & living
            self.living = self.living - (rivals - still)  # a new set: the other thread may be reading the old one
            reason = f"{shortened(still)} of an earlier run, which make the same files, have not ended" if still else ""
            self.cluster.cancel(still - self.taken)
        return [ready for ready in batch if ready.rivals & still], reason

    def all_to_cancel(self) -> set[str]:
        """Return the allocations to cancel when this run is interrupted."""
        return self.taken | self.to_cancel | self.unrecorded

    def note_cancelled(self) -> None:
        """Record as cancelled the jobs of these allocations that this run has not taken over."""
        ids = self.all_to_cancel()
        _note(Run.note_cancelled, [entry for entry in self.entries if entry.cluster_id in ids], self.logger)

    def close(self, keep_logs: bool) -> None:
        """Clear up after jobs that have succeeded but were not needed, since their outputs existed."""
        results = runs.results((entry.folder, entry.token) for entry in self.entries)
        for entry in list(self.entries):
            if results.get((entry.folder, entry.token), {}).get("status") == 0:
                self.entries.remove(entry)
                allocation = runs.Allocation(Path(entry.folder), entry.cluster_id, {entry.token})
                allocation.close(entry.token, ok=True, keep_log=keep_logs)
                allocation.tidy()


def _recorded(gone: list[Run], cluster_name: str, logger: object) -> list[Noted]:
    """Return the jobs that dead runs have recorded on one cluster; warn of unfinished ones on another."""
    noted = [one for run in gone for one in run.entries()]
    if elsewhere := {one.entry.cluster for one in noted if not one.end and one.entry.cluster != cluster_name}:
        logger.warning(f"Jobs of an earlier run on the cluster {min(elsewhere)!r} are ignored.")
    return [one for one in noted if one.entry.cluster == cluster_name]


def _wait_for_living(cluster: Cluster, gone: list[Run], ids: list[str], logger: object) -> set[str]:
    """Return the waiting and running allocations of dead runs; wait until the cluster answers."""
    if not gone:
        return set()
    while (living := cluster.alive([run.id for run in gone], ids)) is None:
        logger.warning(f"The cluster does not say what earlier runs left; asking again in {AGAIN:.0f} seconds.")
        time.sleep(AGAIN)
    return living


def _split(jobs: list[Noted], living: set[str]) -> tuple[list[Entry], list[Entry]]:
    """Return the jobs that wait, run or have succeeded, and those that are over for good."""
    results = runs.results((noted.entry.folder, noted.entry.token) for noted in jobs)
    left, over = [], []
    for noted in jobs:
        entry = noted.entry
        if result := results.get((entry.folder, entry.token)):
            is_left = result["status"] == 0 and not noted.end
        else:
            is_left = entry.cluster_id in living
        (left if is_left else over).append(entry)
    return left, over


def _allocation(entry: Entry) -> tuple[str, str]:
    """Return what tells allocations apart; on one machine, the id of a process may be used again."""
    return entry.folder, entry.cluster_id


def _is_stale(entry: Entry, inputs: Iterable[str]) -> bool:
    """Return whether an input is newer than the job, or an output is missing although the job has ended."""
    if any(Path(path).exists() and Path(path).stat().st_mtime > entry.submitted for path in inputs):
        return True
    return _has_ended(entry) and not all(Path(path).exists() for path in entry.outputs)


def _has_ended(entry: Entry) -> bool:
    return work.result_path(entry.folder, entry.token).exists()


def _note(note: Callable[..., None], entries: Iterable[Entry], logger: object) -> None:
    """Call `note` with each run and its tokens, to record in its list what became of the entries.

    A list that cannot be written, as on a full disk, is warned of: an exception would end Snakemake but not its jobs.
    """
    tokens = defaultdict(list)
    for entry in entries:
        tokens[entry.folder].append(entry.token)
    for folder in tokens:
        try:
            note(Run(Path(folder)), *tokens[folder])
        except OSError as error:
            logger.warning(f"Could not record what became of {len(tokens[folder])} jobs: {error}. Continuing.")
