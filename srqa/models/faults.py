"""What goes wrong when models run, told apart and put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srqa.errors import InputError, UsageError
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from torch import Tensor


class FailedOutputError(InputError):
    """A model's output is no picture: NaN, infinite, or black."""


def fault(given: Tensor, made: Tensor) -> str:
    """What is wrong with an output, or an empty text."""
    if not bool(made.isfinite().all()):
        return "values that are no numbers (NaN or infinite)"
    dark = made.flatten(1).amax(1) <= 0
    bright = given.flatten(1).float().mean(1) > 0.05
    return "a black picture" if bool((dark & bright).any()) else ""


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on a card or on the machine."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def said_by(upscaler: Upscaler, error: Exception) -> Exception:
    """A model's error in one sentence that names it."""
    if isinstance(error, InputError | UsageError):
        return error
    lines = str(error).strip().splitlines()
    return InputError(
        f"{upscaler.name} fails: {type(error).__name__}: {lines[0] if lines else ''}".rstrip(".: ")
        + "."
    )
