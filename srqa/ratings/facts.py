"""What a table of answers says about its stimuli, agreed upon by all rows."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import InputError
from srqa.ratings.answers import NONE, Codes, Floats, Stimulus, shortened

if TYPE_CHECKING:
    import pandas as pd

FACTS = ("dataset", "content", "scale", "method", "reference")
FACTS_OF_PAIRS = ("dataset", "content", "scale")
"""In a row with a choice, these hold for both pictures; so does `reference`, but for itself."""


def stimuli_of(
    frame: pd.DataFrame,
    table: dict[str, pd.Series[str]],
    scale: Floats,
    is_choice: pd.Series[bool],
    known: Collection[str] | None,
) -> tuple[tuple[Stimulus, ...], tuple[Codes, Codes, Codes]]:
    """Stimuli with their facts, and codes of the columns stimulus, left and right."""
    import pandas as pd

    rated = ~is_choice
    name = table["stimulus"].where(rated, "")
    unnamed = rated & (name == "")
    if unnamed.any():
        name = name.where(~unnamed, _made_names(table, scale))
        if (rated & (name == "")).any():
            row = int(np.flatnonzero(rated & (name == ""))[0])
            raise InputError(f"Row {row + 1} names no stimulus.")
    columns = (name, table["left"], table["right"])
    codes, names = pd.factorize(pd.concat(columns, ignore_index=True))
    listed = np.array([n == "" for n in names])
    renumbered = (np.cumsum(~listed) - 1).astype(np.int32)
    renumbered[listed] = NONE
    coded = np.split(renumbered[codes], 3)
    kept = [str(n) for n in names if n != ""]
    unknown = [] if known is None else sorted(set(kept) - set(known))
    if unknown:
        raise InputError(f"Stimuli that the study does not have: {shortened(unknown)}.")
    facts: dict[str, list[Any]] = {}
    for fact in FACTS:
        column = pd.Series(scale, index=frame.index) if fact == "scale" else table[fact]
        if fact in FACTS_OF_PAIRS:
            who = np.concatenate([coded[0], *(np.where(rated, NONE, c) for c in coded[1:])])
            column = pd.concat([column] * 3, ignore_index=True)
        elif fact == "reference":
            who, column = _references(column, coded, rated, kept)
        else:
            who = coded[0]
        facts[fact] = _fact_of_each(fact, column, who, kept)
    stimuli = tuple(Stimulus(n, *(facts[fact][j] for fact in FACTS)) for j, n in enumerate(kept))
    return tuple(map(_with_method, stimuli)), (coded[0], coded[1], coded[2])


def _references(
    column: pd.Series[Any], coded: list[Codes], rated: pd.Series[bool], names: list[str]
) -> tuple[Codes, pd.Series[Any]]:
    """References by stimulus. In a row with a choice, it is that of both pictures but itself."""
    import pandas as pd

    listed = np.array([*names, ""], dtype=object)
    sides = [np.where(rated | (listed[c] == column), NONE, c) for c in coded[1:]]
    return np.concatenate([coded[0], *sides]), pd.concat([column] * 3, ignore_index=True)


def _with_method(stimulus: Stimulus) -> Stimulus:
    """The method of a picture that only stands in pairs, from a name like "content/method"."""
    parts = (stimulus.dataset, stimulus.content, f"x{stimulus.scale:g}" if stimulus.scale else "")
    head = "/".join(filter(None, parts)) + "/"
    if stimulus.method or not stimulus.content or not stimulus.name.startswith(head):
        return stimulus
    return replace(stimulus, method=stimulus.name.removeprefix(head))


def _made_names(table: dict[str, pd.Series[str]], scale: Floats) -> pd.Series[str]:
    import pandas as pd

    scales = ["" if math.isnan(s) else f"x{s:g}" for s in scale]
    parts = [table["dataset"], table["content"], scales, table["method"]]
    joined = ["/".join(filter(None, row)) for row in zip(*parts, strict=True)]
    return pd.Series(joined, index=table["stimulus"].index, dtype="str")


def _fact_of_each(
    fact: str, column: pd.Series[Any], stimulus: Codes, names: list[str]
) -> list[Any]:
    """The one value of a fact that all rows of a stimulus agree on."""
    import pandas as pd

    rated = stimulus != NONE
    pairs = pd.DataFrame({"stimulus": stimulus[rated], "fact": column.to_numpy()[rated]})
    pairs = pairs[pairs["fact"].notna() & (pairs["fact"] != "")].drop_duplicates()
    twice = pairs["stimulus"].duplicated()
    if twice.any():
        code = int(pairs["stimulus"][twice].iloc[0])
        given = [str(v) for v in pairs["fact"][pairs["stimulus"] == code]]
        raise InputError(
            f"The {fact} of the stimulus {names[code]!r} is given as {' and as '.join(given[:2])}."
        )
    found: list[Any] = [None if fact == "scale" else ""] * len(names)
    for code, value in zip(pairs["stimulus"], pairs["fact"], strict=True):
        found[code] = float(value) if fact == "scale" else str(value)
    return found
