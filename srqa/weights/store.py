"""The folder where weight files are kept: checked when written, checked when read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from srqa.errors import OutputError, WeightsError
from srqa.files import make_folder, replacing
from srqa.weights.manifest import WeightFile
from srqa.weights.readers import READERS
from srqa.weights.tensors import pack

# (what is going on, bytes done, bytes in all or None)
Progress = Callable[[str, int, int | None], None]
_HINT = "Set SRQA_WEIGHTS to a folder that can be written."


def folder() -> Path:
    """Where weights are kept: the folder `SRQA_WEIGHTS`, else one in the user's cache folder."""
    given = os.environ.get("SRQA_WEIGHTS")
    if given:
        return Path(given).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("srqa") / "weights"


def place(file: WeightFile) -> Path:
    """Where the store keeps a file, whether it is there or not; srqa's own are in the package."""
    return file.included or folder() / file.filename


def sha256(data: bytes) -> str:
    """The sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def check(data: bytes, expected: str, what: str, hint: str = "") -> None:
    """Refuse bytes that are not those expected.

    Raises:
        WeightsError: they are not; the message names both hashes.
    """
    if (found := sha256(data)) != expected:
        raise WeightsError(f"{what} has sha256 {found} instead of {expected}.", hint=hint)


def read(file: WeightFile) -> bytes:
    """What the store keeps of a file.

    Raises:
        WeightsError: it is not there, or is not what was written.
    """
    path = place(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error
    again = f"It is damaged. `srqa weights pull --again {file.name}` fetches it anew."
    if file.included:
        again = "It is damaged: install srqa anew."
    check(data, file.stored, str(path), again)
    return data


def convert(file: WeightFile, original: bytes, where: str) -> bytes:
    """What the store keeps, made from the file as its authors published it.

    Args:
        file: what it should be.
        original: the bytes that were found.
        where: where they were found, for the message.

    Raises:
        WeightsError: it is another file, or cannot be read.
    """
    check(original, file.sha256, where)
    if file.reader == "raw":
        return original
    arrays = READERS[file.reader](original)
    data = pack(arrays, {"name": file.name, "origin": file.origin, "origin_sha256": file.sha256})
    check(data, file.stored, f"{file.name}, converted,")
    return data


def write(file: WeightFile, data: bytes) -> None:
    """Keep what `convert` made; srqa's own files are kept already. Only with the lock held.

    Raises:
        WeightsError: it cannot be written.
    """
    if file.included:
        return
    path = place(file)
    for left in path.parent.glob(f".{path.name}.*.tmp"):  # by a process that was killed
        with suppress(OSError):
            left.unlink()
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OutputError as error:
        raise WeightsError(str(error), hint=_HINT) from error


@contextmanager
def lock(progress: Progress | None = None) -> Iterator[None]:
    """Be the only process that writes into the store.

    Raises:
        WeightsError: the store cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        make_folder(folder())
    except OutputError as error:
        raise WeightsError(str(error), hint=_HINT) from error
    guard = FileLock(folder() / ".lock")
    try:
        try:
            guard.acquire(timeout=0.2)
        except Timeout:
            if progress:
                progress("waiting for another process that fetches weights", 0, None)
            guard.acquire()
    except OSError as error:
        raise WeightsError(f"{guard.lock_file} cannot be locked: {error}.", hint=_HINT) from error
    try:
        yield
    finally:
        guard.release()
