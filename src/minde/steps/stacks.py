"""Stacks: replicates trained as one program, those of a cell or of several whose networks and recipes are alike."""

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import fmean

import torch
from torch import Tensor

from minde.diffusion.base import Moments
from minde.diffusion.estimators import FORMULAS
from minde.diffusion.model import Model
from minde.diffusion.recipe import Recipe
from minde.diffusion.training import State, restore, start, tensors_of, train_stack
from minde.progress import Progress, tell
from minde.study.seeds import canonical

from .cell import estimate_rows, estimate_stack, memory_of, model_of, seeds_of, title_of
from .standing import Keeper, Standing

# What cells may differ in and yet be trained in one stack: their numbers, not the shapes and the schedule of the loop.
OWN = ("task", "seed", "replicates", "preprocess", "curve")


@dataclass(frozen=True)
class Inputs:
    """What the trainings of a cell read, for all replicates."""

    settings: dict
    recipe: Recipe
    clean: Tensor
    """Training samples ``(replicates, n, dim)``."""
    test: Tensor
    """Test samples of the training curve ``(replicates, rows, dim)``."""
    moments: Moments
    """What the network's base is made of."""


@dataclass(eq=False)
class Training:
    """The training of a cell: what it reads, where it stands, and how its results are written."""

    inputs: Inputs
    standing: Standing
    keeper: Keeper
    largest: float
    """Most replicates of a stack."""
    write: Callable[[], None]

    def next_part(self) -> "Part | None":
        """Return the replicates to be trained next, or None where all are trained."""
        size = min(self.largest, self.inputs.settings["replicates"])
        stack = self.standing.next_stack(self.inputs.recipe.steps, size)
        return None if stack is None else Part(self, stack)


class Part:
    """Some replicates of a cell, in a stack of their own or in one with other parts."""

    def __init__(self, training: Training, stack: slice) -> None:
        """Take replicates ``stack`` of a cell from where they stand."""
        self.training, self.stack, inputs = training, stack, training.inputs
        self.settings, self.recipe, self.clean = inputs.settings, inputs.recipe, inputs.clean[stack]
        self.moments = tuple(moment[stack] for moment in inputs.moments)
        self.model = model_of(self.settings, self.moments, self.clean.device)
        self.seeds, self.size = seeds_of(self.settings, "train")[stack], stack.stop - stack.start
        self.title = title_of(self.settings, self.clean.device, stack)
        self.step = int(training.standing.tensors["step"][stack.start])
        self.points_done, self.about, self.curve = self._points(self.step), "", []

    @property
    def likeness(self) -> tuple:
        """What parts of one stack have in common."""
        common = canonical({key: value for key, value in self.settings.items() if key not in OWN})
        return common, self.step, self.clean.device, self.training.largest

    def begin(self) -> None:
        """Start the clock of the part, the replicates' share of their stacks' seconds; say where the training is."""
        stream = self.training.keeper.log
        self.seconds = self.training.standing.tensors["seconds"][self.stack.start].item()
        if self.step:
            spent = f"{self.seconds:.0f} seconds per replicate"
            tell(f"{self.title}: resumed at step {self.step}/{self.recipe.steps}, after {spent}", stream)
        self.progress = Progress(self.title, self.recipe.steps, "steps", stream)

    def see(self, step: int, average: Tensor, loss: Tensor) -> None:
        """Take note of a step: a point of the curve where one is due, and a word to who waits.

        ``average`` is ``(replicates, flat_size)``, ``loss`` is ``(replicates,)``, of this part's replicates.
        """
        if milestone := self._points(step) > self.points_done:
            self.points_done = self._points(step)
            rows = self._curve_rows(step, average, loss)
            self.curve += rows
            self.about = f"MI {_means(rows)} nats, "
        self.progress.report(step, f"{self.about}loss {loss.mean():.4f}", milestone=milestone)

    def put(self, tensors: dict[str, Tensor]) -> None:
        """Have the training stand where these tensors are."""
        self.training.standing.put(self.stack, tensors, self.seconds, self.curve)
        self.curve = []

    def _points(self, step: int) -> int:
        """Return how many points of the training curve lie up to a step."""
        return step * self.settings["curve"]["points"] // self.recipe.steps

    def _curve_rows(self, step: int, average: Tensor, loss: Tensor) -> list[dict]:
        """Return the rows of one point of the training curve: every replicate by every formula."""
        first = self.stack.start
        found = estimate_stack(
            self.model,
            self.model.network.unflatten(average),
            self.training.inputs.test[self.stack],
            times=self.model.times,
            formulas=FORMULAS,
            sigmas=(1.0,),
            mc_draws=1,
            stratified=True,
            seeds=seeds_of(self.settings, "curve")[self.stack],
            first=first,
        )
        now = {"step": step, "seconds": self.seconds}
        losses = dict(enumerate(loss.tolist(), first))
        return [now | {"loss": losses[row["replicate"]]} | row for row in estimate_rows(found, first)]


