"""A step that is recorded once and replayed, as by a CUDA graph, trains the same as eager steps.

A graph replays kernels on the same memory. `Tape` does so with operations, on a CPU: a step that works with one works
with the other. tests/gpu tests what only a GPU can show.
"""

import gc
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from trainings import FAST, PAPER, model, run, samples

from minde.diffusion import graphs, training
from minde.diffusion.graphs import WARM_UP, captured, without_collections
from minde.diffusion.mixture import MixtureScore

READS = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default}  # the host waits for the device


class Tape(TorchDispatchMode):
    """A recording of operations, to be replayed on the same memory."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert function not in READS, f"{function} cannot be captured"
        found = function(*args, **(kwargs or {}))
        self.operations.append((function, args, kwargs or {}, found))
        return found

    @torch.no_grad()
    def replay(self) -> None:
        """Run all operations again; tensors that were created while recording take the new values."""
        for function, args, kwargs, recorded in self.operations:
            for old, new in zip(tree_leaves(recorded), tree_leaves(function(*args, **kwargs)), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


@contextmanager
def recorded(step, device):
    """Like `captured`, with a tape."""
    for _ in range(WARM_UP):
        step()
    with Tape() as tape:
        step()
    yield tape.replay


@pytest.mark.parametrize(("recipe", "base"), [(FAST, "gaussian"), (FAST, "mixture"), (FAST, "none"), (PAPER, "none")])
@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_recorded_step_equals_a_step_of_python(variant, recipe, base, monkeypatch) -> None:
    """Over several chunks and epochs, with schedules: bit for bit."""
    x = samples(base=base)
    eager = run(x, variant, recipe, [7, 8, 9], base=base)
    monkeypatch.setattr(training, "GRAPH_DEVICES", ("cpu",))
    monkeypatch.setattr(training, "captured", recorded)
    repeated = run(x, variant, recipe, [7, 8, 9], base=base)
    assert repeated.step == eager.step == recipe.steps
    for name, tensor in training.tensors_of(eager).items():
        assert torch.equal(training.tensors_of(repeated)[name], tensor), name


def test_a_step_that_the_host_has_to_know_of_does_not(monkeypatch) -> None:
    """The tape shows it: if Python computes the learning rate, it replays the first one."""
    eager = run(samples(1), "c", FAST, [7])

    def step(model, state, batch, original=training._step):
        state.calls = getattr(state, "calls", 0) + 1
        batch.learning_rate.fill_(FAST.learning_rate_at(state.calls))
        return original(model, state, batch)

    monkeypatch.setattr(training, "_step", step)
    monkeypatch.setattr(training, "GRAPH_DEVICES", ("cpu",))
    monkeypatch.setattr(training, "captured", recorded)
    assert not torch.equal(run(samples(1), "c", FAST, [7]).parameters, eager.parameters)


def test_a_graph_that_holds_nothing_is_an_error(monkeypatch) -> None:
    """Such as one that was captured on another device than the step's."""
    monkeypatch.setattr(training, "GRAPH_DEVICES", ("cpu",))
    monkeypatch.setattr(training, "captured", lambda step, device: nullcontext(lambda: None))
    with pytest.raises(RuntimeError, match="captured as a graph on cpu does nothing"):
        run(samples(1), "c", FAST, [7])


def test_the_mixture_of_these_tests_has_several_components() -> None:
    built = model(samples(base="mixture"), "j", base="mixture")
    assert {type(score) for score in built.base.values()} == {MixtureScore}


class Cuda:
    """What `captured` uses of torch.cuda, without a GPU: it notes on which streams graphs are recorded."""

    class Stream:
        def __init__(self, device) -> None:
            self.device = device

        def wait_stream(self, other) -> None:
            pass

    class CUDAGraph:
        def __init__(self) -> None:
            self.is_reset = False

        def replay(self) -> None:
            pass

        def reset(self) -> None:
            self.is_reset = True

    def __init__(self) -> None:
        self.streams, self.current, self.recorded = [], self.Stream(device=0), []
        self.Stream = self.new_stream

    def new_stream(self, index):
        self.streams.append(Cuda.Stream(device=index))
        return self.streams[-1]

    def current_device(self) -> int:
        return 0

    def current_stream(self):
        return self.current

    def device(self, index):
        return nullcontext()

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def graph(self, graph, stream, capture_error_mode):
        self.recorded.append((graph, self.streams.index(stream)))
        self.current = stream  # without restoring it after an error, like torch
        yield


def test_living_graphs_have_streams_of_their_own_which_later_ones_use_again(monkeypatch) -> None:
    cuda = Cuda()
    monkeypatch.setattr(graphs, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(graphs, "_unused", {})
    usual, device, calls = cuda.current, torch.device("cuda"), []

    def fail() -> None:
        calls.append(0)
        if len(calls) > WARM_UP:
            raise MemoryError("in the step")

    with captured(lambda: None, device), captured(lambda: None, device):
        with pytest.raises(MemoryError), captured(fail, device):
            pass
        assert [graph.is_reset for graph, _ in cuda.recorded] == [False, False, True]
        assert cuda.current is usual
    indexed = torch.device("cuda:0")
    with captured(lambda: None, indexed), captured(lambda: None, indexed):
        pass
    assert all(graph.is_reset for graph, _ in cuda.recorded)
    *first, again, beside = (number for _, number in cuda.recorded)
    assert first == [0, 1, 2]
    assert again != beside
    assert len(cuda.streams) == 3


@pytest.mark.parametrize("is_enabled", [True, False])
def test_nothing_is_collected_while_a_graph_is_recorded(is_enabled) -> None:
    """Afterwards the program's own setting holds, even after an error."""

    def fail() -> None:
        with without_collections():
            assert not gc.isenabled()
            raise ValueError("in the step")

    (gc.enable if is_enabled else gc.disable)()
    try:
        with pytest.raises(ValueError, match="in the step"):
            fail()
        assert gc.isenabled() == is_enabled
    finally:
        gc.enable()
