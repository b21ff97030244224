"""The interface of a cluster, its errors, and the import of submitit."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import ModuleType
from typing import ClassVar

from snakemake_interface_common.exceptions import WorkflowError

from .resources import Request
from .slurm import JobStatus
from .work import Work


class BusyError(RuntimeError):
    """The cluster takes no jobs at the moment; the same submission may succeed later."""


class FullError(BusyError):
    """A limit on a user's jobs in the queue: a smaller array may be taken, and jobs of another account."""


class RefusedError(RuntimeError):
    """The cluster refuses these jobs for good."""


class Cluster(ABC):
    """A place where jobs run, as the executor uses it."""

    name: ClassVar[str]
    """As in --submitit-cluster, and in the lists of submitted jobs."""
    blocks: ClassVar[bool] = False
    """Whether a submission returns only when its jobs have ended."""

    @abstractmethod
    def submit(self, request: Request, works: list[Work], name: str, tag: str) -> list[str]:
        """Submit works with equal requests, marked with a tag; return their ids. Raises the errors of this module."""

    @abstractmethod
    def ended(self, ids: set[str]) -> dict[str, JobStatus]:
        """Return the jobs among `ids` that are over, each with its last status."""

    def largest_array(self) -> int:
        """Return how many works one submission may have."""
        return 1

    def alive(self, runs: Iterable[str], ids: Iterable[str]) -> set[str] | None:
        """Return the waiting and running jobs of runs and of `ids`; None if the cluster does not answer."""
        return set()

    def cancel(self, ids: Iterable[str]) -> None:  # noqa: B027 - not every cluster has jobs to cancel
        """Try to cancel jobs; ids of jobs that have ended are ignored."""

    @abstractmethod
    def cancel_run(self, run: str, ids: Iterable[str]) -> str:
        """Cancel jobs, and those of a run whose ids are unknown, with retries; return an error message or ""."""


def import_submitit() -> ModuleType:
    """Return submitit. Imported late, since Snakemake imports the plugins of all executors, used or not."""
    try:
        import submitit
    except ModuleNotFoundError:
        raise WorkflowError(
            "the package submitit, by which jobs are submitted, is missing: pip install submitit"
        ) from None
    logging.getLogger("submitit").handlers.clear()  # it prints warnings to stdout; the executor reports errors itself
    return submitit
