"""Archives of files with a manifest: the same content gives the same bytes, and content is verified when read.

A ZIP without compression: most files are compressed already, the output of compressors differs between versions, and
nothing can expand beyond the archive's own size. `manifest.json` lists every other file with its SHA-256 and size,
`manifest.sha256` holds the manifest's own SHA-256. They guard against damage and mistakes; against forgery only if the
SHA-256 of the manifest is known from elsewhere.
"""

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from minde.files import atomic

MANIFEST, SEAL = "manifest.json", "manifest.sha256"
CONFIG = "config.json"
"""Name of the study's config, as the workflow resolved it."""

COMPARED = "compared_estimates.parquet"
"""Name of the estimates of the study that this one is compared with."""

FORMAT, VERSION = "minde-bundle", 1
"""Format and version in a manifest. The version rises when an older reader would misread the archive."""

LARGEST_MANIFEST = 2**26  # bytes; the manifest of 20,000 files has a tenth of that
_CHUNK = 2**20  # bytes
_DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError)  # the last: a ZIP version unknown to Python


class ArchiveError(ValueError):
    """An archive that is damaged, differs from its manifest, or is unsafe to read; the message names the files."""


@dataclass(frozen=True)
class Archive:
    """An open archive whose files are those that its manifest lists."""

    path: Path
    file: zipfile.ZipFile
    manifest: dict
    sha256: str
    """Of the manifest, and thereby of all content."""


def write(path: str | Path, members: Mapping[str, bytes | Path], about: dict) -> None:
    """Write an archive of members (by name: content, or a file with the content); the manifest begins with `about`.

    The archive is verified before it is moved into place: ArchiveError if a file has changed in the meantime.
    """
    members = dict(sorted(members.items()))
    manifest = {"format": FORMAT, "version": VERSION, **about, "files": {n: _listed(m) for n, m in members.items()}}
    text = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    seal = f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()  # as `sha256sum --check` reads it
    with atomic(path) as temporary:
        with zipfile.ZipFile(temporary, "w") as file:
            for name, member in {MANIFEST: text, SEAL: seal, **members}.items():
                _add(file, name, member)
        with opened(temporary) as archive:
            verify(archive)


@contextmanager
def opened(path: str | Path) -> Iterator[Archive]:
    """Open an archive after all checks that do not read the content of files.

    Raises ArchiveError for a newer version of the format, or naming every file that is missing, extra, duplicated,
    compressed, not a plain file, of another size than listed, or whose name leads out of the target folder.
    """
    try:
        file = zipfile.ZipFile(path)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from error
    except zipfile.BadZipFile as error:
        raise ArchiveError(f"{path} is not a ZIP archive, or is truncated ({error})") from error
    with file:
        text = _read_small(file, path, MANIFEST)
        manifest, sha256 = _parse(text, path), hashlib.sha256(text).hexdigest()
        if _read_small(file, path, SEAL) != f"{sha256}  {MANIFEST}\n".encode():
            _raise_if(path, [f"{MANIFEST!r} or {SEAL!r} is changed: the SHA-256 of the one is not in the other"])
        _raise_if(path, _problems(file, manifest))
        yield Archive(Path(path), file, manifest, sha256)


def verify(archive: Archive) -> None:
    """Raise ArchiveError naming every file whose content differs from the manifest."""
    _raise_if(archive.path, (problem for name in archive.manifest["files"] for problem in _changes(archive, name)))


def read(archive: Archive, name: str) -> bytes:
    """Return a file's content. Raises ArchiveError if it differs from the manifest or does not exist."""
    _check(archive, name)
    return archive.file.read(name)


