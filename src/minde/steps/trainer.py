"""Which stacks a process trains: cells that can share one do, the others take turns."""

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field

from minde.progress import tell

from .stacks import Sharing, StackMember, Training, run

REMEDY = "lower run.together"
"""What to do if memory runs out while several cells are trained."""

Ended = list[tuple[Training, BaseException | None]]
"""Trainings that have ended, each with its error if it failed."""


@dataclass(eq=False)
class Stack:
    """A stack that is being trained."""

    members: list[StackMember]
    steps: Iterator[None]
    """Trains it a few steps at a time."""


@dataclass
class Trainer:
    """Trains cells in one process: those with the same stack key as one stack, the others in turns."""

    idle: list[Training] = field(default_factory=list)
    """Trainings that are not in a stack yet, or between two stacks."""
    stacks: list[Stack] = field(default_factory=list)

    def advance(self) -> Ended:
        """Train every stack for a few steps; return the trainings that have ended.

        A training that was told to stop ends with the SystemExit of its signal, after its checkpoint is written.
        """
        ended = self._form_stacks()
        for stack in list(self.stacks):
            ended += self._advance_stack(stack)
        return ended

    def _form_stacks(self) -> Ended:
        """Group idle trainings into stacks; return those that have ended."""
        members, ended, waiting = [], [], []
        is_busy = bool(self.stacks)
        for training in self.idle:
            is_sequential = training.sharing is Sharing.SEQUENTIAL
            if is_sequential and is_busy and not training.checkpointer.should_stop():
                waiting.append(training)
                continue
            try:
                member = training.next_member()
                if member is None:
                    training.write()
                    training.checkpointer.remove()
                    ended.append((training, None))
                elif training.checkpointer.should_stop():
                    training.checkpointer.save_and_exit(training.state)
                else:
                    members.append(member)
                    is_busy = True
            except (Exception, SystemExit) as error:
                ended.append((training, error))
        self.idle = waiting
        self.stacks += [Stack(group, run(group)) for group in grouped(members)]
        return ended

    def _advance_stack(self, stack: Stack) -> Ended:
        """Train a stack for a few steps; its trainings become idle if it is done or has failed."""
        trainings, ended = [member.training for member in stack.members], []
        try:
            next(stack.steps)
            return []
        except StopIteration:
            self.idle += trainings
        except Exception as error:
            free_frames(error)
            # Memory that is too small for a cell next to other stacks may hold it alone.
            is_crowded = isinstance(error, MemoryError) and len(self.stacks) > 1
            if len(trainings) == 1 and not is_crowded:
                ended.append((trainings[0], error))
            else:
                self._separate(stack.members, error)
        self.stacks.remove(stack)
        return ended

    def _separate(self, members: list[StackMember], error: Exception) -> None:
        """Train the cells of a failed stack separately, from their last state: only the faulty one fails again.

        After a lack of memory each waits until no other cell is trained.
        """
        is_shortage = isinstance(error, MemoryError)
        for member in members:
            member.training.sharing = Sharing.SEQUENTIAL if is_shortage else Sharing.ALONE
            self.idle.append(member.training)
            if is_shortage:
                text = f"{error}; the cells of this stack continue one after another, after all others: {REMEDY}"
                tell(text, member.training.checkpointer.log)


def free_frames(error: BaseException) -> None:
    """Clear the frames of an error's tracebacks, which hold tensors until the garbage collector runs."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def grouped(members: list[StackMember]) -> list[list[StackMember]]:
    """Group members with the same stack key into stacks of at most their maximal size."""
    stacks: list[list[StackMember]] = []
    for member in members:
        for stack in stacks:
            size = sum(other.size for other in stack) + member.size
            if size <= member.training.max_stack and stack[0].stack_key == member.stack_key:
                stack.append(member)
                break
        else:
            stacks.append([member])
    return stacks
