"""The consistency tests (paper, Figure 2): properties of mutual information that need no true value.

A is an image and B_r its first r rows, both as latents of autoencoders. Each test is a ratio of mutual informations:

- baseline, I(A; B_r) / I(A; B_all): grows with r, to 1;
- processing, I(A; [B_s, B_r]) / I(A; B_s) for s > r: 1, since B_s determines B_r;
- additivity, I([A¹, A²]; [B¹_r, B²_r]) / I(A¹; B¹_r) for two independent images: 2.

Every mutual information is a task whose samples are columns of one file of latents, so that the study's rules train,
estimate and merge it like any user file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

IDEAL = {"baseline": 1.0, "processing": 1.0, "additivity": 2.0}
"""Ideal ratio of each test; for the baseline, at the largest number of rows."""

IMAGES = {"digits": (1797, 8), "mnist": (70_000, 28)}
"""How many images each data set has, and the number of rows of an image."""

LATENTS = "<results>/latents.parquet"
"""File of the tests' samples, with Snakemake's path variable."""

IMAGE, FIRST_ROWS = "a", "b{rows}"
"""Latents of the image and of its first rows. Their columns are numbered from 1; a second image's end in `bis`."""


def columns_of(part: str, latent: int, *, second: bool = False) -> list[str]:
    """Return the columns of a part of an image; `part` is IMAGE or FIRST_ROWS."""
    return [f"{part}_{i}{'bis' if second else ''}" for i in range(1, latent + 1)]


def entries(config: dict) -> dict[str, dict]:
    """Return the tests' tasks as entries of the config's `data`; none if `consistency` is empty."""
    settings = config["consistency"]
    if not settings:
        return {}
    latent = settings["autoencoder"]["latent"]

    def b(rows: int, **options) -> list[str]:
        return columns_of(FIRST_ROWS.format(rows=rows), latent, **options)

    a, second = columns_of(IMAGE, latent), columns_of(IMAGE, latent, second=True)
    pairs = {f"baseline-{rows}": (a, b(rows)) for rows in settings["rows"]}
    pairs |= {f"processing-{r}-{s}": (a, b(s) + b(r)) for r, s in pairwise(settings["rows"])}
    pairs |= {f"additivity-{rows}": (a + second, b(rows) + b(rows, second=True)) for rows in settings["rows"]}
    return {task_id: {"file": LATENTS, "x": x, "y": y} for task_id, (x, y) in pairs.items()}


def problems(config: dict) -> Iterator[str]:
    """Yield problems with numbers that must fit the images, which are known before any job loads them."""
    if not (settings := config["consistency"]):
        return
    rows, name, samples = settings["rows"], settings["images"], config["samples"]
    images, height = IMAGES[name]
    if sorted(rows) != rows:
        yield f"consistency.rows: found {rows}; allowed: increasing numbers of rows"
    elif rows[-1] != height:
        yield (
            f"consistency.rows: found {rows}; allowed: numbers that end in {height}, as ratios are relative to the "
            f"whole image and those of {name} have {height} rows"
        )
    if samples["train"] + samples["test"] > images:
        yield (
            f"samples: found train {samples['train']} and test {samples['test']}; allowed: together at most {images}, "
            f"the number of images of {name}"
        )


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The mutual information of `task` over that of `reference`."""

    test: str
    """What it tests, one of IDEAL."""
    rows: int
    """Number of rows of the image in B; in `processing`, in the larger B."""
    task: str
    reference: str


def ratios_of(task_ids: Iterable[str]) -> list[Ratio]:
    """Return the ratios whose tasks are among those given, in the order of IDEAL and of rows.

    Raises ValueError if there are no such tasks.
    """
    numbers = [(m[1], [int(n) for n in m[2].split("-")]) for m in map(_TASK.fullmatch, task_ids) if m]
    if not numbers:
        raise ValueError("there are no tasks of a consistency test; set `consistency` in the study's config")
    last = max(rows[0] for name, rows in numbers if name == "baseline")
    found = []
    for test in IDEAL:
        for rows in sorted(rows for name, rows in numbers if name == test):
            reference = {"baseline": last, "processing": rows[-1], "additivity": rows[0]}[test]
            task_id = f"{test}-{'-'.join(map(str, rows))}"
            found.append(Ratio(test=test, rows=rows[-1], task=task_id, reference=f"baseline-{reference}"))
    return found


_TASK = re.compile(r"(baseline|processing|additivity)-(\d+(?:-\d+)?)")
