"""Progress: plain lines in a log, one live line on a terminal, and the rate of a resumed run."""

import io
from types import SimpleNamespace

import pytest

from minde import progress
from minde.progress import Progress, tell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets, in seconds."""
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
    assert [line.split()[2] for line in lines] == ["0/1000", "100/1000", "400/1000", "500/1000", "800/1000"]
    assert lines[1] == "train: steps 100/1000 (10%), 10 steps/s, loss 100, 1:30 left"
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
    assert stream.getvalue().splitlines()[0] == "train: steps 900/1000 (90%), "
    assert "5 steps/s" in stream.getvalue().splitlines()[1]
    assert "0:10 left" in stream.getvalue().splitlines()[1]


def test_hours_are_shown(clock) -> None:
    stream = io.StringIO()
    report = Progress("train", 100_000, "steps", stream).report
    report(0, "", milestone=True)
    clock[0] = 60.0
    report(1000, "", milestone=True)
    assert "1:39:00 left" in stream.getvalue()


@pytest.mark.parametrize("stream", [None, SimpleNamespace(write=lambda text: None, flush=lambda: None)])
def test_a_standard_error_may_be_missing_or_less_than_a_file(stream, monkeypatch) -> None:
    """None in programs without a console; notebooks and loggers put objects of their own in its place."""
    monkeypatch.setattr("sys.stderr", stream)
    Progress("train", 100, "steps").report(1, "", milestone=True)
    tell("resumed")


def test_the_second_line_of_a_log_comes_soon_and_has_a_rate(clock) -> None:
    stream = io.StringIO()
    report = Progress("train", 1000, "steps", stream).report
    for second in range(1, 31):
        clock[0] = float(second)
        report(10 * second, "loss 1")
    first, second = stream.getvalue().splitlines()
    assert first == "train: steps 10/1000 (1%), loss 1"
    assert second == "train: steps 60/1000 (6%), 10 steps/s, loss 1, 1:34 left"
