"""What weight files there are: the table `manifest.toml` as frozen dataclasses."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from srqa.errors import UsageError

PATH = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True, slots=True)
class Archive:
    """A file on the package index: a wheel or a source archive of a distribution."""

    filename: str
    distribution: str
    version: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive, and at the same place in the installed distribution."""

    archive: Archive
    path: str


@dataclass(frozen=True, slots=True)
class Address:
    """A file at a fixed https address."""

    url: str


@dataclass(frozen=True, slots=True)
class Included:
    """A file inside srqa itself, by its path below the package."""

    path: str


Source = Member | Address | Included


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file of trained numbers.

    Attributes:
        name: what users type.
        summary: what it is.
        bytes: size of the file as its authors published it.
        sha256: of that file.
        reader: how it is read, a name in `srqa.weights.readers.READERS`, or "raw".
        stored: sha256 of what the store keeps: safetensors, or the same file if it is raw.
        licence: of the numbers, SPDX or NOASSERTION.
        paper: where they are described.
        sources: where the file may come from, in order; for srqa's own, where it is.
    """

    name: str
    summary: str
    bytes: int
    sha256: str
    reader: str
    stored: str
    licence: str
    paper: str
    sources: tuple[Source, ...]

    @property
    def included(self) -> Path | None:
        """Where it is inside srqa, if it is srqa's own."""
        first = self.sources[0]
        return PATH.parents[1] / first.path if isinstance(first, Included) else None

    @property
    def members(self) -> tuple[Member, ...]:
        """The sources that are members of archives."""
        return tuple(source for source in self.sources if isinstance(source, Member))

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The sources that are addresses."""
        return tuple(source for source in self.sources if isinstance(source, Address))

    @property
    def origin(self) -> str:
        """The first source in words, the same wherever the file really came from."""
        first = self.sources[0]
        if isinstance(first, Address):
            return first.url
        if isinstance(first, Included):
            return f"srqa {first.path}"
        return f"{first.archive.distribution}=={first.archive.version} {first.path}"

    @property
    def filename(self) -> str:
        """Its name in the store; another version of the numbers has another name."""
        suffix = ".safetensors" if self.reader != "raw" else PurePosixPath(self.origin).suffix
        return f"{self.name}-{self.stored[:8]}{suffix}"

    @property
    def download(self) -> int:
        """Bytes to fetch when nothing is here: of the archive, or of the file itself."""
        first = self.sources[0]
        if isinstance(first, Included):
            return 0
        return first.archive.bytes if isinstance(first, Member) else self.bytes


def _source(entry: dict[str, str], archives: dict[str, Archive]) -> Source:
    if "url" in entry:
        return Address(entry["url"])
    if "included" in entry:
        return Included(entry["included"])
    return Member(archives[entry["archive"]], entry["member"])


def _file(entry: dict[str, Any], archives: dict[str, Archive]) -> WeightFile:
    sources = tuple(_source(source, archives) for source in entry["sources"])
    stored = entry.get("stored", entry["sha256"])
    return WeightFile(**entry | {"sources": sources, "stored": stored})


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[WeightFile, ...]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    archives = {name: Archive(name, **facts) for name, facts in document["archive"].items()}
    return tuple(_file(entry, archives) for entry in document["file"])


def files() -> tuple[WeightFile, ...]:
    """All weight files that srqa knows."""
    return _read(PATH)


def get(name: str) -> WeightFile:
    """A weight file by its name.

    Raises:
        UsageError: there is none of that name.
    """
    known = {file.name: file for file in files()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"There are no weights called {name!r}.", hint=f"{hint}See `srqa weights list`."
        )
    return known[name]
