"""The ways to ask: what is shown, what may be answered, and under which name it is analysed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from srqa.ratings.answers import ACR5, COMPARISON, CONTINUOUS, RatingScale

MethodName = Literal["acr", "acr_hr", "dcr", "ccr", "slider", "pair", "pair_tie"]
Kind = Literal["categories", "slider", "choice"]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to ask.

    Attributes:
        name: in a study's definition.
        kind: categories, a slider, or a choice between two pictures.
        shows: "one" picture, one with its "reference", or "two" pictures.
        analysis: the method of `srqa.ratings.analyze`.
        labels: table of words in a language file.
        points: categories, where the definition does not say.
        seconds: to look and answer, as published studies report.
        needs_reference: whether it works with references only.
    """

    name: MethodName
    kind: Kind
    shows: Literal["one", "reference", "two"]
    analysis: Literal["acr", "acr-hr", "ccr", "pair"]
    labels: str
    points: int
    seconds: float
    needs_reference: bool = False

    def values(self, points: int | None = None) -> tuple[float, ...] | tuple[str, ...]:
        """What may be answered, from low to high; the ends of a slider.

        Example:
            >>> METHODS["ccr"].values()
            (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
        """
        if self.kind == "choice":
            return ("left", "tie", "right") if self.name == "pair_tie" else ("left", "right")
        if self.kind == "slider":
            return (0.0, 100.0)
        scale = self.rating_scale(points)
        return tuple(float(scale.low + k) for k in range(round(scale.high - scale.low) + 1))

    def rating_scale(self, points: int | None = None) -> RatingScale:
        """The numbers that are stored."""
        if self.kind == "slider":
            return CONTINUOUS
        if self.name == "ccr":
            return COMPARISON
        number = points if self.name in ("acr", "acr_hr") and points else self.points
        if number == 11:
            return RatingScale(0, 10)
        return ACR5 if number == 5 else RatingScale(1, number)


METHODS: dict[MethodName, Method] = {
    method.name: method
    for method in (
        Method("acr", "categories", "one", "acr", "acr", 5, 6),
        Method("acr_hr", "categories", "one", "acr-hr", "acr", 5, 6, needs_reference=True),
        Method("dcr", "categories", "reference", "acr", "dcr", 5, 8, needs_reference=True),
        Method("ccr", "categories", "two", "ccr", "ccr", 7, 8, needs_reference=True),
        Method("slider", "slider", "one", "acr", "slider", 0, 8),
        Method("pair", "choice", "two", "pair", "choice", 2, 5),
        Method("pair_tie", "choice", "two", "pair", "choice", 3, 5),
    )
}
