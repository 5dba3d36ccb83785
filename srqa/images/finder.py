"""Finding the files of pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srqa.errors import PairingError
from srqa.images.collection import some
from srqa.images.names import nfc
from srqa.images.pattern import parse_layout, picture_suffixes

_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}


@dataclass(frozen=True, slots=True)
class Found:
    """A picture's file, its path below the given folder in NFC, and what a layout reads in it."""

    path: str
    name: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders between the given one and the file."""
        return tuple(self.name.split("/")[:-1])


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds pictures below folders and remembers what it left out.

    Attributes:
        apart: real paths of folders that are given for themselves; they are not entered from above.
        ignored: files that are no pictures, with the given folder's name in front.
        notes: what users should know.
    """

    apart: frozenset[str]
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, place: Path, layout: str | None = None) -> list[Found]:
        """The pictures below a folder, or the one that is given.

        Args:
            place: a folder or file.
            layout: what paths look like; pictures whose paths do not are left out, with a note.

        Raises:
            PairingError: there is no such place, there are no pictures, none fits the layout, or a
                folder cannot be read.
        """
        suffixes = picture_suffixes()
        if not place.is_dir():
            if not os.path.lexists(place):
                raise PairingError(f"{place} does not exist.", "Look at how it is spelt.")
            if place.suffix.lower() not in suffixes:
                raise PairingError(
                    f"{place} is not a picture by its suffix.", _suffixes_hint(suffixes)
                )
            found = [Found(str(place), nfc(place.name))]
        else:
            found = list(self._below(place, str(place), "", ()))
        if not found:
            raise PairingError(f"There are no pictures in {place}.", _suffixes_hint(suffixes))
        return found if layout is None else self._fitting(place, found, layout)

    def _below(
        self, root: Path, folder: str, prefix: str, above: tuple[str, ...]
    ) -> Iterator[Found]:
        real = os.path.realpath(folder)
        if real in above or (above and real in self.apart):
            return
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError as error:
            raise PairingError(
                f"The folder {folder} cannot be listed: {error.strerror}.", "Look at its rights."
            ) from error
        suffixes = picture_suffixes()
        for name in names:
            path, shown = f"{folder}/{name}", f"{prefix}{nfc(name)}"
            is_junk = name.startswith(".") or name.lower() in _JUNK
            is_picture = os.path.splitext(name)[1].lower() in suffixes  # noqa: PTH122
            # A link that leads nowhere is a picture that cannot be read, not one that is missing.
            is_file = os.path.isfile(path) or not os.path.exists(path)  # noqa: PTH110, PTH113
            if is_picture and not is_junk and is_file:
                yield Found(path, shown)
            elif not is_junk and os.path.isdir(path):  # noqa: PTH112
                yield from self._below(root, path, f"{shown}/", (*above, real))
            else:
                self.ignored.append(f"{nfc(root.name)}/{shown}")

    def _fitting(self, place: Path, found: list[Found], layout: str) -> list[Found]:
        pattern = parse_layout(layout)
        read = [(one, pattern.fullmatch(one.name)) for one in found]
        others = [one.name for one, match in read if match is None]
        if len(others) == len(read):
            raise PairingError(
                f"No picture in {place} fits the layout '{layout}': {some(others)}.",
                "A layout is relative to the given folder and ends in the file's name.",
            )
        if others:
            self.notes.append(
                f"{len(others)} of {len(read)} pictures in {place.name}/ do not fit the layout "
                f"'{layout}' and are left out: {some(others)}."
            )
        return [Found(one.path, one.name, match.groupdict()) for one, match in read if match]


def _suffixes_hint(suffixes: frozenset[str]) -> str:
    return f"Names of pictures end in {' '.join(sorted(suffixes))}."
