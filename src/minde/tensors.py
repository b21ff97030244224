"""Named arrays and a JSON header in one safetensors file, with a checksum of both. No pickle."""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .files import atomic


class UnreadableError(ValueError):
    """A file that :func:`write` has not written, or that was damaged since; the message is the reason."""


def write(path: str | Path, tensors: dict[str, np.ndarray], header: dict) -> None:
    """Write arrays and a header, which has no key `sha256`, to a file, which appears whole or not at all."""
    header = json.loads(json.dumps(header))  # as it will be read
    # safetensors ignores strides and writes the memory behind an array: a view of a stack would be read as garbage.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    # Not save_file: it picks its own temporary name, which a killed process would leave behind.
    # One entry, since safetensors writes several in any order.
    content = save(tensors, metadata={"minde": _text(header | {"sha256": _sha256(tensors, header)})})
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Read the arrays and the header of a file. Raises UnreadableError, and OSError such as FileNotFoundError."""
    try:
        with safe_open(path, framework="numpy") as file:
            header, sha256 = _metadata(file)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, TypeError) as error:  # TypeError: a name of a type that numpy does not know
        raise UnreadableError(str(error)) from error
    if sha256 != _sha256(tensors, header):
        raise UnreadableError("its content does not have the checksum that it was written with")
    return tensors, header


def read_header(path: str | Path) -> dict:
    """Read the header of a file, without its arrays and so without their checksum. Raises as :func:`read` does."""
    try:
        with safe_open(path, framework="numpy") as file:
            return _metadata(file)[0]
    except SafetensorError as error:
        raise UnreadableError(str(error)) from error


def _metadata(file) -> tuple[dict, str]:
    """Return the header and the checksum of an open file."""
    try:
        header = json.loads((file.metadata() or {})["minde"])
        return header, header.pop("sha256")
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:  # also of other values than mappings
        raise UnreadableError("it has no header with a checksum") from error


def _sha256(tensors: dict[str, np.ndarray], header: dict) -> str:
    digest = hashlib.sha256(_text(header).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype.str} {tensor.shape}\n".encode())
        digest.update(tensor)
    return digest.hexdigest()


def _text(header: dict) -> str:
    # No escapes, which a flipped bit could change without changing what they mean.
    return json.dumps(header, sort_keys=True, ensure_ascii=False)


def prefixed(prefix: str, tensors: dict) -> dict:
    """Return tensors with `prefix/` before their names, as files of several groups hold them."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def group(tensors: dict, prefix: str) -> dict:
    """Return the tensors whose names start with `prefix/`, by their names without it."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