def extract(archive: Archive, name: str, out: str | Path) -> None:
    """Write a file's content to `out`. Raises ArchiveError like `read`, and then writes nothing."""
    _check(archive, name)
    with atomic(out) as temporary, archive.file.open(name) as source, temporary.open("wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _add(file: zipfile.ZipFile, name: str, member: bytes | Path) -> None:
    """Add a member without traces of this machine or time: no date, no owner, the same mode for all."""
    info = zipfile.ZipInfo(name)  # dated 1980-01-01 by default
    info.create_system = 3  # Unix, for the mode
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = _size(member)  # for ZIP64 if it is large
    with file.open(info, "w") as target, _content(member) as source:
        shutil.copyfileobj(source, target, _CHUNK)


def _content(member: bytes | Path) -> BinaryIO:
    return io.BytesIO(member) if isinstance(member, bytes) else member.open("rb")


def _size(member: bytes | Path) -> int:
    return len(member) if isinstance(member, bytes) else member.stat().st_size


def _listed(member: bytes | Path) -> dict:
    with _content(member) as source:
        return {"sha256": hashlib.file_digest(source, "sha256").hexdigest(), "bytes": _size(member)}


def _read_small(file: zipfile.ZipFile, path: str | Path, name: str) -> bytes:
    """Return the content of a file that the manifest does not list, read before the archive is checked."""
    infos = [info for info in file.infolist() if info.filename == name]
    if len(infos) != 1 or not _is_plain(infos[0]) or infos[0].file_size > LARGEST_MANIFEST:
        found = f"{len(infos)} of them" if len(infos) != 1 else "one that is compressed, too large or not a plain file"
        raise ArchiveError(f"{path} is not a bundle: one plain {name} was expected, found {found}")
    try:
        return file.read(infos[0])
    except _DAMAGED as error:
        raise ArchiveError(f"{path} is refused: {name} is damaged ({error})") from error


def _parse(text: bytes, path: str | Path) -> dict:
    """Return the manifest, if its version is supported."""
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise ArchiveError(f"{path} is refused: {MANIFEST} is damaged ({error})") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ArchiveError(f"{path} is not a bundle: format {FORMAT!r} was expected in {MANIFEST}, found {found!r}")
    version = manifest.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise ArchiveError(
            f"{path} is refused: its format version is {version!r}, this minde reads up to {VERSION}; use a newer minde"
        )
    return manifest


def _problems(file: zipfile.ZipFile, manifest: dict) -> Iterator[str]:
    """Yield problems with the list of files."""
    infos = file.infolist()
    listed = manifest.get("files")
    if not isinstance(listed, dict) or not all(isinstance(entry, dict) for entry in listed.values()):
        yield f"{MANIFEST!r} does not list files with their SHA-256 and size"
        return
    if sum(info.file_size for info in infos) > os.path.getsize(file.filename):
        yield "its files overlap: together they are larger than it is"
    names, expected = Counter(info.filename for info in infos), {*listed, MANIFEST, SEAL}
    for name, count in names.items():
        if count > 1:
            yield f"{name!r} exists {count} times"
        if name not in expected:
            yield f"{name!r} is extra: the manifest does not list it"
        if _leaves_folder(name):
            yield f"{name!r} would be written outside the target folder"
    yield from (f"{name!r} is missing" for name in listed if name not in names)
    for info in infos:
        if not _is_plain(info):
            yield f"{info.filename!r} is not a plain file without compression and encryption"
        elif (size := listed.get(info.filename, {}).get("bytes", info.file_size)) != info.file_size:
            yield f"{info.filename!r} has {info.file_size} bytes where the manifest says {size}"


def _leaves_folder(name: str) -> bool:
    """Return whether a member's name is anything but a normalized path below the target folder."""
    parts = name.split("/")
    return any(part in ("", ".", "..") for part in parts) or any(c in name for c in "\\:\0")


def _is_plain(info: zipfile.ZipInfo) -> bool:
    """Return whether a member is a regular file, not a link or folder, and neither compressed nor encrypted."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
    return kind in (0, stat.S_IFREG) and stored and not info.is_dir() and not info.flag_bits & 1


def _check(archive: Archive, name: str) -> None:
    if name not in archive.manifest["files"]:
        raise ArchiveError(f"{archive.path} holds no {name!r}; it holds {', '.join(archive.manifest['files'])}")
    _raise_if(archive.path, _changes(archive, name))


def _changes(archive: Archive, name: str) -> Iterator[str]:
    """Yield a problem if a file's content differs from the manifest."""
    expected = archive.manifest["files"][name].get("sha256")
    try:
        with archive.file.open(name) as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except _DAMAGED as error:
        yield f"{name!r} is damaged ({error})"
    else:
        if found != expected:
            yield f"{name!r} is changed: SHA-256 {found} where the manifest says {expected}"


def _raise_if(path: str | Path, problems: Iterable[str]) -> None:
    if problems := list(problems):
        lines = "".join(f"\n  - {problem}" for problem in problems[:20])
        more = f"\n  - and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise ArchiveError(f"{path} is refused:{lines}{more}\nDownload or copy the bundle again from its source.")
