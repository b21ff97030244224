"""The step `latents`: images in, the latents of every image and of its first rows out, as one Parquet file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from minde.files import provenance
from minde.hardware import hardware_of
from minde.images.autoencoder import encode
from minde.images.loader import first_rows, load
from minde.progress import Progress
from minde.study.consistency import FIRST_ROWS, IMAGE, columns_of
from minde.study.results import write_parquet
from minde.study.seeds import seed_of
from minde.study.sources import SOURCES


def latents(settings: dict, out: Path, device: torch.device) -> None:
    """Fit an autoencoder to the images and one to each number of first rows, and write all latents.

    A row of the file holds the latents of an image and, in further columns, those of an independent second one: the
    images in random order. The autoencoders train on all images, since the tests do not ask how well they generalize.
    Gaussian noise is added to the latents of whole images, which changes no ideal value.
    """
    (images, _), options = load(settings["images"]), settings["autoencoder"]
    parts = {IMAGE: images} | {FIRST_ROWS.format(rows=r): first_rows(images, r) for r in settings["rows"]}
    progress = Progress(f"autoencoders of {settings['images']}", len(parts) * options["epochs"], "epochs")
    columns = {}
    order = np.random.default_rng(_seed(settings, "second")).permutation(len(images))
    for number, (part, shown) in enumerate(parts.items()):
        found = encode(
            torch.from_numpy(shown).flatten(1).to(device),
            **options,
            seed=_seed(settings, part),
            on_epoch=lambda done, loss, before=number * options["epochs"], part=part: progress.report(
                before + done, f"{part}: error {loss:.2g} per pixel"
            ),
        )
        values = found.cpu().numpy()
        for rows, second in ((values, False), (values[order], True)):
            if part == IMAGE:
                noise = np.random.default_rng(_seed(settings, f"noise/{second}")).standard_normal
                rows = rows + settings["noise"] * values.std(axis=0) * noise(rows.shape, dtype=np.float32)
            columns |= dict(zip(columns_of(part, options["latent"], second=second), rows.T, strict=True))
    made_by = provenance(settings, packages=("numpy", "pyarrow", "scikit-learn", "torch"), sources=SOURCES["latents"])
    made_by |= {"hardware": hardware_of(device)}
    write_parquet(out, pa.table({name: pa.array(column) for name, column in columns.items()}), made_by)


def _seed(settings: dict, purpose: str) -> int:
    return seed_of(settings["seed"], settings["images"], None, 0, f"latents/{purpose}")
