"""Atomic writes, and the provenance of files."""

import glob
import hashlib
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent
DAY = 24 * 3600.0  # seconds


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; it is moved into place on success and removed if the block raises.

    Those that processes left which were killed are removed when a day old.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in leftovers(path):
        with suppress(FileNotFoundError):  # another process may write, or remove, it
            if time.time() - left.stat().st_mtime > DAY:
                left.unlink()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # if the machine crashes soon after, the file must not be empty
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(path: Path) -> Iterable[Path]:
    """Return the temporary files of a path's writers, those that were killed and those that still write."""
    return path.parent.glob(f".{glob.escape(path.name)}.*.tmp")


def provenance(settings: dict, *, packages: Iterable[str] = (), sources: Iterable[str] = ("**/*.py",)) -> dict:
    """Return a file's provenance: settings, a hash of the code, and the versions of Python and the named distributions.

    `sources` are globs relative to the package, such as `diffusion/*.py`; `code` is one SHA-256 over them.
    """
    code = hashlib.sha256()
    for path in sorted({path for pattern in sources for path in PACKAGE.glob(pattern)}):
        code.update(f"{path.relative_to(PACKAGE).as_posix()}\n".encode())
        code.update(path.read_bytes())
    return {
        "settings": settings,
        "code": code.hexdigest(),
        "versions": {name: version(name) for name in sorted(packages)},
        "python": platform.python_version(),
    }


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, cached until the file's size or modification time changes."""
    status = os.stat(path)
    return _sha256_of(path, status.st_mtime_ns, status.st_size)


@cache
def _sha256_of(path: str | Path, modified: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remedy(*rules: str) -> str:
    """Return what to do about a damaged or foreign file, for an error message.

    The rules that make such files make it anew.
    """
    *others, last = (f"`{rule}`" for rule in rules)
    names = f"{', '.join(others)} or {last}" if others else last
    return f"delete it and run the workflow again: the rule {names} makes it"


def encode(metadata: dict) -> dict[bytes, bytes]:
    """Return the key-value metadata of a Parquet file: one key `minde` with a JSON value."""
    return {b"minde": json.dumps(metadata, sort_keys=True, ensure_ascii=False).encode()}
