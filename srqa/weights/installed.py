"""Weight files inside distributions that are installed, found without importing them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from srqa.errors import WeightsError
from srqa.weights.manifest import Member, WeightFile
from srqa.weights.store import sha256


def _places(member: Member) -> Iterator[Path]:
    """Files that stand where the member would."""
    try:
        listed = metadata.distribution(member.archive.distribution).files or []
    except metadata.PackageNotFoundError:
        return
    for path in listed:
        if path.as_posix() == member.path:
            yield Path(str(path.locate()))
    top, *rest = PurePosixPath(member.path).parts
    try:
        spec = find_spec(top)  # looks for a top-level package, and imports nothing
    except (ImportError, ValueError):
        return
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place, *rest)


def find(file: WeightFile) -> Path | None:
    """Where an installed distribution has the file, by its size; no network."""
    for member in file.members:
        for path in _places(member):
            try:
                if path.stat().st_size == file.bytes:
                    return path
            except OSError:
                continue
    return None


def read(file: WeightFile) -> tuple[bytes, str] | None:
    """The file of an installed distribution and where it was, if one has it.

    Raises:
        WeightsError: the very version that should hold it holds another file.
    """
    for member in file.members:
        for path in _places(member):
            try:
                data = path.read_bytes()
            except OSError:
                continue
            if (found := sha256(data)) == file.sha256:
                return data, str(path)
            if metadata.version(member.archive.distribution) == member.archive.version:
                raise WeightsError(
                    f"{path} has sha256 {found} instead of {file.sha256}.",
                    hint=f"It was changed. Reinstall or remove {member.archive.distribution}.",
                )
    return None
