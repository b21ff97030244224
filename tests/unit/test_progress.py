"""Progress: plain lines in a log, one live line on a terminal, and a rate that a resumed run does not fake."""

import io

import pytest

from minde import progress
from minde.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the test sets."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_a_log_gets_plain_lines_at_milestones_and_now_and_then(clock) -> None:
    stream = io.StringIO()
    report = Progress("train", 1000, "steps", stream).report
    for step in range(0, 1001, 100):
        clock[0] = step / 10
        report(step, f"loss {step}", milestone=step == 500)
    lines = stream.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["0/1000", "300/1000", "500/1000", "800/1000"]
    assert lines[1] == "train: steps 300/1000 (30%), 10 steps/s, loss 300, 1:10 left"
    assert "\r" not in stream.getvalue()


def test_a_terminal_gets_one_line_that_is_written_over(clock) -> None:
    stream = Terminal()
    report = Progress("train", 100, "steps", stream).report
    for step in (1, 2, 3):
        clock[0] = float(step)
        report(step, "", milestone=step == 3)
    assert stream.getvalue().count("\r\x1b[K") == 3
    assert stream.getvalue().count("\n") == 1


def test_the_rate_of_a_resumed_run_counts_its_own_steps(clock) -> None:
    stream = io.StringIO()
    report = Progress("train", 1000, "steps", stream).report
    report(900, "", milestone=True)
    clock[0] = 10.0
    report(950, "", milestone=True)
    assert "0 steps/s" in stream.getvalue().splitlines()[0]
    assert "unknown left" in stream.getvalue().splitlines()[0]
    assert "5 steps/s" in stream.getvalue().splitlines()[1]
    assert "0:10 left" in stream.getvalue().splitlines()[1]


def test_hours_are_shown(clock) -> None:
    stream = io.StringIO()
    report = Progress("train", 100_000, "steps", stream).report
    report(0, "", milestone=True)
    clock[0] = 60.0
    report(1000, "", milestone=True)
    assert "1:39:00 left" in stream.getvalue()
