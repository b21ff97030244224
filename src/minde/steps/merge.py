"""The step `merge`: the estimates of all cells in, one table of them out."""

from pathlib import Path

from minde.files import provenance
from minde.study import design, origins, results
from minde.study.sources import SOURCES


def merge(settings: dict, folder: Path, config: dict | None, out: Path) -> None:
    """Merge the estimates of all cells in a folder; every key of the design must occur exactly once, and no other.

    `config` is the one that their settings must come from (`step_settings.origins`), or None if that is not checked.
    """
    paths = {cell: folder / f"{cell.path}.parquet" for cell in design.cells_of(settings)}
    cells = {cell: results.read_provenance(path) for cell, path in paths.items()}
    for cell, path in paths.items() if config else ():
        origins.check(path, cells[cell], config, cell)
    table = results.merge(design.expected_keys(settings), paths.values(), settings["mi_true"])
    made_by = provenance(settings, packages=("pyarrow",), sources=SOURCES["merge"])
    results.write_parquet(out, table, made_by | {"config": config, "cells": origins.summary(cells.values())})
