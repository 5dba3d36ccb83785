"""The tables of the study, from the files that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import tables
from ..trainings import METHOD
from .jobs import NORMALISED, PLAIN, kind_of
from .measuring import CONTRASTS, Contrast, Cost, Flat, mean_of


def scores(folder: Path) -> str:
    """Markdown: interpolation and both blocks, means over contents and seeds.

    Args:
        folder: with scores.csv.

    Raises:
        InputError: it cannot be read.
    """
    rows = tables.read(folder / "scores.csv", tables.Difference)
    words = {METHOD: "bicubic interpolation", PLAIN: "without", NORMALISED: "with"}
    return tables.markdown(rows, words, PLAIN)


def measured(folder: Path) -> str:
    """Markdown: what steps cost, low contrast and plain colours, a column a block.

    Args:
        folder: with costs.csv, contrasts.csv and flats.csv.

    Raises:
        InputError: one of them cannot be read.
    """
    costs = tables.read(folder / "costs.csv", Cost)
    contrasts = tables.read(folder / "contrasts.csv", Contrast)
    flats = tables.read(folder / "flats.csv", Flat)
    rows = [
        _row("trained numbers", costs, "parameters", digits=0),
        _row("kept for the way back, MB a step", costs, "kept", 1e6, 1),
        _row("seconds of one core a step", costs, "seconds", digits=3),
    ]
    for contrast in CONTRASTS:
        mine = [one for one in contrasts if one.contrast == contrast]
        rows.append(_row(f"PSNR at contrast {contrast:g}, errors divided by it", mine, "psnr"))
    rows += [
        _row("plain colours: off by, levels", flats, "off"),
        _row("plain colours: pattern, levels", flats, "pattern"),
        _row("plain colours: worst pixel, levels", flats, "worst"),
    ]
    return "\n".join(["| | without | with |", "|---|---|---|", *rows]) + "\n"


def _row(said: str, rows: Sequence[Any], field: str, unit: float = 1, digits: int = 2) -> str:
    """Means over seeds."""
    cells = []
    for kind in (PLAIN, NORMALISED):
        mine = [one for one in rows if kind_of(one.name) == kind]
        cells.append(f"{mean_of(mine, field) / unit:.{digits}f}")
    return f"| {said} | {' | '.join(cells)} |"
