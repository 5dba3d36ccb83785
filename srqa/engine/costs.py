"""What models cost: rows of the table `models`, from what was counted and what was measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from srqa.engine.results import ModelRow
from srqa.files import write_text
from srqa.models.cards import card
from srqa.models.cost import Cost, count
from srqa.models.folders import Upscaled

_FILE = ".cost.json"
_VERSION = 1


def model_row(name: str, scale: float, made: Upscaled, weights: Path | None) -> ModelRow:
    """The cost of a model that has just run.

    Args:
        name: the model's.
        scale: at which it ran.
        made: its outputs; what was counted is kept beside them and not counted again.
        weights: the user's own checkpoint, if it is one.
    """
    facts = {"version": _VERSION, "weights": made.settings["weights"], "scale": scale}
    cost = _known(made.folder / _FILE, facts)
    if cost is None:
        cost = _counted(name, scale, weights)
        document = facts | {"cost": asdict(cost)}
        write_text(made.folder / _FILE, json.dumps(document) + "\n")
    times = 8 if made.settings["ensemble"] else 1
    rows = [row for row in made.rows if not row.problem]
    measured = max((row.peak_memory for row in rows), default=0)
    largest = max((_at_once(row.input_size, row.tile) for row in rows), default=0)
    return ModelRow(
        method=name,
        scale=scale,
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds_hd(scale) * times,
        seconds_a_megapixel=made.seconds_a_megapixel,
        memory=measured or int(cost.memory * largest) + 4 * cost.parameters,
        memory_how="measured" if measured else "counted",
        pictures=len(rows),
        megapixels=sum(w * h for w, h in (row.output_size for row in rows)) / 1e6,
        device=made.device,
        dtype=rows[0].dtype if rows else "float32",
        weights=",".join(made.settings["weights"].values()),
        licence="" if weights else card(name).weights_licence,
    )


def _known(path: Path, facts: dict[str, Any]) -> Cost | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        cost = Cost(**document.pop("cost"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return cost if document == json.loads(json.dumps(facts)) else None


def _counted(name: str, scale: float, weights: Path | None) -> Cost:
    from srqa.models.upscaling import chosen_model

    upscaler, _ = chosen_model("" if weights else name, scale=scale, weights=weights)
    return count(upscaler, scale)


def _at_once(size: tuple[int, int], tile: int | None) -> int:
    """Pixels of the input that went through together."""
    width, height = size
    return width * height if tile is None else min(width, tile) * min(height, tile)
