"""Progress reports: a live line on a terminal, plain lines in a log."""

import sys
import time
from typing import TextIO

LIVE_EVERY = 0.2  # seconds
LOG_EVERY = 30.0  # seconds
LOG_SECOND = 5.0  # seconds until the second line of a log, the first with a rate


class Progress:
    """Reports of work whose size is known: share done, rate, time left, and what the caller adds.

    `work` is the total in `unit`. A resumed run starts in the middle: the rate counts from the first report.
    """

    def __init__(self, title: str, work: int, unit: str, stream: TextIO | None = None) -> None:
        """Start the clock; nothing is written yet. Without a standard error, nothing ever is."""
        self.stream = stream or sys.stderr
        self.title, self.work, self.unit = title, work, unit
        self.live = _is_terminal(self.stream)
        self.start = time.perf_counter()
        self.entry: tuple[int, float] | None = None
        self.due = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def report(self, done: int, about: str, *, milestone: bool = False) -> None:
        """Report how much is done; between milestones, only as often as a reader can use."""
        now = self.seconds
        if self.stream is None or not (milestone or now >= self.due):
            return
        if self.live:
            self.due = now + LIVE_EVERY
        else:
            self.due = now + (LOG_SECOND if self.entry is None else LOG_EVERY)
        first, since = self.entry = self.entry or (done, now)
        rate = left = ""
        if done > first and now > since:
            per_second = (done - first) / (now - since)
            rate, left = f", {per_second:.3g} {self.unit}/s", f", {_clock((self.work - done) / per_second)} left"
        line = f"{self.title}: {self.unit} {done}/{self.work} ({done / self.work:.0%}){rate}, {about}{left}"
        # A milestone stays on the terminal; other lines are overwritten.
        end = "\n" if milestone or not self.live else ""
        print(f"\r\x1b[K{line}" if self.live else line, end=end, file=self.stream, flush=True)


def tell(text: str, stream: TextIO | None = None) -> None:
    """Write a line once, such as that a run is resumed."""
    stream = stream or sys.stderr
    if stream is not None:
        clear = "\r\x1b[K" if _is_terminal(stream) else ""  # of a live line
        print(f"{clear}{text}", file=stream, flush=True)


def _is_terminal(stream: TextIO | None) -> bool:
    return hasattr(stream, "isatty") and stream.isatty()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
