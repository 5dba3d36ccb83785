"""The text of a loss, ``l1 + 0.1*content:relu3_3``: read, checked, written. No torch here."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from srqa.errors import UsageError

Setting: TypeAlias = "str | float"
"""What an option is set to: a word or a number."""

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z][\w-]*")
_KEY = re.compile(r"([A-Za-z]\w*)\s*=\s*")


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that is one word of a few.

    Attributes:
        name: as in ``name=word``.
        default: what holds if nothing is said.
        words: what it may be. No two options of a term share a word.
        shown: written in canonical text even if it is the default.
    """

    name: str
    default: str
    words: tuple[str, ...]
    shown: bool = False

    @property
    def possible(self) -> str:
        """In words."""
        return ", ".join(self.words)


@dataclass(frozen=True, slots=True)
class Number:
    """An option that is a number from `low` to `high`, both included.

    Attributes:
        name: as in ``name=number``.
        default: what holds if nothing is said.
        low: the least.
        high: the most.
        whole: an integer.
        above: `low` itself is excluded.
    """

    name: str
    default: float
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    above: bool = False

    @property
    def possible(self) -> str:
        """In words."""
        kind = "a whole number" if self.whole else "a number"
        low = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        return f"{kind} {low}" + ("" if math.isinf(self.high) else f" to {self.high:g}")

    def admits(self, value: float) -> bool:
        """Whether the option may be set to this number."""
        if not math.isfinite(value) or (self.whole and value != round(value)):
            return False
        return self.low <= value <= self.high and not (self.above and value == self.low)


Option: TypeAlias = Choice | Number


@dataclass(frozen=True, slots=True)
class Part:
    """A term of the sum.

    Attributes:
        weight: at least 0.
        name: of the term.
        settings: of each of the term's options.
        options: the term's options.
        start: where it begins in the text.
        end: where it ends.
    """

    weight: float
    name: str
    settings: Mapping[str, Setting]
    options: tuple[Option, ...]
    start: int = 0
    end: int = 0

    @property
    def label(self) -> str:
        """The term without its weight: its name, and what its options are set to."""
        numbers = sum(isinstance(option, Number) for option in self.options)
        words = [self.name]
        for option in self.options:
            value = self.settings[option.name]
            if isinstance(option, Choice):
                if option.shown or value != option.default:
                    words.append(str(value))
            elif value != option.default:
                words.append(_written(value) if numbers == 1 else f"{option.name}={value:g}")
        return ":".join(words)

    def __str__(self) -> str:
        return self.label if self.weight == 1 else f"{_written(self.weight)}*{self.label}"


def _written(value: Setting) -> str:
    """A number as short as it can be without change."""
    text = repr(float(value))
    return text.removesuffix(".0")


def written(parts: Sequence[Part]) -> str:
    """The canonical text of a sum."""
    return " + ".join(map(str, parts))


def refuse(text: str, start: int, end: int, problem: str, hint: str) -> NoReturn:
    """Raise a `UsageError` that shows the text and marks a place in it."""
    marks = " " * start + "^" * max(end - start, 1)
    raise UsageError(f"{problem}\n        {text}\n        {marks}", hint=hint)


