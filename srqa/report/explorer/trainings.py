"""Curves of trainings, read from their logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.training import journal

if TYPE_CHECKING:
    import pandas as pd


def is_training(folder: Path) -> bool:
    """Whether a folder is that of a training, by its log."""
    return (folder / journal.NAME).is_file()


def labels(folders: Sequence[Path]) -> list[str]:
    """Names of trainings: their folders', with the folder above where two are alike."""
    names = [folder.resolve().name for folder in folders]
    return [
        name if names.count(name) == 1 else f"{folder.resolve().parent.name}/{name}"
        for name, folder in zip(names, folders, strict=True)
    ]


def curves(folders: Sequence[Path]) -> pd.DataFrame:
    """What the logs say by now.

    Args:
        folders: of trainings.

    Returns:
        A row a number: training, kind ("loss" or "validation"), name (of the term or metric),
        step, value, and method ("network" or "bicubic", which has step 0).

    Raises:
        InputError: a log cannot be read.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for label, folder in zip(labels(folders), folders, strict=True):
        for record in journal.read(folder):
            rows += [
                {
                    "training": label,
                    "kind": kind,
                    "name": name,
                    "step": record["step"],
                    "value": value,
                    "method": record.get("method", "network"),
                }
                for kind in ("loss", "validation")
                for name, value in record.get(kind, {}).items()
            ]
    columns = ["training", "kind", "name", "step", "value", "method"]
    return pd.DataFrame(rows, columns=columns)


def progress(folders: Sequence[Path]) -> pd.DataFrame:
    """How far each training is: training, step, seconds, rate."""
    import pandas as pd

    rows = []
    for label, folder in zip(labels(folders), folders, strict=True):
        last = next((one for one in reversed(journal.read(folder)) if "seconds" in one), {})
        facts = {name: last.get(name) for name in ("step", "seconds", "rate")}
        rows.append({"training": label} | facts)
    return pd.DataFrame(rows, columns=["training", "step", "seconds", "rate"])
