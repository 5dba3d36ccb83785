"""How figures look: for print on white paper, in colours that the colour-blind tell apart."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.errors import MissingPackageError
from srqa.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, FAINT = "#1a1a1a", "#6b6b6b", "#dcdcdc"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#5B5B5B")
"""Okabe and Ito's, without the yellow that white paper swallows."""
BLUE, ORANGE = COLOURS[0], COLOURS[1]
WIDTH = 7.1
"""Inches: two columns of a paper."""
PNG_DPI = 220
_RULES: Any = {
    "font.family": ["DejaVu Sans", "Noto Sans CJK SC", "Microsoft YaHei", "Arial Unicode MS"],
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "srqa",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib set up for srqa's figures, and as it was afterwards.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingPackageError(
            "Figures need matplotlib, which is not installed.",
            hint="pip install 'srqa[plots]'",
        ) from error
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    fonts.setLevel(logging.CRITICAL)  # of the fallback fonts some are never there
    try:
        with mpl.rc_context(_RULES), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            yield
    finally:
        fonts.setLevel(level)


def canvas(title: str, subtitle: str, height: float, width: float = WIDTH) -> Figure:
    """An empty figure with room for its two lines of heading."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    body = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - 0.5 / (height + 0.5)))
    figure = Figure(figsize=(width, height + 0.5), layout=body)
    top = height + 0.5
    figure.text(0.012, 1 - 0.08 / top, title, fontsize=9.5, fontweight="bold", va="top")
    figure.text(0.012, 1 - 0.26 / top, subtitle, fontsize=7.5, color=SOFT, va="top")
    return figure


def light_grid(axes: Axes, axis: str) -> None:
    """Faint lines across the axis that is read off, and no line along the other."""
    axes.grid(axis=axis, color=FAINT, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as SVG and PNG, each whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    written = []
    for suffix, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": PNG_DPI})):
        path = folder / f"{name}.{suffix}"
        with replacing(path) as temporary:
            figure.savefig(temporary, format=suffix, **options)
        written.append(path)
    return written


def shortened(name: str, most: int = 34) -> str:
    """A name that fits beside a plot; the middle is left out, for names differ at their ends."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[-(most - 1 - head) :]}"
