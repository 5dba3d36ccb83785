"""Landmarks of super-resolution, written from their papers, one module for each.

spandrel has many architectures; these are those that it lacks. Each reads the checkpoints that its
authors, or the makers of the best known port, have published. `DESIGNS` names them all.
"""

from __future__ import annotations

from srqa.models.networks import upconv7
from srqa.models.networks.base import Design, Network, Own

DESIGNS: tuple[Design, ...] = (upconv7.DESIGN,)
"""Our architectures."""

__all__ = ["DESIGNS", "Design", "Network", "Own"]
