"""The tensors of a checkpoint file, without what training wraps around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.errors import InputError, WeightsError

if TYPE_CHECKING:
    from srqa.models.networks.base import State

_PREFIXES = (
    "module.",  # DataParallel
    "_orig_mod.",  # torch.compile
    "generator_ema.",
    "generator.",
    "netG.",
    "net_g.",
    "model.",
    "network.",
    "net.",
)


def read(path: Path) -> State:
    """The tensors of a user's checkpoint; of a training checkpoint, those of its network.

    Raises:
        InputError: there is no such file.
        WeightsError: it cannot be read, holds no tensors, or asks for more than numbers.
    """
    from srqa import weights

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"The checkpoint {path} {what}.")
    return tensors(weights.read(path))


def tensors(arrays: Mapping[str, Any]) -> State:
    """Arrays as tensors; numbers with a point become float32."""
    import torch

    found = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in found.items()
    }


def variants(state: State) -> Iterator[State]:
    """A checkpoint, and what is left of it behind each prefix that training puts before names.

    >>> [sorted(v) for v in variants({"module.a": 1, "module.b": 2})]
    [['module.a', 'module.b'], ['a', 'b']]
    """
    yield state
    for prefix in _PREFIXES:
        behind = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
        if behind:
            yield from variants(behind)


def check_finite(state: State, what: str) -> None:
    """Refuse a checkpoint whose training went astray.

    Raises:
        WeightsError: a tensor holds NaN or infinity.
    """
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise WeightsError(
                f"{what} holds numbers that are not finite, in {name}.",
                hint="The training that made it went astray, or the file is damaged.",
            )
