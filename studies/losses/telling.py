"""The table of the study, from the files that it wrote."""

from __future__ import annotations

from pathlib import Path

from .. import tables
from ..trainings import METHOD
from .jobs import PLAIN, losses
from .spectra import Slope


def table(folder: Path) -> str:
    """Markdown: a row a loss; scores beside those of the plain one, and how steep gradients are.

    Args:
        folder: with losses.csv and gradients.csv.

    Raises:
        InputError: one of them cannot be read.
    """
    rows = tables.read(folder / "losses.csv", tables.Difference)
    slopes = tables.read(folder / "gradients.csv", Slope)
    words = {METHOD: "bicubic interpolation"} | {loss.name: f"`{loss.text}`" for loss in losses()}
    steep = {slope.method: f"{slope.ratio:.3f}" for slope in slopes}
    return tables.markdown(rows, words, PLAIN, {"gradients": steep})