@dataclass
class Trainer:
    """Trains cells in one process: those that are alike as one stack, the others in turns."""

    between: list[Training] = field(default_factory=list)
    """Trainings that are in no stack just now."""
    stacks: list[tuple[list[Part], Iterator[None]]] = field(default_factory=list)
    alone: set[Training] = field(default_factory=set)
    """Trainings that are to share no stack, since one that they were in has failed."""
    one_by_one: set[Training] = field(default_factory=set)
    """Those of them that wait for each other, since it ran out of memory."""

    def turn(self) -> list[tuple[Training, BaseException | None]]:
        """Let every stack do a few steps; return the trainings that have ended, with the error of those that failed.

        A training that is told to stop ends, once its standing is kept, in the SystemExit of its signal.
        """
        ended = self._form_stacks()
        for pair in list(self.stacks):
            parts, steps = pair
            trainings = [part.training for part in parts]
            try:
                next(steps)
                continue
            except StopIteration:
                self.between += trainings
            except Exception as error:
                # Its frames hold the stack's memory, until Python looks for cycles.
                for cause in (error, error.__cause__):
                    traceback.clear_frames(getattr(cause, "__traceback__", None))
                if len(trainings) == 1:
                    ended.append((trainings[0], error))
                else:  # whose fault it is shows when each is trained by itself, from where it stood
                    self.alone.update(trainings)
                    self.between += trainings
                    if isinstance(error, MemoryError):
                        self.one_by_one.update(trainings)
                        _tell_all(parts, f"{error}; the cells of this stack go on one by one: run.together is too many")
            self.stacks.remove(pair)
        return ended

    def _form_stacks(self) -> list[tuple[Training, BaseException | None]]:
        """Put what is between stacks into new ones; return what has ended."""
        parts, ended, waiting = [], [], []
        is_busy = any(part.training in self.one_by_one for stack, _ in self.stacks for part in stack)
        for training in self.between:
            waits = training in self.one_by_one
            if waits and is_busy and not training.keeper.is_told():
                waiting.append(training)
                continue
            try:
                part = training.next_part()
                if part is None:
                    training.write()
                    training.keeper.remove()
                    ended.append((training, None))
                elif training.keeper.is_told():
                    training.keeper.leave(training.standing)
                else:
                    parts.append(part)
                    is_busy |= waits
            except (Exception, SystemExit) as error:
                ended.append((training, error))
        self.between = waiting
        self.stacks += [(stack, run(stack)) for stack in joined(parts, self.alone)]
        return ended


def joined(parts: list[Part], alone: set[Training]) -> list[list[Part]]:
    """Return parts as stacks: those that are alike together, as far as they may be and a stack may be large."""
    stacks: list[list[Part]] = []
    for part in parts:
        for stack in stacks if part.training not in alone else ():
            size = sum(other.size for other in stack) + part.size
            may = stack[0].training not in alone and size <= part.training.largest
            if may and stack[0].likeness == part.likeness:
                stack.append(part)
                break
        else:
            stacks.append([part])
    return stacks


def run(parts: list[Part]) -> Iterator[None]:
    """Train parts that are alike as one stack, to the end or until one of them is to stop; pause every few steps.

    Then every part's training stands where the stack has come to; before, where it was when the last state was kept.
    """
    first, since = parts[0], time.perf_counter()
    with memory_of(first.title, sum(part.size for part in parts)):
        model, clean = _model(parts), _join([part.clean for part in parts])
        seeds, recipe = [seed for part in parts for seed in part.seeds], first.recipe
        state = start(model, recipe, seeds, clean.device, first.stack.start)
        if first.step:
            rows = [part.training.standing.rows(part.stack) for part in parts]
            restore(state, {name: _join([row[name] for row in rows]) for name in rows[0]})
        for part in parts:
            part.begin()
        for _ in train_stack(model, clean, recipe, seeds, state):
            now = time.perf_counter()
            for part in parts:
                part.seconds += (now - since) / len(seeds)
            since = now
            for part, average, loss in zip(parts, *_split(parts, state.average, state.loss), strict=True):
                part.see(state.step, average, loss)
            due = [part.training for part in parts if part.training.keeper.is_due()]
            # Asked once: a signal may come at any moment.
            is_over = state.step == recipe.steps or any(part.training.keeper.is_told() for part in parts)
            if due or is_over:
                _put(parts, state)
            for training in due:
                training.keeper.keep_meanwhile(training.standing)
            if is_over:
                return
            paused = time.perf_counter()
            yield
            since += time.perf_counter() - paused  # the turns of other stacks


def _tell_all(parts: list[Part], text: str) -> None:
    for part in parts:
        tell(text, part.training.keeper.log)


def _put(parts: list[Part], state: State) -> None:
    tensors = tensors_of(state)
    for part, *own in zip(parts, *_split(parts, *tensors.values()), strict=True):
        part.put(dict(zip(tensors, own, strict=True)))


def _model(parts: list[Part]) -> Model:
    """Return the model of all parts."""
    first = parts[0]
    if len(parts) == 1:
        return first.model
    moments = tuple(map(_join, zip(*(part.moments for part in parts), strict=True)))
    return model_of(first.settings, moments, first.clean.device)


def _join(tensors: list[Tensor]) -> Tensor:
    return torch.cat(list(tensors)) if len(tensors) > 1 else tensors[0]


def _split(parts: list[Part], *tensors: Tensor) -> list[tuple[Tensor, ...]]:
    """Return each of a stack's tensors in pieces, one for each part."""
    return [tensor.split([part.size for part in parts]) for tensor in tensors]


def _means(rows: list[dict]) -> str:
    """Return the mean over replicates by every formula, in words."""
    by_estimator: dict[str, list[float]] = {}
    for row in rows:
        by_estimator.setdefault(row["estimator"], []).append(row["estimate"])
    return ", ".join(f"{name} {fmean(values):.3f}" for name, values in by_estimator.items())