class Reader:
    """Reads the text of a sum from left to right.

    Args:
        text: the sum.
        options: gives the options of a term, or None if there is no such term.
        names: of the terms that a message may suggest.
        about: what a message says on what is possible.
    """

    def __init__(
        self,
        text: str,
        options: Callable[[str], tuple[Option, ...] | None],
        names: Sequence[str],
        about: str,
    ) -> None:
        self.text = re.sub(r"\s", " ", text)
        self.options = options
        self.names = names
        self.about = about
        self.place = 0

    def parts(self) -> tuple[Part, ...]:
        """The terms in the order of the text.

        Raises:
            UsageError: the text is no sum of known terms; the message marks the place.
        """
        parts = [self._part()]
        while not self._at_end():
            if self.text[self.place] != "+":
                self._unexpected()
            self.place += 1
            parts.append(self._part())
            earlier = next((p for p in parts[:-1] if p.label == parts[-1].label), None)
            if earlier is not None:
                self._refuse(
                    parts[-1].start,
                    f"The term {earlier.label} stands twice in the loss:",
                    "Write it once, with the sum of both weights.",
                )
        if all(part.weight == 0 for part in parts):
            self.place = len(self.text.rstrip())
            self._refuse(
                0, "All weights of the loss are 0:", "A term of weight 0 is watched, not learned."
            )
        return tuple(parts)

    def _part(self) -> Part:
        self._spaces()
        weight = self._weight()
        start = self.place
        name = self._match(_NAME)
        if name is None:
            self._unexpected("a term")
        key = name.lower()
        known = self.options(key)
        if known is None and (known := self.options(key.replace("_", "-"))) is not None:
            key = key.replace("_", "-")
        if known is None:
            near = difflib.get_close_matches(key, self.names, n=3, cutoff=0.5)
            first = f"Did you mean {' or '.join(near)}? " if near else ""
            self._refuse(start, f"There is no loss term {name!r}:", first + self.about)
        settings = self._settings(key, known)
        return Part(weight, key, settings, known, start, self.place)

    def _weight(self) -> float:
        start = self.place
        if self.text[start : start + 1] == "-":
            self.place += 1
            self._refuse(start, "A weight of the loss is a number of at least 0:", self.about)
        number = self._match(_NUMBER)
        if number is None:
            return 1.0
        if not math.isfinite(float(number)):
            self._refuse(start, "A weight of the loss is too large:", self.about)
        self._spaces()
        if self.text[self.place : self.place + 1] != "*":
            self._unexpected("* and a term after the weight")
        self.place += 1
        self._spaces()
        return float(number)

    def _settings(self, name: str, options: tuple[Option, ...]) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        while self._next_is(":"):
            self.place += 1
            self._spaces()
            option, value, start = self._setting(name, options)
            if option.name in found:
                self._refuse(start, f"The option {option.name} of {name} is set twice:", self.about)
            found[option.name] = value
        return {option.name: found.get(option.name, option.default) for option in options}

    def _setting(self, name: str, options: tuple[Option, ...]) -> tuple[Option, Setting, int]:
        start = self.place
        key = _KEY.match(self.text, start)
        if key is not None:
            self.place = key.end()
        number = self._match(_NUMBER)
        word = None if number is not None else self._match(_NAME)
        if number is None and word is None:
            self._unexpected(f"an option of {name}")
        if key is not None:
            named = [o for o in options if o.name == key[1].lower()]
        elif word is not None:
            named = [o for o in options if isinstance(o, Choice) and word.lower() in o.words]
        else:
            named = [o for o in options if isinstance(o, Number)]
        if len(named) != 1:
            self._refuse(start, f"{name} has no such option:", _possible(name, options))
        option = named[0]
        if isinstance(option, Choice):
            if word is None or word.lower() not in option.words:
                self._refuse(start, f"{name} has no such option:", _possible(name, options))
            return option, word.lower(), start
        if number is None or not option.admits(float(number)):
            self._refuse(
                start,
                f"{option.name} of {name} must be {option.possible}:",
                _possible(name, options),
            )
        return option, float(number), start

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def _spaces(self) -> None:
        while self.text[self.place : self.place + 1] == " ":
            self.place += 1

    def _next_is(self, mark: str) -> bool:
        after = self.text[self.place :].lstrip(" ")
        if not after.startswith(mark):
            return False
        self._spaces()
        return True

    def _at_end(self) -> bool:
        self._spaces()
        return self.place >= len(self.text)

    def _unexpected(self, wanted: str = "+ and another term") -> NoReturn:
        start = self.place
        if self._at_end():
            self.place = max(start, len(self.text))
            start, problem = self.place, f"The loss ends where {wanted} should follow:"
        else:
            start = self.place
            self.place += 1
            problem = f"In the loss {wanted} should stand here:"
        self._refuse(start, problem, self.about)

    def _refuse(self, start: int, problem: str, hint: str) -> NoReturn:
        refuse(self.text, start, self.place, problem, hint)


def _possible(name: str, options: tuple[Option, ...]) -> str:
    if not options:
        return f"{name} takes no options."
    return f"{name} takes " + "; ".join(f"{o.name}: {o.possible}" for o in options) + "."
