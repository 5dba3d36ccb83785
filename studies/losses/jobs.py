"""The trainings of the study, from train.toml and losses.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from srqa.training import settings
from srqa.training.settings import Settings

BEGIN = Path(__file__).with_name("train.toml")
LOSSES = Path(__file__).with_name("losses.toml")
PLAIN = "l1"
"""With what the others are compared: the same network, trained on with the loss it began with."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss that is put to the test: its name in tables and folders, and its text."""

    name: str
    text: str


def losses() -> tuple[Loss, ...]:
    """All that are studied, the plain one first."""
    document = tomllib.loads(LOSSES.read_text(encoding="utf-8"))
    return tuple(Loss(**entry) for entry in document["loss"])


def beginning(pictures: tuple[str, ...], steps: int | None = None) -> Settings:
    """The training that comes before all others."""
    made = settings.made(settings.read(BEGIN) | {"hr": pictures})
    return replace(made, steps=steps) if steps else made


def continued(
    begun: Settings, network: Path, chosen: tuple[Loss, ...], steps: int | None = None
) -> Mapping[str, Settings]:
    """A training a loss, which goes on from a network.

    All are alike but for the loss: steps, rate, and the patches themselves.
    """
    document = tomllib.loads(LOSSES.read_text(encoding="utf-8"))
    shared = replace(
        begun,
        steps=steps or document["steps"],
        rate=document["rate"],
        seed=begun.seed + 1,
        start=str(network),
    )
    return {loss.name: replace(shared, loss=loss.text) for loss in chosen}
