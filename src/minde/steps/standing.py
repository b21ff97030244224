"""Where the training of a cell stands, in memory and in its checkpoint, from which a stopped training goes on."""

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
class Standing:
    """How far every replicate of a cell is. Replicates are independent, whatever stacks they were trained in."""

    tensors: dict[str, Tensor]
    """Each ``(replicates, …)``, on the CPU: states as :func:`minde.diffusion.training.tensors_of` returns them, and
    each replicate's share of the seconds that its stacks have taken."""
    curve: list[dict]
    """Rows of the training curve so far."""
    identity: dict
    """All that the training's numbers depend on."""

    @classmethod
    def before(cls, replicates: int, identity: dict) -> "Standing":
        """Return the standing before the first step."""
        step, seconds = (torch.zeros(replicates, dtype=dtype) for dtype in (torch.int64, torch.float64))
        return cls({"step": step, "seconds": seconds}, [], identity)

    def next_stack(self, steps: int, size: int) -> slice | None:
        """Return the next replicates to be trained together: the first at the same step below ``steps``, or None.

        They are ``size`` at most; a stack that was interrupted and is larger than that is parted.
        """
        at = self.tensors["step"].tolist()
        first = next((replicate for replicate, step in enumerate(at) if step < steps), None)
        if first is None:
            return None
        stop = first
        while stop < min(first + size, len(at)) and at[stop] == at[first]:
            stop += 1
        return slice(first, stop)

    def put(self, stack: slice, tensors: dict[str, Tensor], seconds: float, curve: list[dict]) -> None:
        """Take in the state of a stack, its replicates' shares of seconds, and its rows of the curve since the last."""
        self.curve += curve
        self.tensors["seconds"][stack] = seconds
        for name, tensor in tensors.items():
            if name not in self.tensors:
                self.tensors[name] = tensor.new_zeros(len(self.tensors["step"]), *tensor.shape[1:])
            self.tensors[name][stack] = tensor

    def rows(self, stack: slice) -> dict[str, Tensor]:
        """Return the state of a stack, as it was put; empty before its first step."""
        if self.tensors["step"][stack.start] == 0:
            return {}
        return {name: tensor[stack] for name, tensor in self.tensors.items() if name != "seconds"}


@dataclass
class Keeper:
    """Keeps a training's standing in a checkpoint; without a path it keeps nothing."""

    path: Path | None = None
    every: float = 0.0
    """Seconds between checkpoints; 0 writes them only when the process is told to stop."""
    interruption: Interruption = field(default_factory=Interruption)
    log: TextIO | None = None
    """Where to say what is done; by default standard error."""
    written: float = field(default_factory=time.monotonic)

    def load(self, identity: dict, replicates: int) -> Standing:
        """Return where the training of this identity was stopped, else its beginning, saying what is wrong with the
        checkpoint if there is one."""
        standing = Standing.before(replicates, identity)
        if self.path is not None:
            try:
                arrays, standing.curve = checkpoints.read(self.path, identity)
                standing.tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
            except FileNotFoundError:
                pass
            except checkpoints.UnusableError as error:
                tell(f"The checkpoint {self.path} is not used: {error}. The training starts over.", self.log)
        return standing

    def is_told(self) -> bool:
        """Return whether the training is to stop."""
        return self.path is not None and self.interruption.signal is not None

    def is_due(self) -> bool:
        """Return whether the time has come to write a checkpoint."""
        return self.path is not None and self.every > 0 and time.monotonic() - self.written >= self.every

    def keep(self, standing: Standing) -> None:
        """Write the checkpoint."""
        arrays = {name: tensor.numpy() for name, tensor in standing.tensors.items()}
        checkpoints.write(self.path, arrays, standing.curve, standing.identity)
        self.written = time.monotonic()

    def keep_meanwhile(self, standing: Standing) -> None:
        """Write a checkpoint along the way. A disk that is full for a moment, say, ends no training."""
        try:
            self.keep(standing)
        except OSError as error:
            tell(f"The checkpoint {self.path} could not be written ({error}). The training goes on.", self.log)
            self.written = time.monotonic()

    def leave(self, standing: Standing) -> None:
        """Write the checkpoint and leave the process, which was told to stop."""
        onwards = "begins"
        if standing.tensors["step"].any():
            self.keep(standing)
            onwards = f"goes on from {self.path}"
        tell(f"Stopped by {self.interruption.signal.name}; the same command {onwards}.", self.log)
        self.interruption.exit()

    def remove(self) -> None:
        """Remove the checkpoint of a training whose outputs are in place."""
        if self.path is not None:
            checkpoints.remove(self.path)
