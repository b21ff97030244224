"""Names and error messages of cells: no number depends on them, so they are not among the sources of a step."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from minde.device import shortage_in
from minde.diffusion.model import WEIGHTS_VERSION


def check_weights(path: Path, made_by: dict, settings: dict) -> None:
    """Raise ValueError if weights, by their provenance, are of another version or of another cell than settings."""
    version = made_by.get("weights_version", 1)
    if version != WEIGHTS_VERSION:
        raise ValueError(
            f"{path} holds weights of version {version}, but this software reads version {WEIGHTS_VERSION}; use the "
            "software that wrote them, or delete the file to train again"
        )
    held = made_by["settings"] | {"method": f"minde-{made_by['settings']['variant']}"}
    for key in ("task", "train_size", "method"):
        if held[key] != settings.get(key, held[key]):
            raise ValueError(
                f"{path} holds weights of {key} {held[key]}; {settings[key]} was asked for; delete the file and run "
                "the workflow again: the rule `train` makes it"
            )


def title_of(settings: dict, device: torch.device, stack: slice | None = None) -> str:
    """Return the name of a cell, or of a stack of its replicates, for progress and error messages."""
    replicates = settings["replicates"]
    if stack is None or stack.stop - stack.start == replicates:
        members = f"{replicates} replicates"
    elif stack.stop - stack.start == 1:
        members = f"replicate {stack.start} of {replicates}"
    else:
        members = f"replicates {stack.start} to {stack.stop - 1} of {replicates}"
    cell = f"minde-{settings['variant']}, {settings['task']}, {settings['train_size']} samples"
    return f"{cell}, {members} on {device.type}"


@contextmanager
def memory_of(title: str, size: int | None = None) -> Iterator[None]:
    """Turn an out-of-memory error into a MemoryError that names the size of the stack and the remedy.

    Without a size, what needs the memory is all of the cell.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not (shortage := shortage_in(error)):
            raise
        more = "use a device with more free memory"
        if size is None:
            what, remedy = "all replicates' samples", more
        elif size == 1:
            what, remedy = "a stack of 1", f"a stack cannot be smaller; {more}"
        else:
            smaller = "smaller stacks run one after the other, with the same results"
            what, remedy = f"a stack of {size}", f"set run.stack to {(size + 1) // 2} or less: {smaller}"
        raise MemoryError(f"{title}: out of memory with {what} ({shortage}); {remedy}") from error
