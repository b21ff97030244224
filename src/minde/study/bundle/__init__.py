"""A study from a bundle: an archive of its estimates or weights with their provenance.

Snakemake reads this on the login node: it loads no library beyond those that the config needs. `pack` makes bundles.
"""

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import yaml

from .. import config
from . import archive

HOLDS = ("estimates", "weights")
"""What a bundle can hold: all inputs of tables and figures, or all inputs of estimates except samples."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A bundle that passed every check."""

    path: Path
    holds: str
    """One of HOLDS."""
    config: dict
    """The study's, as `config.resolve` returns it, without experiments and a comparison that the bundle lacks."""
    sha256: str
    """Of the manifest, and thereby of all content."""

    @property
    def folder(self) -> str:
        """Folder of its results, under results/. No study name contains @, and other content has another folder."""
        return f"{self.config['name']}@{self.sha256[:12]}"


def named_in(configured: dict, root: str | Path, *, verify: bool) -> Bundle | None:
    """Return the bundle that a config names as `from_bundle`, or None.

    With `verify`, the content of every file is compared with its SHA-256, which reads the whole bundle. Raises
    archive.ArchiveError (see there), and config.ConfigError if the config sets more than `from_bundle` and `run`, or if
    the bundle's config is of another version.
    """
    if "from_bundle" not in configured:
        return None
    _check_alone(configured, Path(root))
    path = Path(str(configured["from_bundle"]))
    with archive.opened(path) as found:
        if verify:
            archive.verify(found)
        holds = found.manifest.get("holds")
        if holds not in HOLDS:
            raise archive.ArchiveError(f"{path} holds {holds!r}; a bundle of {' or '.join(HOLDS)} was expected")
        study = json.loads(archive.read(found, archive.CONFIG)) | {"run": configured["run"]}
        # A competitor that is newer than the bundle has no estimates in it; its settings are not read.
        study["baselines"] = configured["baselines"] | study.get("baselines", {})
        try:
            study = config.resolve(study, root)
        except config.ConfigError as error:
            code = found.manifest.get("code")
            raise config.ConfigError(f"{path} is of another version of this software ({code}): {error}") from None
        return Bundle(path=path, holds=holds, config=_held(study, found.manifest["files"]), sha256=found.sha256)


def _held(study: dict, files: Container[str]) -> dict:
    """Return the config without the experiments and the comparison that a bundle does not hold.

    It holds an experiment if its rows, and a comparison if its estimates, are among its files. Weights have neither,
    and nor has a bundle of an earlier version.
    """
    experiments = {
        name: settings for name, settings in study["experiments"].items() if f"experiments/{name}.parquet" in files
    }
    compared_with = study["compared_with"] if archive.COMPARED in files else ""
    return study | {"experiments": experiments, "compared_with": compared_with}


def _check_alone(configured: dict, root: Path) -> None:
    """Raise ConfigError if a config differs from the defaults in more than `from_bundle` and `run`."""
    defaults = yaml.safe_load((root / config.DEFAULTS).read_text(encoding="utf-8"))
    others = sorted(key for key in configured.keys() - {"from_bundle", "run"} if configured[key] != defaults.get(key))
    if others:
        raise config.ConfigError(
            f"from_bundle: the whole config comes from the bundle; found other settings of {', '.join(others)}: leave "
            "them out, including any --configfile"
        )
