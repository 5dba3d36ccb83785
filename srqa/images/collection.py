"""What collecting pictures finds, for all who use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Item:
    """One output with what it is compared with.

    Attributes:
        dataset: name of the dataset, empty if there is none.
        content: what the picture shows; the same for all methods.
        scale: factor of super-resolution, None if nothing tells.
        method: what made the output.
        image: the output's file.
        reference: the reference's file, None without references.
        lr: the low-resolution input's file, None if not given or not found.
        name: the output's path as tables show it, relative to the given folder; where several are
            given, it starts with the folder's name.
        reference_name: the reference's path relative to the references, or an empty string.
    """

    dataset: str
    content: str
    scale: float | None
    method: str
    image: Path
    reference: Path | None
    lr: Path | None = None
    name: str = ""
    reference_name: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A picture without a partner: `side` says which kind of picture it is."""

    side: Literal["output", "reference"]
    dataset: str
    method: str
    name: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleUsed:
    """How the outputs of one method and dataset were paired; `example` is (output, reference)."""

    method: str
    dataset: str
    rule: str
    pairs: int
    example: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Collection:
    """The pictures found: sorted by dataset, scale, content and method.

    Methods come in the order of the folders that were given, then by name.
    """

    items: tuple[Item, ...]
    missing: tuple[Missing, ...] = ()
    rules: tuple[RuleUsed, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets, sorted."""
        return tuple(sorted({item.dataset for item in self.items}))

    @property
    def scales(self) -> tuple[float | None, ...]:
        """Scales, None (unknown) first, then by size."""
        return tuple(sorted({item.scale for item in self.items}, key=scale_order))


def scale_order(scale: float | None) -> float:
    """For sorting: unknown scales first."""
    return -1.0 if scale is None else scale


def some(names: Sequence[str]) -> str:
    """The first of many names, for messages."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
