"""The small cell, trained without interruption, and folders for other trainings of it."""

import json
import signal

import pytest
import torch
from small_cell import LONG, SAMPLE, Folder

from minde.interruption import STATUSES
from minde.steps import train
from minde.steps.__main__ import main


@pytest.fixture(autouse=True)
def handlers():
    """Restore the signal handlers that a training in this process has replaced."""
    before = {number: signal.getsignal(number) for number in STATUSES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Folder:
    """The cell, trained without interruption or checkpoint."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("undisturbed")
    main(["sample", "--settings", json.dumps(SAMPLE), "--out", f"{path}/samples"])
    folder = Folder(path, path / "samples")
    train.train(folder.prepare())
    return folder


@pytest.fixture(scope="session")
def long(undisturbed, tmp_path_factory) -> Folder:
    """The same with more steps, which take seconds, so that a process can be stopped in the middle."""
    folder = Folder(tmp_path_factory.mktemp("long"), undisturbed.samples)
    train.train(folder.prepare(steps=LONG))
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path) -> Folder:
    """A folder for another training of the cell."""
    return Folder(tmp_path, undisturbed.samples)
