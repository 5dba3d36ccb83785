"""The SR zoo: cards, classical methods, networks, and running them on pictures of any size."""

from __future__ import annotations

from srqa.models.cards import Figure, ModelCard, card, cards
from srqa.models.loading import check_scale, load
from srqa.models.upscaler import Upscaler, enlarged

__all__ = [
    "Figure",
    "ModelCard",
    "Upscaler",
    "card",
    "cards",
    "check_scale",
    "enlarged",
    "load",
]
