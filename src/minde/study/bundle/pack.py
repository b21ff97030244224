"""Makes bundles: a study's estimates with tables and figures, or its weights, with the provenance of each cell."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from minde.files import PACKAGE, provenance

from .. import design, experiment_rows, methods, origins, results
from . import archive, crate

LOCK, PROVENANCE = "requirements.lock", "provenance.jsonl"

SEEDS = "minde.study.seeds.seed_of(seed, task, train_size, replicate, purpose)"

ABOUT = {
    "estimates.parquet": "every estimate of the study (nats)",
    archive.COMPARED: "every estimate of the study that it is compared with (nats)",
    "estimates": "the tables and figures of the study, and everything that they are made from",
    "weights": "the trained weights of every cell of the study, from which estimates can be recomputed",
    archive.CONFIG: "config of the study, as the workflow resolved it",
    LOCK: "versions of the software",
    PROVENANCE: "provenance of each cell's estimates or weights, of each experiment, and of the estimates that are "
    "compared: settings, seeds, code, versions, hardware",
    archive.MANIFEST: "SHA-256 and size of every other file",
    archive.SEAL: "SHA-256 of the manifest",
}


def pack(holds: str, config: dict, folder: Path, files: Iterable[Path], lock: Path, out: Path) -> None:
    """Write the bundle of a study whose results are in `folder`; the same content gives the same bytes.

    `holds` is one of bundle.HOLDS, `files` are tables, figures and training curves in that folder. Raises ValueError
    for estimates, weights or experiments that cannot be read or were made with other settings than the study's.
    """
    data, made_by = (_weights if holds == "weights" else _estimates)(config, folder)
    members: dict[str, bytes | Path] = {path.relative_to(folder).as_posix(): path for path in (*files, *data)}
    lines = list(made_by)  # the manifest summarizes these, and not the other study's
    if holds == "estimates" and (other := config["compared_with"]):
        members[archive.COMPARED] = folder.parent / other / "estimates.parquet"
        lines.append({"compared_with": other, **results.read_provenance(members[archive.COMPARED])})
    commit = commit_of(PACKAGE.parents[1])
    about = {
        "holds": holds,
        "study": config["name"],
        "seed": config["seed"],
        "seeds": SEEDS,
        "code": {"sha256": provenance({})["code"], **commit},
        **origins.summary(made_by),
    }
    members |= {
        archive.CONFIG: (json.dumps(config, indent=1, ensure_ascii=False) + "\n").encode(),
        LOCK: lock,
        PROVENANCE: "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines).encode(),
    }
    members[crate.NAME] = crate.describe(
        f"study {config['name']}: {holds}",
        f"Mutual information estimated by score-based diffusion models and competitors: {ABOUT[holds]}.",
        {name: ABOUT.get(name, name) for name in sorted({*members, archive.MANIFEST, archive.SEAL})},
        date=commit["date"] or "1980-01-01",  # the date of all files in the archive
        version=commit["commit"] or about["code"]["sha256"],
        instruments=about["hardware"],
    )
    archive.write(out, members, about)


def commit_of(root: Path) -> dict:
    """Return the commit of a checkout, its date, and whether tracked files are unmodified; each None without git."""

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


def _estimates(config: dict, folder: Path) -> tuple[list[Path], list[dict]]:
    """Return merged estimates and experiments' rows; the provenance of each cell's estimates and of the rows."""
    data, made_by = [folder / "estimates.parquet"], []
    for cell in design.cells(config):
        path = folder / f"estimates/{cell.path}.parquet"
        made = results.read_provenance(path)
        origins.check(path, made, config, cell)
        made_by.append({**asdict(cell), **made})
    for name in config["experiments"]:
        path = folder / f"experiments/{name}.parquet"
        made = results.read_provenance(path, experiment_rows.RULES)
        origins.check_experiment(path, made, config, name)
        made_by.append({"experiment": name, **made})
        data.append(path)
    return data, made_by


def _weights(config: dict, folder: Path) -> tuple[list[Path], list[dict]]:
    """Return the weights and training curves of each cell that has any, and the provenance of the weights."""
    from .. import weights  # loads safetensors, which bundles of estimates do without

    data, made_by = [], []
    for cell in design.cells(config):
        if cell.method in methods.VARIANTS:
            path = folder / f"networks/{cell.path}.safetensors"
            made = weights.read_provenance(path)
            origins.check(path, {"training": made}, config, cell)
            made_by.append({**asdict(cell), **made})
            data += [path, path.with_suffix(".curve.parquet")]
    return data, made_by
