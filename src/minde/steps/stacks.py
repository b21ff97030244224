"""Stacks: replicates trained as one program, from one cell or from several with the same network and recipe."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

import torch
from torch import Tensor

from minde.diffusion.base import Moments
from minde.diffusion.estimators import Estimates, estimates_of_state
from minde.diffusion.model import Model
from minde.diffusion.recipe import Recipe
from minde.diffusion.training import State, restore, start, tensors_of, train_stack
from minde.progress import Progress, tell
from minde.study.seeds import canonical

from .cell import estimate_rows, model_of, seeds_of
from .checkpointing import CellState, Checkpointer
from .messages import memory_of, title_of

# Settings that may differ between cells of one stack: they change numbers, but no shapes and no schedule of the loop.
PER_CELL = ("task", "seed", "replicates", "preprocess", "curve")


@dataclass(frozen=True)
class Inputs:
    """What the trainings of a cell read, for all replicates."""

    settings: dict
    recipe: Recipe
    clean: Tensor
    """Training samples `(replicates, n, dim)`."""
    test: Tensor
    """Test samples of the training curve `(replicates, rows, dim)`."""
    moments: Moments
    """Moments that the network's base is built from."""


class Sharing(Enum):
    """How a cell is trained next to others."""

    SHARED = auto()
    """In one stack with cells that have the same stack key."""
    ALONE = auto()
    """In its own stack, since a shared one has failed."""
    SEQUENTIAL = auto()
    """In its own stack and after all others, since memory ran out."""


@dataclass(eq=False)
class Training:
    """The training of a cell: its inputs, its state, and how its results are written."""

    inputs: Inputs
    state: CellState
    checkpointer: Checkpointer
    max_stack: float
    """Most replicates of a stack."""
    write: Callable[[], None]
    sharing: Sharing = Sharing.SHARED

    def next_member(self) -> "StackMember | None":
        """Return the replicates to train next, or None if all are trained."""
        size = min(self.max_stack, self.inputs.settings["replicates"])
        stack = self.state.next_stack(self.inputs.recipe.steps, size)
        return None if stack is None else StackMember(self, stack)


class StackMember:
    """Replicates of one cell that are trained in one stack, with or without members of other cells."""

    def __init__(self, training: Training, stack: slice) -> None:
        """Take replicates `stack` of a cell from their current step."""
        inputs, first = training.inputs, stack.start
        self.training = training
        self.stack = stack
        self.size = stack.stop - first
        self.settings = inputs.settings
        self.recipe = inputs.recipe
        self.clean = inputs.clean[stack]
        self.moments = {name: moment[stack] for name, moment in inputs.moments.items()}
        self.model = model_of(self.settings, self.moments, self.clean.device)
        self.seeds = seeds_of(self.settings, "train")[stack]
        self.step = int(training.state.tensors["step"][first])
        self.seconds = training.state.tensors["seconds"][first].item()  # a replicate's share of its stacks' time
        self.points_done = self._points(self.step)
        self.latest = ""
        self.curve = []
        self.title = title_of(self.settings, self.clean.device, stack)
        self.progress = Progress(self.title, self.recipe.steps, "steps", training.checkpointer.log)

    @property
    def stack_key(self) -> tuple:
        """Everything that must be equal for members to share a stack."""
        common = canonical({key: value for key, value in self.settings.items() if key not in PER_CELL})
        owner = None if self.training.sharing is Sharing.SHARED else id(self.training)
        return owner, common, self.step, self.clean.device, self.training.max_stack

    def tell_resumed(self) -> None:
        """Log a resumed training."""
        if self.step:
            spent = f"{self.seconds:.0f} seconds per replicate"
            resumed = f"{self.title}: resumed at step {self.step}/{self.recipe.steps}, after {spent}"
            tell(resumed, self.training.checkpointer.log)

    def record(self, step: int, average: Tensor, loss: Tensor) -> None:
        """Record a step: add a curve point if due, and report progress.

        `average` is `(replicates, flat_size)`, `loss` is `(replicates,)`, of this member's replicates.
        """
        if milestone := self._points(step) > self.points_done:
            self.points_done = self._points(step)
            found = self._estimates(average)
            self.curve += self._curve_rows(step, found, loss)
            means = ", ".join(f"{name} {estimates.value.mean():.3f}" for name, estimates in found.items())
            self.latest = f"MI {means} nats, "
        self.progress.report(step, f"{self.latest}loss {loss.mean():.4f}", milestone=milestone)

    def commit(self, tensors: dict[str, Tensor]) -> None:
        """Store these tensors, the seconds and the new curve rows in the cell's state."""
        self.training.state.update(self.stack, tensors, self.seconds, self.curve)
        self.curve = []

    def _points(self, step: int) -> int:
        """Return the number of points of the training curve up to a step."""
        return step * self.settings["curve"]["points"] // self.recipe.steps

    def _estimates(self, average: Tensor) -> dict[str, Estimates]:
        test, seeds = self.training.inputs.test[self.stack], seeds_of(self.settings, "curve")[self.stack]
        return estimates_of_state(self.model, average, test, seeds, first=self.stack.start)

    def _curve_rows(self, step: int, found: dict[str, Estimates], loss: Tensor) -> list[dict]:
        """Return the rows of one point of the training curve: every replicate by every formula."""
        first, now = self.stack.start, {"step": step, "seconds": self.seconds}
        losses = dict(enumerate(loss.tolist(), first))
        return [now | {"loss": losses[row["replicate"]]} | row for row in estimate_rows(found, first)]


