"""The trainings that benchmarks compare: endless loops that call `tick(replicate_steps, trained)` as they run.

All train variant c on the same samples, with the authors' current network (one middle block, 42,754 parameters at 1×1
if it predicts both variables, as theirs does) and the paper's batch sizes and loss.
"""

import math
import sys
from collections.abc import Callable

import torch
from torch import nn

from minde.device import keep_freed_memory
from minde.diffusion import training
from minde.diffusion.conditioning import VARIANTS, masks, only
from minde.diffusion.loss import noise_prediction_loss
from minde.diffusion.model import Model, build_model
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.diffusion.training import start, train_stack
from minde.diffusion.width import hidden_width

SAMPLES = 20_000
CORRELATION = 0.75
BATCH_SIZE = {1: 128, 5: 128, 25: 256, 50: 256}  # by dim_x = dim_y, as in the paper
Tick = Callable[[int, object], None]
"""Called with the replicate-steps since the last call and the state of the trainer."""


class Finished(BaseException):
    """Ends a training from within `tick`; no trainer catches it."""


def samples_of(dim: int, replicates: int, rows: int = SAMPLES, seed: int = 0) -> torch.Tensor:
    """Draw standard normals, each coordinate of x correlated with the same one of y, `(replicates, rows, 2 dim)`."""
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, replicates, rows, dim, generator=generator)
    return torch.cat([x, CORRELATION * x + math.sqrt(1 - CORRELATION**2) * noise], dim=-1)


def model_of(dim: int, device: torch.device) -> Model:
    """Return the model that `ours` trains."""
    return build_model(
        variant="c",
        dim_x=dim,
        dim_y=dim,
        n_train=SAMPLES,
        times=Times(sde=SDE()),
        hidden="auto",
        middle_blocks=1,
        architecture="residual",
        moments={},
        device=device,
    )


def ours(dim: int, replicates: int, device: torch.device, tick: Tick, *, is_compiled: bool = False) -> None:
    """Train our stack, by the paper's recipe, in a process set up like that of the step `train`."""
    keep_freed_memory()
    if is_compiled:  # and differentiated by autograd: Adam and the average are fused already
        training.loss_of = torch.compile(training.loss_of, fullgraph=True, dynamic=False)
    recipe = Recipe(
        steps=10**9,
        batch_size=BATCH_SIZE[dim],
        learning_rate=1e-3,
        weight_decay=0.0,
        schedule="constant",
        ema_decay=0.999,
        score_choice="per_batch",
        times="iid",
    )
    model = model_of(dim, device)
    samples, seeds, done = samples_of(dim, replicates).to(device), list(range(replicates)), 0
    for state in train_stack(model, samples, recipe, seeds, start(model, seeds, device)):
        tick((state.step - done) * replicates, state)
        done = state.step


def authors(dim: int, device: torch.device, tick: Tick, *, checkout: str, rows: int = SAMPLES) -> None:
    """Train one replicate in the authors' trainer, as published except for the device, which it assumes to be a GPU."""
    sys.path.insert(0, checkout)
    import pytorch_lightning
    from src.libs.minde import MINDE
    from src.libs.SDE import VP_SDE
    from src.scripts.config import get_config
    from src.scripts.helper import SynthetitcDataset
    from torch.utils.data import DataLoader

    masks_on_gpu = VP_SDE.get_masks_training

    def masks_on_device(self):
        self.device = device
        return masks_on_gpu(self)

    VP_SDE.get_masks_training = masks_on_device
    accelerator = "gpu" if device.type == "cuda" else "cpu"
    args = get_config().parse_args(["--use_ema", "--importance_sampling", "--accelerator", accelerator])
    args.lr, args.bs, args.out_dir, args.benchmark = 1e-3, BATCH_SIZE[dim], "out", "throughput"
    args.check_val_every_n_epoch, args.max_epochs = 10**6, 10**6
    pytorch_lightning.seed_everything(0, verbose=False)
    data = SynthetitcDataset(samples_of(dim, 1, rows)[0].numpy().T.reshape(2, dim, rows).swapaxes(1, 2))
    loader = DataLoader(data, batch_size=args.bs, shuffle=True, drop_last=True, pin_memory=device.type == "cuda")
    trained = MINDE(args, var_list={"x": dim, "y": dim}, gt=0.0)
    trained.on_train_batch_end = lambda *_: tick(1, trained)
    trained.fit(loader, DataLoader(data, batch_size=1000))


class PlainBlock(nn.Module):
    """A residual block of the paper, for one replicate."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), nn.Linear(width, hidden))
        self.second = nn.Sequential(nn.GroupNorm(8, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden))
        self.skip = nn.Identity() if width == hidden else nn.Linear(width, hidden)

    def forward(self, x: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        return self.skip(x) + self.second(self.first(x) + self.time(embedding))


class PlainNetwork(nn.Module):
    """A plain implementation of the paper's network for one replicate, with one middle block."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Linear(2 * dim, hidden)
        self.time = nn.Sequential(nn.Linear(2, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.middle, self.merge = PlainBlock(hidden, hidden), PlainBlock(2 * hidden, hidden)
        self.output = nn.Sequential(nn.GroupNorm(8, hidden), nn.SiLU(), nn.Linear(hidden, dim))

    def forward(self, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        embedding, first = self.time(times), self.input(x)
        hidden = self.middle(first, embedding)
        return self.output(self.merge(torch.cat([hidden, first], dim=1), embedding))


def plain(dim: int, device: torch.device, tick: Tick) -> None:
    """Train one replicate in a plain loop with the same arithmetic: modules, one Adam, no stack, no DataLoader."""
    network = PlainNetwork(dim, hidden_width(2 * dim)).to(device)
    parameters = list(network.parameters())
    # Not AveragedModel, which keeps its number of steps on the CPU, and so makes the host wait for a GPU in every step.
    average = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    times, samples = Times(sde=SDE()), samples_of(dim, 1)[0].to(device)
    roles, size = masks("c", dim, dim, device), BATCH_SIZE[dim]
    scores = [only("c", name).scores for name in VARIANTS["c"]]
    while True:
        for rows in torch.randperm(SAMPLES, device=device).split(size):
            if len(rows) < size:
                continue
            clean = samples[rows]
            noise, t = torch.randn_like(clean), times.inverse_cdf(torch.rand(size, device=device))
            score = scores[int(torch.randint(2, ()))]
            network_input = roles.network_input(clean, times.sde.perturb(clean, noise, t), t, score)
            loss = noise_prediction_loss(network(*network_input), noise, roles.diffused[score])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - 0.999)
            tick(1, network)
