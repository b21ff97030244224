"""The training state of a cell, in memory and in its checkpoint, from which a stopped training resumes."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import torch
from torch import Tensor

from minde.interruption import Interruption
from minde.progress import tell
from minde.study import checkpoints


@dataclass
class CellState:
    """The training state of a cell. Its replicates are independent, whatever stacks they were trained in."""

    tensors: dict[str, Tensor]
    """Each `(replicates, …)`, on the CPU: states as :func:`minde.diffusion.training.tensors_of` returns them, each
    replicate's share of the seconds that its stacks have taken, and the moments of the base."""
    curve: list[dict]
    """Rows of the training curve so far."""
    identity: dict
    """Everything that the training's numbers depend on."""

    @classmethod
    def initial(cls, replicates: int, identity: dict) -> "CellState":
        """Return the state before the first step."""
        step, seconds = (torch.zeros(replicates, dtype=dtype) for dtype in (torch.int64, torch.float64))
        return cls({"step": step, "seconds": seconds}, [], identity)

    def next_stack(self, steps: int, size: int) -> slice | None:
        """Return the next replicates to train together: the first ones at the same step below `steps`, or None.

        They are at most `size`: an interrupted stack larger than that is split.
        """
        done = self.tensors["step"].tolist()
        first = next((replicate for replicate, step in enumerate(done) if step < steps), None)
        if first is None:
            return None
        stop = first
        while stop < min(first + size, len(done)) and done[stop] == done[first]:
            stop += 1
        return slice(first, stop)

    def update(self, stack: slice, tensors: dict[str, Tensor], seconds: float, curve: list[dict]) -> None:
        """Store the state of a stack, the seconds of each of its replicates, and its new rows of the curve."""
        self.curve += curve
        self.tensors["seconds"][stack] = seconds
        for name, tensor in tensors.items():
            if name not in self.tensors:
                self.tensors[name] = tensor.new_zeros(len(self.tensors["step"]), *tensor.shape[1:])
            self.tensors[name][stack] = tensor

    def rows(self, stack: slice) -> dict[str, Tensor]:
        """Return the stored state of a stack; empty before its first step."""
        if self.tensors["step"][stack.start] == 0:
            return {}
        state = self.tensors.items()
        return {name: tensor[stack] for name, tensor in state if name != "seconds" and not name.startswith("moments/")}


@dataclass
class Checkpointer:
    """Saves the state of a training in a checkpoint; without a path it saves nothing."""

    path: Path | None = None
    every: float = 0.0
    """Seconds between checkpoints; 0 writes one only when the process is told to stop."""
    interruption: Interruption = field(default_factory=Interruption)
    log: TextIO | None = None
    """Where messages go; by default standard error."""
    is_handing_over: bool = False
    """Whether a training that stops here is continued by another process."""
    saved_at: float = field(default_factory=time.monotonic)

    def load(self, identity: dict, replicates: int) -> CellState:
        """Load the checkpoint if it matches this training; otherwise log why and start from scratch."""
        state = CellState.initial(replicates, identity)
        if self.path is not None:
            try:
                arrays, state.curve = checkpoints.read(self.path, identity)
                state.tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
            except FileNotFoundError:
                pass
            except checkpoints.UnusableError as error:
                tell(f"The checkpoint {self.path} is not used: {error}. The training starts over.", self.log)
        return state

    def should_stop(self) -> bool:
        """Return whether the training was told to stop."""
        return self.path is not None and self.interruption.signal is not None

    def is_due(self) -> bool:
        """Return whether it is time to write a checkpoint."""
        return self.path is not None and self.every > 0 and time.monotonic() - self.saved_at >= self.every

    def save(self, state: CellState) -> None:
        """Write the checkpoint."""
        arrays = {name: tensor.numpy() for name, tensor in state.tensors.items()}
        checkpoints.write(self.path, arrays, state.curve, state.identity)
        self.saved_at = time.monotonic()

    def save_periodically(self, state: CellState) -> None:
        """Write a checkpoint during training; an error, such as a disk that is full for a moment, is only logged."""
        try:
            self.save(state)
        except OSError as error:
            tell(f"The checkpoint {self.path} could not be written ({error}). The training continues.", self.log)
            self.saved_at = time.monotonic()

    def save_and_exit(self, state: CellState) -> None:
        """Write the checkpoint of a training that was told to stop, and raise SystemExit with its exit status."""
        resumes = "starts from scratch"
        if state.tensors["step"].any():
            self.save(state)
            resumes = f"resumes from {self.path}"
        if self.is_handing_over:
            tell(f"Paused: another process on this machine {resumes}.", self.log)
        else:
            tell(f"Stopped by {self.interruption.signal.name}; the same command {resumes}.", self.log)
        self.interruption.exit()

    def remove(self) -> None:
        """Remove the checkpoint of a training whose outputs are in place."""
        if self.path is not None:
            checkpoints.remove(self.path)