def run(members: list[StackMember]) -> Iterator[None]:
    """Train members as one stack until its last step or until one of them is told to stop; yield every few steps.

    When it ends, the state of every cell is that of the stack; before, it is that of the last checkpoint.
    """
    first, since = members[0], time.perf_counter()
    with memory_of(first.title, sum(member.size for member in members)):
        model, clean = _model(members), _join([member.clean for member in members])
        seeds, recipe = [seed for member in members for seed in member.seeds], first.recipe
        state = start(model, seeds, clean.device, first.stack.start)
        if first.step:
            rows = [member.training.state.rows(member.stack) for member in members]
            restore(state, {name: _join([row[name] for row in rows]) for name in rows[0]})
        for member in members:
            member.tell_resumed()
        for _ in train_stack(model, clean, recipe, seeds, state):
            now = time.perf_counter()
            for member in members:
                member.seconds += (now - since) / len(seeds)
            since = now
            for member, average, loss in zip(members, *_split(members, state.average, state.loss), strict=True):
                member.record(state.step, average, loss)
            due = [member.training for member in members if member.training.checkpointer.is_due()]
            # Asked only once, since a signal may arrive at any moment.
            is_over = state.step == recipe.steps or any(m.training.checkpointer.should_stop() for m in members)
            if due or is_over:
                _commit(members, state)
            for training in due:
                training.checkpointer.save_periodically(training.state)
            if is_over:
                return
            paused = time.perf_counter()
            yield
            since += time.perf_counter() - paused  # other stacks were trained meanwhile


def _commit(members: list[StackMember], state: State) -> None:
    tensors = tensors_of(state)
    for member, *pieces in zip(members, *_split(members, *tensors.values()), strict=True):
        member.commit(dict(zip(tensors, pieces, strict=True)))


def _model(members: list[StackMember]) -> Model:
    """Return the model of all members."""
    first = members[0]
    if len(members) == 1:
        return first.model
    moments = {name: _join([member.moments[name] for member in members]) for name in first.moments}
    return model_of(first.settings, moments, first.clean.device)


def _join(tensors: list[Tensor]) -> Tensor:
    return torch.cat(list(tensors)) if len(tensors) > 1 else tensors[0]


def _split(members: list[StackMember], *tensors: Tensor) -> list[tuple[Tensor, ...]]:
    """Return each of a stack's tensors in pieces, one for each member."""
    return [tensor.split([member.size for member in members]) for tensor in tensors]
