"""What a degraded folder says of itself: settings, and for each picture how it was made.

`degradation.json` holds all that is needed to make the same files again. While work is under way
the journal, `degradation.jsonl`, holds what is finished, a line a picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import srqa
from srqa import journal
from srqa.degradation import steps as stages
from srqa.degradation.naming import Naming
from srqa.degradation.steps import Pixels, Step
from srqa.errors import OutputError, RunError
from srqa.files import replacing
from srqa.images.read import DecodePolicy

MANIFEST, JOURNAL = "degradation.json", "degradation.jsonl"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """What all pictures of a folder share.

    Attributes:
        degradation: its settings, as `Degradation.describe` gives them.
        scale: high over low resolution.
        floating: pixels are floats between the steps.
        seed: of all random numbers.
        naming: where files go.
        policy: how files become pixels.
    """

    degradation: Mapping[str, Any]
    scale: float
    floating: bool
    seed: int
    naming: Naming
    policy: DecodePolicy

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them."""
        facts = {f.name: getattr(self, f.name) for f in fields(self)}
        facts |= {"naming": asdict(self.naming), "policy": self.policy.describe()}
        plain: dict[str, Any] = json.loads(json.dumps(facts))
        return plain

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Settings:
        """What `to_dict` gave."""
        values = dict(facts)
        values["naming"] = Naming(**values["naming"])
        values["policy"] = DecodePolicy(**values["policy"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Made:
    """One low-resolution file.

    Attributes:
        lr: its path in the folder.
        sha256: of the file.
        pixels: sha256 of its shape, depth and pixels.
        hr: path of the high-resolution file beside it, or an empty string.
        box: top, left, height and width of that part in the high-resolution picture.
    """

    lr: str
    sha256: str
    pixels: str
    hr: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Record:
    """How one picture was degraded, or why it was not.

    Attributes:
        source: its path below the given folder.
        sha256: of its file.
        steps: what was done.
        files: what came of it.
        notes: what reading it has to say.
        problem: why there are no files.
    """

    source: str
    sha256: str = ""
    steps: tuple[Step, ...] = ()
    files: tuple[Made, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        steps = [stages.to_dict(step) for step in self.steps]
        return asdict(self) | {"steps": steps}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Record:
        """What `to_dict` gave."""
        values = dict(facts)
        values["steps"] = tuple(stages.from_dict(step) for step in values["steps"])
        values["files"] = tuple(
            Made(**(one | {"box": tuple(one["box"])})) for one in values["files"]
        )
        values["notes"] = tuple(values["notes"])
        return cls(**values)

    def stands(self, folder: Path) -> bool:
        """Whether its files are there, as they were written."""
        with suppress(OSError):
            return bool(self.files) and all(
                hashlib.sha256((folder / one.lr).read_bytes()).hexdigest() == one.sha256
                and (not one.hr or (folder / one.hr).stat().st_size > 0)
                for one in self.files
            )
        return False


def pixel_hash(pixels: Pixels) -> str:
    """sha256 of shape, depth and pixels, whatever file they are stored in."""
    digest = hashlib.sha256(f"{pixels.shape} {pixels.dtype.name} ".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """The libraries that can change a pixel."""
    names = ("numpy", "opencv-python-headless", "imagecodecs", "scipy")
    found = {"srqa": srqa.__version__}
    for name in names:
        with suppress(ImportError):
            found[name] = version(name)
    return found


def write_manifest(
    folder: Path, settings: Settings, records: Iterable[Record], command: str
) -> Path:
    """Write `degradation.json`.

    Raises:
        OutputError: it cannot be written.
    """
    document = {
        "format": FORMAT,
        "command": command,
        "versions": versions(),
        "settings": settings.to_dict(),
        "pictures": [record.to_dict() for record in records],
    }
    path = folder / MANIFEST
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n", "ascii")
    return path


def read_manifest(path: Path) -> tuple[Settings, tuple[Record, ...], dict[str, str]]:
    """Settings, pictures and versions of libraries in a manifest, or in the one of a folder.

    Raises:
        RunError: it cannot be read, or is not a manifest of degraded pictures.
    """
    path = path / MANIFEST if path.is_dir() else path
    try:
        document = json.loads(path.read_text("utf-8"))
        settings = Settings.from_dict(document["settings"])
        records = tuple(Record.from_dict(one) for one in document["pictures"])
        return settings, records, dict(document["versions"])
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"The manifest {path} cannot be read: {reason}.") from error
    except Exception as error:  # whatever stands there, it is not what we wrote
        raise RunError(
            f"{path} is not a manifest of degraded pictures.",
            f"`srqa degrade` writes one into its folder, named {MANIFEST}.",
        ) from error


class Journal(journal.Journal):
    """What is finished so far; the folder belongs to one process at a time."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        taken = f"Another process is writing into {folder}."
        super().__init__(folder / JOURNAL, folder / ".lock", taken)
        self._folder, self._settings = folder, settings

    def finished(self) -> dict[str, Record]:
        """Pictures that were finished before, by their paths.

        Raises:
            RunError: they were made by other settings.
        """
        found: dict[str, Record] = {}
        if (self._folder / MANIFEST).exists():
            settings, records, _ = read_manifest(self._folder)
            self._check(settings.to_dict())
            found |= {record.source: record for record in records}
        entries = self.entries()
        if entries:
            self._check(entries[0].get("settings", {}))
        for entry in entries[1:]:
            with suppress(Exception):  # a damaged line counts as none
                record = Record.from_dict(entry)
                found[record.source] = record
        return found

    def _check(self, before: Mapping[str, Any]) -> None:
        now = self._settings.to_dict()
        if changed := [key for key in now if before.get(key) != now[key]]:
            raise RunError(
                f"What is in {self._folder} was made by other settings ({', '.join(changed)}).",
                "Give the same options again, or --overwrite to begin anew.",
            )

    def start(self, kept: Iterable[Record]) -> None:
        """Begin anew with what is kept; from now on the folder counts as interrupted."""
        head = {"settings": self._settings.to_dict()}
        self.begin(head, (record.to_dict() for record in kept))
        with suppress(OSError):
            (self._folder / MANIFEST).unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """Append a finished picture.

        Raises:
            OutputError: it cannot be written.
        """
        self.append(record.to_dict())


def check_free(folder: Path, targets: Iterable[str]) -> None:
    """Refuse to write over what is there.

    Raises:
        OutputError: there are files already.
    """
    there = [name for name in (MANIFEST, JOURNAL, *targets) if (folder / name).exists()]
    if there:
        raise OutputError(
            f"{folder} holds {there[0]} already.",
            "--resume makes only what is missing, --overwrite replaces all.",
        )
