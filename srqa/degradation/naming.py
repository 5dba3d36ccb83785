"""Where degraded files go, and into which parts a picture is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from srqa.errors import UsageError
from srqa.images.write import LOSSLESS, LOSSY

Box = tuple[int, int, int, int]
_FIELDS = ("content", "scale", "ext")


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of files, below the folders that the sources lie in.

    Attributes:
        pattern: with the fields ``{content}``, ``{scale}`` and ``{ext}`` (the source's suffix
            without its dot).
        pairs: ``lr/`` and ``hr/`` hold low and high resolution under the same names.
        crop: side of the square parts into which the high resolution is cut; 0 for the whole.
        step: from one part to the next; 0 for no overlap.

    Raises:
        UsageError: a pattern or a number that cannot be used.
    """

    pattern: str = "{content}.png"
    pairs: bool = False
    crop: int = 0
    step: int = 0

    def __post_init__(self) -> None:
        hint = "For instance '{content}x{scale}.png'."
        path = PurePosixPath(self.pattern)
        if path.suffix.lower() not in LOSSLESS | set(LOSSY):
            kinds = " ".join(sorted(LOSSLESS | set(LOSSY)))
            raise UsageError(f"The name '{self.pattern}' must end in one of {kinds}.", hint)
        if path.is_absolute() or ".." in path.parts or "\\" in self.pattern:
            raise UsageError(f"The name '{self.pattern}' must lead into the folder.", hint)
        for field in re.findall(r"\{([^{}]*)\}", self.pattern):
            if field not in _FIELDS:
                raise UsageError(f"The name '{self.pattern}' has an unknown field {field!r}.", hint)
        if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", self.pattern)):
            raise UsageError(f"A brace stands alone in the name '{self.pattern}'.", hint)
        if self.crop < 0 or self.step < 0:
            raise UsageError("The sides of parts are not negative.")
        if (self.crop or self.step) and not self.pairs:
            raise UsageError("Parts are cut for pairs.", "Give --pairs as well.")
        if self.step and not self.crop:
            raise UsageError("A step between parts needs their side.", "Give --crop as well.")

    @property
    def suffix(self) -> str:
        """The suffix of all files, in lower case."""
        return PurePosixPath(self.pattern).suffix.lower()

    def target(self, source: str, scale: float) -> str:
        """The path, in the folder, of what comes of a source: without ``lr/`` and parts."""
        path = PurePosixPath(source)
        fields = {"content": path.stem, "scale": f"{scale:g}", "ext": path.suffix.lstrip(".")}
        name = re.sub(r"\{([^{}]*)\}", lambda found: fields[found[1]], self.pattern)
        return str(path.parent / name)

    def parts(
        self, target: str, low: tuple[int, int], scale: float
    ) -> Iterator[tuple[str, str, Box]]:
        """Names of low and high resolution, and what part of the low resolution they show.

        Parts lie on a grid that begins at the upper left; the last ones move back to end at the
        picture's edge. A picture smaller than a part is one part.
        """
        if not self.pairs:
            yield target, "", (0, 0, *low)
            return
        if self.crop and scale != round(scale):
            raise UsageError("Parts are cut for whole scales.", "Leave --crop out.")
        height, width = (min(self._low(self.crop, scale) or side, side) for side in low)
        step = self._low(self.step, scale) or max(height, width)
        path = PurePosixPath(target)
        places = [
            (y, x) for y in _starts(low[0], height, step) for x in _starts(low[1], width, step)
        ]
        for number, (top, left) in enumerate(places, 1):
            name = path if len(places) == 1 else path.with_stem(f"{path.stem}_s{number:03}")
            yield f"lr/{name}", f"hr/{name.with_suffix(self._lossless)}", (top, left, height, width)

    @property
    def _lossless(self) -> str:
        return self.suffix if self.suffix in LOSSLESS else ".png"

    def _low(self, side: int, scale: float) -> int:
        """A side at low resolution.

        Raises:
            UsageError: it is not whole.
        """
        low = round(side / scale)
        if abs(low * scale - side) > 1e-6:
            raise UsageError(f"Parts of {side} pixels are no multiple of the scale {scale:g}.")
        return low


def _starts(side: int, part: int, step: int) -> list[int]:
    """Where parts begin so that they cover a side."""
    last = side - part
    starts = list(range(0, last + 1, step))
    if starts[-1] != last:
        starts.append(last)
    return starts
