"""A study as everything else sees it: definition, folders, store, key, stimuli, words."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy.engine import RowMapping

from srqa import assets
from srqa.errors import InputError, UsageError
from srqa.files import explain, make_folder, replacing, write_text
from srqa.study.database import Database
from srqa.study.definition import Definition, Localised
from srqa.study.loading import FILE, load_definition
from srqa.study.methods import METHODS, Method
from srqa.study.store import Store
from srqa.study.texts import DEFAULT, Texts, languages, load_texts

HOME = "studies"
DATABASE = "study.sqlite"
Progress = Callable[[int, int], None]


@dataclass(eq=False)
class Study:
    """A study that has been opened.

    Attributes:
        name: of its folder.
        definition: what `study.yaml` says.
        folder: where that stands; perhaps read-only.
        data: where database, key, prepared stimuli and results lie.
        store: its rows.
        key: with which ids are hashed and tokens signed.
        seed: of all chance in assignment.
        stimulus_folder: where the prepared PNGs lie, each under its opaque id.
        caches: what was read once.
    """

    name: str
    definition: Definition
    folder: Path
    data: Path
    store: Store
    key: bytes
    seed: str
    stimulus_folder: Path
    caches: dict[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> Method:
        """How people are asked."""
        return METHODS[self.definition.method]

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """Languages that participants may choose."""
        if self.definition.languages is not None:
            return tuple(self.definition.languages)
        if isinstance(self.definition.title, dict):
            return tuple(self.definition.title)
        return languages(self.folder / "texts")

    def text(self, locale: str | None) -> Texts:
        """The words of a language; of the first if there is none or another is asked for."""
        chosen = locale if locale in self.languages else self.languages[0]
        return load_texts(chosen, self.folder / "texts")

    def title(self, locale: str | None = None) -> str:
        """What the study is called."""
        return localised(self.definition.title, locale)

    def labels(self, locale: str | None) -> list[str]:
        """Words of the scale, from low to high."""
        scale, method = self.definition.scale, self.method
        if isinstance(scale.labels, list):
            return list(scale.labels)
        if isinstance(scale.labels, dict):
            return list(scale.labels.get(locale or "", next(iter(scale.labels.values()))))
        return self.text(locale).labels(method.labels, len(method.values(scale.points)))

    @property
    def stimuli(self) -> Mapping[int, RowMapping]:
        """Rows of the stimuli in use by number; read once, and again after `prepare`."""
        if "stimuli" not in self.caches:
            self.caches["stimuli"] = {row["id"]: row for row in self.store.stimuli()}
        found: Mapping[int, RowMapping] = self.caches["stimuli"]
        return found

    @property
    def by_name(self) -> Mapping[str, RowMapping]:
        """Rows of the stimuli by name."""
        return {row["name"]: row for row in self.stimuli.values()}

    def stimulus_file(self, opaque: str) -> Path | None:
        """The PNG of an opaque id, None if there is none."""
        if "files" not in self.caches:
            rows = self.store.stimuli(retired=True)
            self.caches["files"] = {row["opaque"] for row in rows}
        if opaque not in self.caches["files"]:
            return None
        path = self.stimulus_folder / f"{opaque}.png"
        return path if path.is_file() else None

    def prepare(self, progress: Progress | None = None) -> tuple[str, ...]:
        """Make the stimuli ready, if something changed since the last time.

        Returns:
            What a researcher should know, a sentence each.

        Raises:
            InputError: pictures are missing, unreadable, or changed after answers were given.
        """
        from srqa.study import pictures

        sources = pictures.find(self.definition, self.folder, self.data)
        mark = self._fingerprint(sources)
        file = self.stimulus_folder / "fingerprint"
        rows = self.store.stimuli()
        whole = all((self.stimulus_folder / f"{r['opaque']}.png").is_file() for r in rows)
        if rows and whole and file.is_file() and file.read_text() == mark:
            return ()
        prepared = pictures.prepare(sources, self.definition, progress)
        old = {row["name"]: row for row in self.store.stimuli(retired=True)}
        answered = self._answered(old)
        make_folder(self.stimulus_folder)
        made, notes = [], []
        for item in prepared:
            before = old.get(item.source.name)
            same = before is not None and before["sha256"] == item.sha256
            if before is not None and not same and before["id"] in answered:
                raise InputError(
                    f"The picture {item.source.relative} changed after answers about it were "
                    "given.",
                    hint="Put the old one back, or make a new study of the new one.",
                )
            opaque = before["opaque"] if same and before is not None else secrets.token_hex(16)
            with replacing(self.stimulus_folder / f"{opaque}.png") as temporary:
                temporary.write_bytes(item.png)
            made.append(_row(item, opaque, prepared))
            notes += [f"{item.source.relative} {note}." for note in item.notes]
        self.store.replace_stimuli(made)
        write_text(file, mark)
        self.caches.pop("stimuli", None)
        self.caches.pop("files", None)
        return tuple(dict.fromkeys(notes))

    def _answered(self, rows: Mapping[str, RowMapping]) -> set[int]:
        if not rows:
            return set()
        answers = self.store.answers(("active", "finished", "excluded", "void"))
        return {row[key] for row in answers for key in ("first", "second")}

    def _fingerprint(self, sources: Any) -> str:
        wanted = self.definition.model_dump(
            mode="json", include={"stimuli", "training", "checks", "method", "version"}
        )
        files = [(s.name, s.role, str(s.path), *_stamp(s.path)) for s in sources]
        text = json.dumps([wanted, files], default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def open_study(
    study: Path | str,
    home: Path | str | None = None,
    database: str | None = None,
    progress: Progress | None = None,
    prepare: bool = False,
) -> Study:
    """Open a study; its database is made or brought up to date.

    Args:
        study: a folder with `study.yaml`, such a file, or a name: `./studies/NAME` (or in `home`),
            then the studies that come with srqa (`demo`, `demo-pairs`).
        home: the folder of studies, `./studies` or SRQA_STUDIES without.
        database: a file or `postgresql://...`; SRQA_DATABASE without, then a file of the study's.
        progress: of preparing.
        prepare: make the stimuli ready.

    Raises:
        InputError: there is no such study, or its database cannot be used.
        UsageError: the definition is wrong, or changed in a way that does not fit the answers.
        OutputError: no rights to write.
    """
    found = locate(study, home)
    definition = load_definition(found.file)
    make_folder(found.data)
    address = database or os.environ.get("SRQA_DATABASE") or str(found.data / DATABASE)
    base = Database(address)
    base.upgrade()
    store = Store(base, found.name)
    row = store.create(definition.model_dump_json(), definition.seed)
    opened = Study(
        name=found.name,
        definition=definition,
        folder=found.file.parent,
        data=found.data,
        store=store,
        key=_key(found.data),
        seed=row["seed"],
        stimulus_folder=found.data / "stimuli",
    )
    _note_changes(opened, row)
    if prepare:
        opened.prepare(progress)
    return opened


@dataclass(frozen=True, slots=True)
class Location:
    """Where a study is.

    Attributes:
        name: of the study.
        file: its definition.
        data: where its data lies.
    """

    name: str
    file: Path
    data: Path


def locate(study: Path | str, home: Path | str | None = None) -> Location:
    """Find a study's definition and the folder of its data.

    A study of the user's own has its data beside the definition, in `data/`; one that comes with
    srqa in `./studies/NAME/data`.

    Raises:
        InputError: there is no such study.
    """
    root = Path(home or os.environ.get("SRQA_STUDIES") or HOME)
    given = Path(study)
    shipped = assets.path("studies")
    places = [given, root / given]
    if len(given.parts) == 1:
        places.append(shipped / given)
    for place in places:
        file = place if place.suffix in (".yaml", ".yml") else place / FILE
        if file.is_file():
            name = check_name(file.parent.absolute().name)
            is_ours = file.resolve().is_relative_to(shipped.resolve())
            base = root / name if is_ours else file.parent
            return Location(name, file.absolute(), (base / "data").absolute())
    known = [path.parent.name for path in [*root.glob(f"*/{FILE}"), *shipped.glob(f"*/{FILE}")]]
    raise InputError(
        f"There is no study {study}: no {FILE} in {places[0]}/ or {places[1]}/.",
        hint=f"There are {', '.join(sorted(set(known)))}."
        if known
        else "Make one: srqa study init.",
    )


def check_name(name: str) -> str:
    """A study's name, if it can stand in file names and tables.

    Raises:
        UsageError: it cannot.
    """
    if not re.fullmatch(r"[\w.-]{1,100}", name) or name.startswith("."):
        raise UsageError(
            f"A study cannot be called {name!r}.",
            hint="Letters, digits, '-', '_' and '.' may stand in its folder's name.",
        )
    return name


def localised(text: Localised, locale: str | None) -> str:
    """A text in a language; in English, or the first there is, if that is missing."""
    if isinstance(text, str):
        return text
    return text.get(locale or "") or text.get(DEFAULT) or next(iter(text.values()), "")


def _key(data: Path) -> bytes:
    given = os.environ.get("SRQA_STUDY_KEY")
    if given:
        return hashlib.sha256(given.encode()).digest()
    file = data / "key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    except OSError as error:
        raise explain(error, file) from error
    with os.fdopen(descriptor, "wb") as stream:
        key = secrets.token_bytes(32)
        stream.write(key)
    return key


def _note_changes(study: Study, row: RowMapping) -> None:
    """Keep a changed definition; refuse one that the answers at hand do not fit."""
    new = study.definition.model_dump(mode="json")
    old = json.loads(row["definition"])
    if old == json.loads(study.definition.model_dump_json()):
        return
    changed = sorted(key for key in new if old.get(key) != new[key])
    fixed = [key for key in ("method", "scale", "pairs", "seed") if key in changed]
    if fixed and study.store.latest().answer:
        raise UsageError(
            f"The definition's {fixed[0]} changed, but there are answers already.",
            hint="Put it back, or make a new study in a folder of its own.",
        )
    values: dict[str, Any] = {"definition": study.definition.model_dump_json()}
    if "seed" in changed and study.definition.seed:
        values["seed"] = study.seed = study.definition.seed
    study.store.change("definition", {"changed": changed}, **values)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _row(item: Any, opaque: str, prepared: Any) -> dict[str, Any]:
    source = item.source
    reference = ""
    if source.role != "reference":
        reference = next(
            (
                other.source.name
                for other in prepared
                if other.source.role == "reference" and other.source.group == source.group
            ),
            "",
        )
    return {
        "opaque": opaque,
        "name": source.name,
        "source": source.relative,
        "dataset": source.dataset,
        "content": source.content,
        "method": source.method,
        "scale": source.scale,
        "role": source.role,
        "reference": reference,
        "source_sha256": item.source_sha256,
        "sha256": item.sha256,
        "width": item.width,
        "height": item.height,
        "crop": list(item.crop) if item.crop else None,
    }
