"""Landmarks of super-resolution, written from their papers, one module for each.

spandrel has many architectures; these are those that it lacks. Each reads the checkpoints that its
authors, or the makers of the best known port, have published. `DESIGNS` names them all.
"""

from __future__ import annotations

from srqa.models.networks import (
    carn,
    edsr,
    espcn,
    fsrcnn,
    imdn,
    lapsrn,
    liif,
    srcnn,
    srresnet,
    upconv7,
    vdsr,
)
from srqa.models.networks.base import Design, Network, Own

DESIGNS: tuple[Design, ...] = (
    srcnn.DESIGN,
    vdsr.DESIGN,
    fsrcnn.DESIGN,
    espcn.DESIGN,
    lapsrn.DESIGN,
    edsr.DESIGN,
    carn.DESIGN,
    imdn.DESIGN,
    srresnet.DESIGN,
    srresnet.MODIFIED,
    liif.DESIGN,
    upconv7.DESIGN,
)
"""Our architectures, in the order of their years."""

__all__ = ["DESIGNS", "Design", "Network", "Own"]
