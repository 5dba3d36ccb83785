"""Metrics that were learned from human scores out of other metrics, under the names ``fused:FILE``.

A file (`srqa correlate --fuse`) holds for each of its metrics a piecewise linear curve; the fused
value is the sum of the curves at the metrics' values.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srqa.errors import InputError, UsageError
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec

FORM = 1
"""Of the file."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one metric adds.

    Attributes:
        metric: its name.
        sign: 1 if higher is better; the curve is over sign times value.
        signature: under which it was computed when this was learned, or ''.
        knots, values: of the curve; it goes on as a line beyond its ends.
    """

    metric: str
    sign: int
    signature: str
    knots: tuple[float, ...]
    values: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """What a value of the metric adds to the fused value."""
        x, k = self.sign * value, self.knots
        i = next((j for j in range(1, len(k) - 1) if x <= k[j]), len(k) - 1)
        slope = (self.values[i] - self.values[i - 1]) / (k[i] - k[i - 1])
        return self.values[i - 1] + slope * (x - k[i - 1])


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a fused value is made.

    Attributes:
        how: "ridge" or "monotone".
        base: what is added to the parts.
        parts: the metrics.
        higher_is_better: of the fused value.

    Example:
        >>> part = Part("psnr-y", 1, "", (20.0, 30.0), (0.0, 2.0))
        >>> Recipe("ridge", 1.0, (part,), True)([25.0])
        2.0
    """

    how: str
    base: float
    parts: tuple[Part, ...]
    higher_is_better: bool

    def __call__(self, values: list[float]) -> float:
        """The fused value of the metrics' values, in the order of `parts`."""
        return self.base + math.fsum(p(v) for p, v in zip(self.parts, values, strict=True))

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "form": FORM, "how": self.how, "base": self.base,
            "higher_is_better": self.higher_is_better,
            "parts": [
                {"metric": p.metric, "sign": p.sign, "signature": p.signature,
                 "knots": list(p.knots), "values": list(p.values)} for p in self.parts
            ],
        }  # fmt: skip


def read(path: Path | str) -> tuple[Recipe, dict[str, Any], str]:
    """A file's recipe, its card, and the first digits of its sha256.

    Raises:
        UsageError: there is no such file.
        InputError: it cannot be read, or is no fused metric.
    """
    path = Path(path)
    if path.suffix != ".json" or not path.is_file():
        raise UsageError(
            f"There is no file {path} of a fused metric.",
            hint="Name a file that `srqa correlate --fuse` wrote, such as fused:humans/fused.json.",
        )
    try:
        data = path.read_bytes()
        record = json.loads(data)
        if record["form"] != FORM:
            raise InputError(f"{path} is of form {record['form']}; this srqa reads {FORM}.")
        parts = tuple(
            Part(str(p["metric"]), 1 if p["sign"] > 0 else -1, str(p["signature"]),
                 _column(p["knots"]), _column(p["values"])) for p in record["parts"]
        )  # fmt: skip
        recipe = Recipe(str(record["how"]), float(record["base"]), parts,
                        bool(record["higher_is_better"]))  # fmt: skip
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"The fused metric {path} cannot be read: {reason}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no fused metric of srqa.", hint="`srqa correlate --fuse LIST` makes one."
        ) from error
    rising = all(all(b > a for a, b in zip(p.knots, p.knots[1:], strict=False)) for p in parts)
    fits = all(len(p.knots) == len(p.values) >= 2 for p in parts)
    if not parts or not fits or not rising or not math.isfinite(recipe.base):
        raise InputError(f"{path} is damaged: its curves are no curves.")
    return recipe, dict(record.get("card") or {}), hashlib.sha256(data).hexdigest()[:12]


def _column(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(v) for v in values)
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number is not finite")
    return numbers


def spec(path: str) -> MetricSpec:
    """What srqa knows of a fused metric: its `parts` are computed, `function` takes their values.

    Raises:
        InputError: the file is no fused metric.
        UsageError: there is no such file, or it is made of a metric that is not here, or of one
            that no picture has.
    """
    recipe, card, digits = read(path)
    parts = tuple(registry.get(part.metric) for part in recipe.parts)
    unfit = next((p for p in parts if p.level == "set" or p.parts), None)
    if unfit is not None:
        raise UsageError(f"{path} cannot be computed: {unfit.name} has no value of a picture.")
    kinds = {p.kind for p in parts}
    names = ", ".join(p.name for p in parts)
    worth = (
        f"SROCC {card['srocc']:.3f} with {card.get('unit', 'human scores')} on held-out contents "
        f"({card['n']} pictures, {card['contents']} contents)"
        if {"srocc", "n", "contents"} <= set(card)
        else "of unknown worth"
    )
    return MetricSpec(
        name=registry.FUSED + Path(path).stem, function=_function(recipe),
        summary=f"learned out of {names}",
        kind="fr" if "fr" in kinds else "lr" if "lr" in kinds else "nr",
        crop="none", higher_is_better=recipe.higher_is_better, batchable=False,
        differentiable=False, parts=tuple(p.name for p in parts),
        settings=f"{recipe.how} of {names}; file {digits}",
        paper="learned by `srqa correlate --fuse`",
        guidance=f"Learned from one study: {worth}. It is known to work on pictures like those.",
    )  # fmt: skip


def _function(recipe: Recipe) -> Callable[..., float]:
    def compute(*values: float) -> float:
        return recipe(list(values))

    return compute
