"""The folder of made data: one file a place, whole or not at all, so that work can be taken up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from srqa.errors import RunError
from srqa.files import make_folder, replacing, write_text
from srqa.training.nr.places import Place
from srqa.training.nr.samples import Samples

RECIPE = 3
"""Raised when samples would come out otherwise than before."""


@dataclass(frozen=True, slots=True)
class Store:
    """Samples of places on disk.

    Attributes:
        folder: where they are.
    """

    folder: Path

    def open(self, places: Sequence[Place], **settings: Any) -> None:
        """Begin, or go on with, the samples of these places.

        Args:
            places: all of them.
            settings: whatever else the samples hang on.

        Raises:
            RunError: the folder holds those of others.
            OutputError: it cannot be written.
        """
        digest = hashlib.sha256()
        for place in places:
            digest.update(place.name.encode("utf-8", "surrogateescape") + place.pixels.tobytes())
        facts = {"recipe": RECIPE, "places": len(places), "sha256": digest.hexdigest(), **settings}
        make_folder(self.folder)
        told = self.folder / "data.json"
        if not told.exists():
            write_text(told, json.dumps(facts, indent=1) + "\n")
            return
        try:
            before = json.loads(told.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{told} cannot be read: {error}.") from error
        if before != facts:
            raise RunError(
                f"{self.folder} holds data made of other photographs or with other settings.",
                "Choose another --data, or remove that folder.",
            )

    def path(self, place: Place) -> Path:
        """The file of a place; its name says nothing that a file system could mind."""
        name = hashlib.sha256(place.name.encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / f"{name[:16]}.npz"

    def save(self, place: Place, samples: Samples) -> None:
        """Write the samples of a place.

        Raises:
            OutputError: no space, or no rights.
        """
        with replacing(self.path(place)) as temporary, temporary.open("wb") as file:
            np.savez(file, **asdict(samples))

    def load(self, place: Place) -> Samples | None:
        """The samples of a place, None if there are none or the file is broken."""
        try:
            with np.load(self.path(place), allow_pickle=False) as file:
                return Samples(**dict(file))
        except (OSError, ValueError, KeyError, TypeError, BadZipFile):
            return None
