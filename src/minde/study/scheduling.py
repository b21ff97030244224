"""A repair of Snakemake's scheduler, which otherwise gets busier with every finished job of a study."""

import math
import threading
import time

from snakemake.scheduling.job_scheduler import JobScheduler


def merge_reevaluations() -> None:
    """Have Snakemake's scheduler keep one timer for its next pass in place of one for each job that has finished.

    Since it limits how many jobs start in a second (`--max-jobs-per-timespan`), every pass starts a timer for another
    one, also if one is due already, and every job that finishes adds a pass. While jobs wait for free cores, none of
    these chains ends: after n jobs there are n passes a second, each of which looks at the input files of all waiting
    jobs.
    """
    # A later Snakemake may have renamed the method, and then needs another repair, or none: all else works without it.
    if hasattr(JobScheduler, "_schedule_reevalutation"):  # Snakemake's spelling
        JobScheduler._schedule_reevalutation = _reevaluate_once


def _reevaluate_once(scheduler: JobScheduler, delay: float) -> None:
    """Start a timer for another pass, unless one is due by then: that pass starts the next."""
    end = time.monotonic() + delay
    if getattr(scheduler, "_reevaluation_due", math.inf) <= end:
        return

    def reevaluate() -> None:
        scheduler._reevaluation_due = math.inf
        scheduler._open_jobs.release()

    scheduler._reevaluation_due = end
    threading.Timer(delay, reevaluate).start()
