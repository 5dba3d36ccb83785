"""Parts of results side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.images.read import read
from srqa.report.ratings.style import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 64


def row_of_parts(
    folder: Path,
    contents: Sequence[str],
    methods: Sequence[str],
    title: str,
    subtitle: str,
    columns: int = 7,
) -> Figure:
    """The middle of each content from ``folder/outputs/METHOD``, and from ``folder/hr`` at the end.

    Methods that do not fit into one row go on in the next.
    """
    places = [folder / "outputs" / method for method in methods] + [folder / "hr"]
    names = [*methods, "reference"]
    lines = -(-len(places) // columns)
    figure = canvas(title, subtitle, 1.2 * lines * len(contents))
    grid = figure.subplots(lines * len(contents), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for i, content in enumerate(contents):
        for j, (place, name) in enumerate(zip(places, names, strict=True)):
            axes = grid[i * lines + j // columns, j % columns]
            axes.set_axis_on()
            show_part(axes, read(place / f"{content}.png").pixels, SIDE)
            axes.set_title(name, fontsize=7, loc="center")
    return figure


def show_part(axes: Axes, pixels: Any, side: int, multiple: int = 4) -> None:
    """The square in the middle of a picture, without ticks and frame.

    Args:
        axes: to draw into.
        pixels: of the picture.
        side: of the square.
        multiple: the square begins at a multiple of it.
    """
    top, left = ((length - side) // 2 // multiple * multiple for length in pixels.shape[:2])
    axes.imshow(pixels[top : top + side, left : left + side], interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
