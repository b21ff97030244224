"""The small cell, trained in one go, and folders to train it in otherwise."""

import json
import signal

import pytest
import torch
from small_cell import CPU, LONG, SAMPLE, Folder, settings

from minde.interruption import STATUSES
from minde.steps import train
from minde.steps.__main__ import main


@pytest.fixture(autouse=True)
def handlers():
    """Give signals back their handlers, which a training in this process has taken."""
    before = {number: signal.getsignal(number) for number in STATUSES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Folder:
    """The cell, trained in one go, without a checkpoint."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("undisturbed")
    main(["sample", "--settings", json.dumps(SAMPLE), "--out", f"{path}/samples"])
    folder = Folder(path, path / "samples")
    train.train(settings(), folder.samples, folder.weights, folder.curve, CPU)
    return folder


@pytest.fixture(scope="session")
def long(undisturbed, tmp_path_factory) -> Folder:
    """The same for more steps, seconds of them, so that a process can be met in the middle."""
    folder = Folder(tmp_path_factory.mktemp("long"), undisturbed.samples)
    train.train(settings(LONG), folder.samples, folder.weights, folder.curve, CPU)
    return folder


@pytest.fixture
def folder(undisturbed, tmp_path) -> Folder:
    """A folder for another training of the cell."""
    return Folder(tmp_path, undisturbed.samples)
