"""Makes bundles: a study's estimates with tables and figures, or its weights, and what made every one of them."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from .. import design, methods, origins, results, trained
from ..files import PACKAGE, provenance
from . import archive, crate

LOCK, PROVENANCE = "requirements.lock", "provenance.jsonl"

SEEDS = "minde.study.seeds.seed_of(seed, task, train_size, replicate, purpose)"

ABOUT = {
    "estimates.parquet": "every estimate of the study (nats)",
    "estimates": "everything that tables and figures of the study are made from, with those tables and figures",
    "weights": "the trained weights of every cell of the study, from which estimates can be made again",
    archive.CONFIG: "config of the study, as the workflow resolved it",
    LOCK: "versions of the software",
    PROVENANCE: "what made the estimates or weights of each cell: settings, seeds, code, versions, hardware",
    archive.MANIFEST: "SHA-256 and size of every other file",
    archive.SEAL: "SHA-256 of the manifest",
}


def pack(holds: str, config: dict, folder: Path, files: Iterable[Path], lock: Path, out: Path) -> None:
    """Write the bundle of a study whose results lie in `folder`; same content, same bytes.

    `holds` is one of bundle.HOLDS, `files` are tables, figures and training curves, in that folder. Raises ValueError
    for a file of estimates or weights that cannot be read, or that comes of other settings than the study's.
    """
    made_by = (_weights if holds == "weights" else _estimates)(config, folder)
    data = [*files, *([folder / "estimates.parquet"] if holds == "estimates" else _networks(made_by, folder))]
    lines = [{**asdict(cell), **made} for cell, made in made_by.items()]
    commit = commit_of(PACKAGE.parents[1])
    about = {
        "holds": holds,
        "study": config["name"],
        "seed": config["seed"],
        "seeds": SEEDS,
        "code": {"sha256": provenance({})["code"], **commit},
        **summary(made_by.values()),
    }
    members: dict[str, bytes | Path] = {path.relative_to(folder).as_posix(): path for path in data}
    members |= {
        archive.CONFIG: (json.dumps(config, indent=1, ensure_ascii=False) + "\n").encode(),
        LOCK: lock,
        PROVENANCE: "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines).encode(),
    }
    members[crate.NAME] = crate.describe(
        f"study {config['name']}: {holds}",
        f"Mutual information estimated by score-based diffusion models and competitors: {ABOUT[holds]}.",
        {name: ABOUT.get(name, name) for name in sorted({*members, archive.MANIFEST, archive.SEAL})},
        date=commit["date"] or "1980-01-01",  # as the archive itself dates its files
        version=commit["commit"] or about["code"]["sha256"],
        instruments=about["hardware"],
    )
    archive.write(out, members, about)


def commit_of(root: Path) -> dict:
    """The commit that a checkout is at, its day, and whether tracked files are as committed; None without git."""

    def git(*arguments: str) -> str:
        run = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=True)
        return run.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() == root.resolve():
            commit, day = git("show", "--no-patch", "--format=%H %cs", "HEAD").split()
            return {
                "commit": commit,
                "date": day,
                "as_committed": not git("status", "--porcelain", "--untracked-files=no"),
            }
    except (OSError, subprocess.CalledProcessError):  # no git, or no repository
        pass
    return {"commit": None, "date": None, "as_committed": None}


def summary(made_by: Iterable[dict]) -> dict:
    """Every version of Python and of libraries, and all hardware, that is found anywhere in the cells' provenance."""
    found = {"python": set(), "versions": {}, "hardware": set()}
    for made in (inner for cell in made_by for inner in _each(cell)):
        found["python"].add(made["python"])
        found["hardware"].update(filter(None, [made.get("hardware")]))
        for package, version in made["versions"].items():
            found["versions"].setdefault(package, set()).add(version)
    return {
        "python": sorted(found["python"]),
        "versions": {package: sorted(versions) for package, versions in sorted(found["versions"].items())},
        "hardware": sorted(found["hardware"]),
    }


def _each(made: dict) -> Iterator[dict]:
    """A provenance, and those of what it was made from."""
    yield made
    for key in {"training", "samples"} & made.keys():
        yield from _each(made[key])


def _estimates(config: dict, folder: Path) -> dict[design.Cell, dict]:
    """What made the estimates of each cell."""
    made_by = {}
    for cell in design.cells(config):
        path = folder / f"estimates/{cell.path}.parquet"
        made_by[cell] = results.read_provenance(path)
        origins.check(path, made_by[cell], config, cell)
    return made_by


def _weights(config: dict, folder: Path) -> dict[design.Cell, dict]:
    """What made the weights of each cell that has any."""
    made_by = {}
    for cell in design.cells(config):
        if cell.method in methods.VARIANTS:
            path = folder / f"networks/{cell.path}.safetensors"
            made_by[cell] = trained.read_provenance(path)
            origins.check(path, {"training": made_by[cell]}, config, cell)
    return made_by


def _networks(cells: Iterable[design.Cell], folder: Path) -> Iterator[Path]:
    for cell in cells:
        yield folder / f"networks/{cell.path}.safetensors"
        yield folder / f"networks/{cell.path}.curve.parquet"
