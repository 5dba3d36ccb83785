"""The picture viewer in plain JavaScript: for reports, for raters and for the explorer.

- `pixels.js`: loading pictures, their differences, error maps.
- `surface.js`: a canvas with one sample for each pixel of the screen.
- `stage.js`, `stage.css`: pictures as raters see them, exact, on grey: alone, side by side, in one
  place one at a time, or parted by a handle; synchronised zoom and pan; the proof of exactness.
- `viewer.js`, `viewer.css`: any number of panes with error maps, for reports and the explorer.

There is no build step. A page includes the files as they are; a Streamlit component takes one
module that is joined from them:

>>> from srqa import viewer
>>> "export default" in viewer.module([])
False
>>> "srqaStage" in viewer.scripts("surface", "stage")
True
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

_STRICT = '"use strict";'


def scripts(*names: str) -> str:
    """The viewer's scripts of these names, joined: "surface" before "stage" and "viewer"."""
    return "\n".join(_read(f"{name}.js") for name in names)


def styles(*names: str) -> str:
    """The viewer's style sheets of these names, joined."""
    return "\n".join(_read(f"{name}.css") for name in names)


def module(paths: Iterable[Path], *names: str) -> str:
    """One ES module: the viewer's scripts of these names, then the files that build on them.

    Args:
        paths: scripts in the order in which they need each other; the last may `export`.
        names: of the viewer's own scripts, before all others.
    """
    parts = [scripts(*names), *(path.read_text(encoding="utf-8") for path in paths)]
    return "\n".join(part.replace(_STRICT, "") for part in parts)


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
