"""Weights carried to a machine that reaches no index: a folder out, a folder in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from srqa.errors import InputError, WeightsError
from srqa.files import make_folder, replacing
from srqa.weights import manifest, sources, store
from srqa.weights.manifest import Archive, WeightFile


def export_to(folder: Path, files: Iterable[WeightFile]) -> None:
    """Copy files into a folder, each checked, without fetching anything.

    Raises:
        WeightsError: one is not here, or is damaged.
        OutputError: the folder cannot be written.
    """
    make_folder(folder)
    with sources.Fetcher(offline=True) as fetcher:
        for file in files:
            data = fetcher.get(file)
            with replacing(folder / file.filename) as temporary:
                temporary.write_bytes(data)


def import_from(folder: Path) -> list[WeightFile]:
    """Keep what a folder holds of the manifest's files.

    It may hold what `export_to` wrote, files as their authors published them, or whole archives of
    the package index, under their own names.

    Raises:
        InputError: it is no folder.
        WeightsError: a file is not what its name says; those before it, by name, are kept.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from error
    found: list[WeightFile] = []
    with store.lock():
        for path in paths:
            found += _keep(path)
    order = {file.name: i for i, file in enumerate(manifest.files())}
    return sorted(set(found), key=lambda file: order[file.name])


def _keep(path: Path) -> list[WeightFile]:
    kept = {file.filename: file for file in manifest.files()}
    archives = {m.archive.filename: m.archive for f in manifest.files() for m in f.members}
    try:
        if file := kept.get(path.name):
            data = path.read_bytes()
            store.check(data, file.stored, str(path), "Copy it again.")
            store.write(file, data)
            return [file]
        if archive := archives.get(path.name):
            return _keep_archive(path, archive)
        return _keep_original(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error


def _keep_archive(path: Path, archive: Archive) -> list[WeightFile]:
    store.check(path.read_bytes(), archive.sha256, str(path), "Download it again.")
    sources.keep_all(path, archive)
    return [f for f in manifest.files() if any(m.archive == archive for m in f.members)]


def _keep_original(path: Path) -> list[WeightFile]:
    size = path.stat().st_size
    alike = [file for file in manifest.files() if file.bytes == size]
    if not alike:
        return []
    data = path.read_bytes()
    same = [file for file in alike if file.sha256 == store.sha256(data)]
    for file in same:
        store.write(file, store.convert(file, data, str(path)))
    return same
