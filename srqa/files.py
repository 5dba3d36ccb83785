"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from srqa.errors import OutputError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def explain(error: OSError, path: Path) -> OutputError:
    """An operating system's refusal to write, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"No space is left to write {path}.",
            hint="Free some space and run the same command with --resume.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"No rights to write {path}.", hint="Choose another --out.")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return OutputError(f"{path} cannot be a folder: a file stands in the way.")
    return OutputError(f"{path} cannot be written: {error.strerror or error}.")


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises:
        OutputError: it cannot be made, or nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise explain(error, path) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that takes its place once all is written.

    Raises:
        OutputError: it cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise explain(error, path) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def printable(name: str) -> str:
    r"""A file's name as text for tables: what is no UTF-8, and control characters, are spelt out.

    Example:
        >>> printable("caf\udce9.png"), printable("two\nlines")
        ('caf\\xe9.png', 'two\\x0alines')
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
