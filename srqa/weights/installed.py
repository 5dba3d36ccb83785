"""Weight files that are on this machine already, found without importing anything.

They lie in installed distributions, or, those that their authors publish at an address, under their
published names where torch's hub or CLIP keep their downloads, or in the store's folder, where the
user has put them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from itertools import chain
from pathlib import Path, PurePosixPath

from srqa.errors import WeightsError
from srqa.weights.manifest import Member, WeightFile
from srqa.weights.store import folder, sha256


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


def _downloads(file: WeightFile) -> Iterator[Path]:
    """Where a file that has an address of its own may lie under its published name."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    torch = Path(os.environ.get("TORCH_HOME") or Path(cache, "torch")).expanduser()
    for address in file.addresses:
        name = address.url.rpartition("/")[2]
        yield folder() / name
        yield torch / "hub" / "checkpoints" / name
        yield Path.home() / ".cache" / "clip" / name


def find(file: WeightFile) -> Path | None:
    """Where an installed distribution or a folder of downloads has it, by its size; no network."""
    for path in [*chain.from_iterable(map(_places, file.members)), *_downloads(file)]:
        try:
            if path.stat().st_size == file.bytes:
                return path
        except OSError:
            continue
    return None


def read(file: WeightFile) -> tuple[bytes, str] | None:
    """The file and where it was, if an installed distribution or a folder of downloads has it.

    Raises:
        WeightsError: the very version that should hold it holds another file, or the user has put
            another file of its name into the store's folder.
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
    for path in _downloads(file):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if (found := sha256(data)) == file.sha256:
            return data, str(path)
        if path.parent == folder():
            raise WeightsError(
                f"{path} has sha256 {found} instead of {file.sha256}.",
                hint="It is another file, or was damaged on its way: get it again, or remove it.",
            )
    return None
