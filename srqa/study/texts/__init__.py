"""The words of the participant's pages: one file a language, and a study may bring its own.

>>> from srqa.study.texts import load_texts
>>> load_texts("en").labels("acr", 5)[0]
'Bad'
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from srqa.errors import InputError, UsageError

_FOLDER = Path(__file__).parent
DEFAULT = "en"


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The words of one language.

    Attributes:
        locale: for example "en".
        table: dotted key to its text, or to a list of texts.
    """

    locale: str
    table: Mapping[str, str | list[str]]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, with `{names}` filled in.

        Raises:
            KeyError: there is no such text.
        """
        found = self.table[key]
        if not isinstance(found, str):
            raise KeyError(f"{key} is a list of texts")
        return found.format(**values) if values else found

    def several(self, key: str) -> list[str]:
        """The list of texts of a key."""
        found = self.table[key]
        if isinstance(found, str):
            raise KeyError(f"{key} is no list of texts")
        return list(found)

    def labels(self, table: str, points: int) -> list[str]:
        """Words of a scale from low to high: of "acr", "dcr", "ccr"; the ends of "slider"."""
        if table == "choice":
            names = ("left", "tie", "right") if points == 3 else ("left", "right")
            return [self(f"choice.{name}") for name in names]
        key = "ends" if table == "slider" else str(points)
        return self.several(f"scale.{table}.{key}")

    @property
    def name(self) -> str:
        """The language's name in itself."""
        return self("language.name")


def load_texts(locale: str, overlay: Path | None = None) -> Texts:
    """The texts of a language.

    Args:
        locale: for example "zh"; "zh-CN" falls back on it.
        overlay: a folder whose files replace single texts, or add a language.

    Raises:
        UsageError: there is no such language.
        InputError: a file of texts cannot be read, or a new language lacks texts.
    """
    base = locale.partition("-")[0].lower()
    own = _read(_FOLDER / f"{base}.toml")
    added = _read(overlay / f"{base}.toml") if overlay else {}
    if not own and not added:
        known = ", ".join(languages(overlay))
        raise UsageError(
            f"There are no texts in the language {locale!r}.",
            hint=f"There are {known}. Put a {base}.toml with all texts into texts/ of the study.",
        )
    table = {**own, **added}
    if not own and (missing := sorted(set(_read(_FOLDER / f"{DEFAULT}.toml")) - set(table))):
        raise InputError(f"texts/{base}.toml lacks {len(missing)} texts, the first {missing[0]}.")
    return Texts(base, table)


def languages(overlay: Path | None = None) -> tuple[str, ...]:
    """Languages there are texts for, English first."""
    folders = [_FOLDER] + ([overlay] if overlay and overlay.is_dir() else [])
    found = {path.stem for folder in folders for path in folder.glob("*.toml")}
    return tuple(sorted(found, key=lambda name: (name != DEFAULT, name)))


@lru_cache(maxsize=64)
def _read(path: Path) -> dict[str, str | list[str]]:
    if not path.is_file():
        return {}
    try:
        return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path.name} cannot be read as a file of texts: {error}.") from error


def _flat(table: Mapping[str, Any], head: str = "") -> list[tuple[str, str | list[str]]]:
    found: list[tuple[str, str | list[str]]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{head}{key}.")
        else:
            found.append((head + key, value))
    return found
