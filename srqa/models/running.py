"""Running an upscaler on pictures of any size: padding, tiles, precision, memory.

All that a model asks for (sides that are multiples of its window, three channels or one) and all
that a machine allows (so much memory, so much precision) is settled here. The result comes in bands
of rows from the top, so that no picture is too large to be written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from srqa.errors import InputError, UsageError
from srqa.memory import free
from srqa.models import planes
from srqa.models.faults import FailedOutputError, fault, out_of_memory, said_by
from srqa.models.settings import SMALLEST_TILE, Settings, check, first_dtype
from srqa.models.tiles import Cutting, Span, cut, grid_step, ramp
from srqa.models.upscaler import Upscaler, enlarged

if TYPE_CHECKING:
    from torch import Tensor

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]
"""Called with the number of tiles that are done and the number of all."""
T = TypeVar("T")

LARGEST_TILE = 512
"""Of a tile that is chosen here; larger ones are no faster and show no progress."""
_SMALL_PICTURE = 64 * 64
"""Pixels that are taken to fit without counting what a model needs."""
_SPARE = {"cpu": 2.5, "cuda": 1.4}
"""Memory that is taken for each byte of tensors: convolutions have workspaces of their own."""
_OVERLAP = 32
"""Around tiles of models that look at all of the picture."""


class _TooLargeError(Exception):
    """The tiles were too large for the memory."""


class _HalfFailedError(Exception):
    """Half precision gave no picture."""


class Enlarger:
    """An upscaler that is ready for pictures of any size.

    Attributes:
        upscaler, settings: as given.
        outscale: the factor of the result.
        notes: what users should know about the results, each sentence once.

    Raises:
        UsageError: the model cannot what the settings ask for.

    Example:
        >>> import numpy as np
        >>> from srqa.models.classical import METHODS
        >>> twice = Enlarger(METHODS["bicubic"](), Settings(scale=2))
        >>> twice(np.zeros((5, 6, 3), np.uint8)).shape
        (10, 12, 3)
    """

    def __init__(self, upscaler: Upscaler, settings: Settings) -> None:
        check(upscaler, settings)
        self.upscaler, self.settings = upscaler, settings
        self.outscale = settings.outscale or settings.scale
        self.notes: list[str] = []
        self.seconds = 0.0
        self._step = grid_step(upscaler.multiple, settings.scale, self.outscale)
        self._limit: int | None = None
        self._batch = settings.batch or (1 if settings.device == "cpu" else 4)
        self._dtype = first_dtype(upscaler, settings)
        self._memory_a_pixel: float | None = None
        self._warm = upscaler.module is None
        if upscaler.module is not None:
            upscaler.module.to(settings.device).eval()

    @property
    def dtype(self) -> str:
        """In what the network computes by now: float32, float16 or bfloat16."""
        return self._dtype

    def __call__(
        self, pixels: Array, alpha: Array | None = None, progress: Progress | None = None
    ) -> Array:
        """Enlarge a picture that fits into memory.

        Args:
            pixels: (h, w) or (h, w, 3); uint8, uint16, or float in [0, 1].
            alpha: (h, w) of the same dtype, enlarged by bicubic interpolation.
            progress: called after each tile.

        Returns:
            (H, W) or (H, W, C) of the same dtype; alpha is the last channel.

        Raises:
            FailedOutputError: the model gave no picture.
            InputError: the picture does not fit into memory even in small tiles.
        """
        made = self.through(lambda bands: np.concatenate(list(bands)), pixels, alpha, progress)
        return made[..., 0] if pixels.ndim == 2 and alpha is None else made

    def through(
        self,
        use: Callable[[Iterator[Array]], T],
        pixels: Array,
        alpha: Array | None = None,
        progress: Progress | None = None,
    ) -> T:
        """Enlarge a picture and hand it on band by band.

        Args:
            use: takes the bands, (rows, W, C) of the picture's dtype from the top. It is called
                again, with all bands anew, if tiles turn out too large or half precision fails.
            pixels, alpha, progress: as for a call.

        Returns:
            What `use` returns.
        """
        if min(pixels.shape[:2]) < 1:
            raise InputError("The picture has no pixels.")
        while True:
            cutting, fade = self._cutting(*pixels.shape[:2])
            try:
                return use(self._bands(pixels, alpha, cutting, fade, progress))
            except _TooLargeError as error:
                self._smaller(pixels.shape[:2], cutting, error)
            except _HalfFailedError:
                self._note(
                    f"{self.upscaler.name} gives no picture in {self._dtype}, so float32 is used."
                )
                self._dtype = "float32"

    def tile_for(self, height: int, width: int) -> int | None:
        """The side of the tiles for a picture of this size, None where it stays whole."""
        tile = self.settings.tile
        if tile == "auto":
            tile = self._fitting(height, width)
        if self._limit is not None:
            tile = min(tile or self._limit, self._limit)
        return tile if tile is not None and max(height, width) > tile else None

    def _cutting(self, height: int, width: int) -> tuple[Cutting, bool]:
        tile, halo = self.tile_for(height, width), self.upscaler.halo
        if tile is None:
            return cut(height, width, None, halo=0), False
        if self._step is None:
            raise InputError(
                f"At the scale {self.outscale:g} a picture of {width}x{height} cannot be cut into "
                "tiles, and it does not fit into memory whole.",
                "A scale such as 2.5 or 3.37 can be cut.",
            )
        overlap = self.settings.overlap
        whole = halo is not None and (overlap is None or overlap >= halo)
        if halo is None:
            self._note(
                f"{self.upscaler.name} looks at all of a picture at once: in tiles, its result is "
                "only near to that of the whole, and neighbours are faded into each other."
            )
        elif not whole:
            self._note(
                f"The overlap of {overlap} is below the {halo} pixels on which an output of "
                f"{self.upscaler.name} depends: neighbours are faded into each other."
            )
        elif self.upscaler.inexact:
            whole = False
            self._note(
                f"In tiles, {self.upscaler.name} is only near to its result on the whole picture: "
                f"{self.upscaler.inexact}"
            )
        reach = overlap if overlap is not None else halo if halo is not None else _OVERLAP
        reach = max(reach, planes.REACH) + self._resizing_reach()
        tile = max(tile, 2 * self._step)
        return cut(height, width, tile, halo=reach, step=self._step, fade=not whole), not whole

    def _resizing_reach(self) -> int:
        if self.outscale == self.settings.scale:
            return 0
        return math.ceil(2 / min(self.outscale, self.settings.scale)) + 1

    def _fitting(self, height: int, width: int) -> int | None:
        """The largest tile that the free memory allows, None where all of the picture fits."""
        pixels = height * width
        local = self.upscaler.halo is not None and self._step is not None
        if pixels <= _SMALL_PICTURE:
            return None
        if self._memory_a_pixel is None:
            self._memory_a_pixel = self._counted()
        allowed = self.settings.memory or free(self.settings.device) // 2
        fit = allowed / max(self._memory_a_pixel * self._batch, 1)
        if local:
            halo = (self.upscaler.halo or 0) + planes.REACH
            # Surroundings are computed too: beside a large halo small tiles would be a waste.
            largest = max(LARGEST_TILE, 4 * halo)
            if pixels <= min(fit, (1.5 * largest) ** 2):
                return None
            return max(SMALLEST_TILE, min(largest, int(math.sqrt(fit)) - 2 * halo))
        return None if pixels <= fit else max(SMALLEST_TILE, int(math.sqrt(fit)) - 4 * _OVERLAP)

    def _counted(self) -> float:
        """Bytes that a pixel of the input takes while it goes through the model."""
        from srqa.models.cost import count

        kind = self.settings.device.partition(":")[0]
        canvas = 16 * self.outscale**2
        try:
            memory = count(self.upscaler, self.settings.scale, self.settings.device).memory
        except Exception as error:
            if out_of_memory(error):
                return 1e9
            raise said_by(self.upscaler, error) from error
        return memory * _SPARE[kind] + canvas

    def _smaller(self, size: tuple[int, ...], cutting: Cutting, error: Exception) -> None:
        """Try tiles of half the size, or fewer at a time."""
        _empty_cache(self.settings.device)
        if self._batch > 1:
            self._batch //= 2
            return
        rows, columns = cutting.rows[0], cutting.columns[0]
        side = max(rows.last - rows.first, columns.last - columns.first)
        tile = min(max(size), self.tile_for(size[0], size[1]) or side) // 2
        if tile < max(SMALLEST_TILE, self.upscaler.multiple):
            raise InputError(
                f"The picture of {size[1]}x{size[0]} pixels is too large for the memory of "
                f"{self.settings.device}, even in tiles of {2 * tile}.",
                "Free some memory, or choose a smaller model.",
            ) from error
        self._limit = tile
        self._note(f"Memory ran out: tiles of {tile} pixels are used.")

    def _bands(
        self,
        pixels: Array,
        alpha: Array | None,
        cutting: Cutting,
        fade: bool,
        progress: Progress | None,
    ) -> Iterator[Array]:
        done, carry = 0, None
        width = enlarged(pixels.shape[1], self.outscale)
        channels = (1 if pixels.ndim == 2 else 3) + (alpha is not None)
        kind = np.dtype(np.float32) if fade else pixels.dtype
        for row in cutting.rows:
            canvas = np.zeros((_long(row, self.outscale), width, channels), kind)
            for column, tile in self._row(pixels, alpha, row, cutting.columns):
                left = enlarged(column.start, self.outscale)
                place = canvas[:, left : left + tile.shape[1]]
                if fade:
                    place += tile * ramp(column, self.outscale)[None, :, None]
                else:
                    place[:] = planes.stored(tile, pixels.dtype)
                done += 1
                if progress:
                    progress(done, cutting.count)
            if fade:
                canvas *= ramp(row, self.outscale)[:, None, None]
                if carry is not None:
                    canvas[: len(carry)] += carry
                shared = replace(row, start=row.stop - row.fade_out)
                ready = len(canvas) - _long(shared, self.outscale)
                canvas, carry = canvas[:ready], canvas[ready:]
            yield planes.stored(canvas, pixels.dtype) if fade else canvas

    def _row(
        self, pixels: Array, alpha: Array | None, row: Span, columns: tuple[Span, ...]
    ) -> Iterator[tuple[Span, Array]]:
        """The enlarged tiles of a row, those of equal size computed together."""
        import torch

        from srqa.metrics.precision import full_precision

        waiting: list[Span] = []
        device = torch.device(self.settings.device)
        for at, column in enumerate(columns):
            waiting.append(column)
            following = columns[at + 1] if at + 1 < len(columns) else None
            alike = following is not None and _wide(following) == _wide(column)
            if alike and len(waiting) < self._batch:
                continue
            parts = [planes.cut_out(pixels, alpha, row, each) for each in waiting]
            with torch.inference_mode(), full_precision(device):
                made = self._enlarge(torch.cat(parts).to(device), pixels.ndim == 2)
            for each, tile in zip(waiting, made, strict=True):
                yield each, _cropped(tile, row, each, self.outscale)
            waiting.clear()

    def _enlarge(self, parts: Tensor, grey: bool) -> Array:
        """A batch (N, C, h, w), alpha included, as (N, H, W, C) in float32."""
        import time

        self._warm_up()
        begun = time.perf_counter()
        try:
            given, beside = planes.split(parts, grey, self.upscaler.channels)
            made = self._modelled(given)
            made = planes.join(made, beside, grey, self.upscaler.channels, self.outscale)
            result: Array = made.clamp(0, 1).movedim(1, -1).cpu().numpy()
        except Exception as error:
            if out_of_memory(error):
                raise _TooLargeError(str(error)) from error
            if isinstance(error, InputError | UsageError | _HalfFailedError):
                raise
            raise said_by(self.upscaler, error) from error
        self.seconds += time.perf_counter() - begun
        return result

    def _warm_up(self) -> None:
        """One pass of a tiny picture, so that what libraries do once does not count as time."""
        import torch

        if self._warm:
            return
        self._warm = True
        side = max(self.upscaler.min_side, 8)
        side += -side % self.upscaler.multiple
        tiny = torch.zeros(1, self.upscaler.channels or 3, side, side, device=self.settings.device)
        with suppress(Exception):  # what is wrong will show on the picture itself
            self.upscaler.run(tiny, self.settings.scale)

    def _modelled(self, given: Tensor) -> Tensor:
        height, width = given.shape[-2:]
        scale = self.settings.scale
        padded = planes.padded(given, self.upscaler.multiple, self.upscaler.min_side)
        made = self._mean_of_turns(padded) if self.settings.ensemble else self._run(padded)
        sides = tuple(enlarged(side, scale) for side in padded.shape[-2:])
        if tuple(made.shape[-2:]) != sides or made.shape[:2] != given.shape[:2]:
            raise InputError(
                f"{self.upscaler.name} makes {tuple(made.shape[1:])} of {tuple(padded.shape[1:])}, "
                f"which is no enlargement by {scale:g}.",
                "The weights may be of another scale: see --scale.",
            )
        made = made[..., : enlarged(height, scale), : enlarged(width, scale)]
        if self.outscale == scale:
            return made
        size = (enlarged(height, self.outscale), enlarged(width, self.outscale))
        return planes.resized(made, self.outscale / scale, size)

    def _mean_of_turns(self, given: Tensor) -> Tensor:
        total: Any = 0.0
        for turn in range(8):
            turned = given.rot90(turn % 4, (-2, -1))
            turned = turned.flip(-1) if turn > 3 else turned
            made = self._run(turned.contiguous())
            made = made.flip(-1) if turn > 3 else made
            total = total + made.rot90(-turn % 4, (-2, -1))
        mean: Tensor = total / 8
        return mean

    def _run(self, given: Tensor) -> Tensor:
        import torch

        half = self._dtype != "float32"
        kind = getattr(torch, self._dtype)
        with torch.autocast(given.device.type, dtype=kind if half else None, enabled=half):
            made = self.upscaler.run(given, self.settings.scale).float()
        wrong = fault(given, made)
        if wrong and half:
            raise _HalfFailedError
        if wrong:
            raise FailedOutputError(
                f"{self.upscaler.name} gives {wrong}; nothing is written.",
                "Its weights are damaged, or not those of this architecture.",
            )
        return made

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def _cropped(tile: Array, row: Span, column: Span, scale: float) -> Array:
    def own(span: Span) -> slice:
        first = enlarged(span.first, scale)
        return slice(enlarged(span.start, scale) - first, enlarged(span.stop, scale) - first)

    return tile[own(row), own(column)]


def _long(span: Span, scale: float) -> int:
    """Pixels of the result that a span makes."""
    return enlarged(span.stop, scale) - enlarged(span.start, scale)


def _wide(span: Span) -> int:
    return span.last - span.first


def _empty_cache(device: str) -> None:
    import gc

    import torch

    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()
