"""The trained network as a file of its own, and its card."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srqa import __version__
from srqa.errors import InputError
from srqa.files import replacing, write_text
from srqa.training.journal import Record
from srqa.training.pictures import Data
from srqa.training.settings import Settings
from srqa.training.state import State, guarded


@dataclass(frozen=True, slots=True)
class Kept:
    """A trained network on disk.

    Attributes:
        network: `.safetensors`, which `srqa upscale --weights` runs.
        card: what it is, as JSON beside it.
        facts: what the card says.
    """

    network: Path
    card: Path
    facts: dict[str, Any]


def path(folder: Path, settings: Settings) -> Path:
    """Where a training keeps its network; the name tells the scale, as some weights do not."""
    return folder / f"{settings.model}-x{settings.scale}.safetensors"


def keep(folder: Path, now: State, data: Data, scores: list[Record]) -> Kept:
    """Write the network and its card.

    Args:
        folder: of the training.
        now: the training as it is.
        data: that it is trained on.
        scores: records with validation.

    Raises:
        OutputError: they cannot be written.
    """
    from safetensors.torch import save

    place = path(folder, now.settings)
    tensors = {k: v.detach().cpu().contiguous() for k, v in now.mean.state_dict().items()}
    with replacing(place) as temporary:
        guarded(lambda: temporary.write_bytes(save(tensors)), place)
    facts = _facts(now, data, scores)
    card = place.with_suffix(".json")
    write_text(card, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return Kept(place, card, facts)


def _facts(now: State, data: Data, scores: list[Record]) -> dict[str, Any]:
    import numpy as np
    import torch

    settings = now.settings.describe()
    bicubic = next((one for one in scores if one.get("method") == "bicubic"), None)
    last = next((one for one in reversed(scores) if "method" not in one), None)
    validated = {
        "pictures": [picture.name for picture in data.validation],
        "step": last["step"] if last else None,
        "network": last["validation"] if last else None,
        "bicubic": bicubic["validation"] if bicubic else None,
    }
    return {
        "model": now.settings.model,
        "scale": now.settings.scale,
        "parameters": sum(p.numel() for p in now.network.parameters()),
        "steps": now.steps,
        "seconds": round(now.seconds, 1),
        "loss": now.objective.text,
        "seed": now.settings.seed,
        "data": {
            "pictures": len(data.training),
            "megapixels": round(data.megapixels, 2),
            "sha256": data.sha256,
            "degradation": now.settings.degradation,
        },
        "validation": validated,
        "settings": settings,
        "versions": {
            "srqa": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def read(file: Path) -> dict[str, Any]:
    """What a card says.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(f"{file} is no card of a network.") from error
    return found
