"""The tensors in what `torch.save` wrote, without running anything of it.

That may be a table of tensors, a training checkpoint around one, or a whole network pickled as an
object, as was usual before 2019. A network's classes are not at hand and are not wanted: inert
objects stand in their place, and the tensors are taken out of what these hold.
"""

from __future__ import annotations

import io
import pickle
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import WeightsError
from srqa.weights.tensors import Arrays
from srqa.weights.torchscript import is_script, read_script

if TYPE_CHECKING:
    from torch import Tensor

_WRAPPERS = (
    *("params_ema", "params-ema", "model_ema", "ema_model", "ema", "g_ema"),
    *("params", "state_dict", "model_state_dict", "weights"),
    *("generator", "netG", "net_g", "model", "net", "network", "sd"),
)
"""Under what a training checkpoint keeps its network, the averaged one before the last one."""
_NO_NETWORK = ("optim", "sched", "discriminator", "netd", "net_d")
_PLAIN = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "slice"),
    ("builtins", "complex"),
    ("torch", "Size"),
    ("torch", "device"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
}
"""What is really called; all else is inert or refused."""
_SETTINGS = {"argparse", "pathlib", "datetime", "enum", "types", "functools", "collections"}
"""Modules of Python's own whose objects stand in training checkpoints; they become inert."""
_REFUSED = set(sys.stdlib_module_names) - _SETTINGS - {"__main__"}


class _Inert:
    """Stands for an object whose class is not wanted; keeps its state and does nothing."""

    dump_patches = False
    state: object = None

    def __new__(cls, *_: object, **__: object) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        """Take no notice of a member of a list."""

    def extend(self, values: object) -> None:
        """Take no notice of members of a list."""


class _Unpickler(pickle.Unpickler):
    """Builds tensors and plain containers; inert objects for what else a checkpoint names."""

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins"}.get(module, module)
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        top = module.partition(".")[0]
        if top == "torch" and "." not in name and isinstance(_attribute(module, name), _dtypes()):
            return _attribute(module, name)
        if top in _REFUSED or top == "numpy":
            if (module, name) in _numpy():
                return _numpy()[module, name]
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is not allowed")
        return _Inert


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None) if module == "torch" else None


def _dtypes() -> tuple[type, ...]:
    import torch

    return (torch.dtype, torch.layout, torch.memory_format)


def _numpy() -> dict[tuple[str, str], Any]:
    """What numbers of numpy, such as a best score, are made of."""
    from numpy._core import multiarray

    parts = {"_reconstruct": multiarray._reconstruct, "scalar": multiarray.scalar}
    homes = ("numpy.core.multiarray", "numpy._core.multiarray")
    table = {(home, name): part for home in homes for name, part in parts.items()}
    return table | {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _bytes,
    }


def _bytes(text: str, _encoding: str = "latin1") -> bytes:
    """Bytes as Python 3 writes them into pickles for Python 2."""
    return text.encode("latin1")


class _Pickle:
    """The two names of the module `pickle` that torch reads with."""

    Unpickler = _Unpickler

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        """The next object of a file."""
        return _Unpickler(file, **options).load()


def read_torch(data: bytes) -> Arrays:
    """The tensors of what `torch.save` wrote, out of the wrapper that authors put around them.

    Of a network that was pickled whole, and of a TorchScript archive, the tensors are read by their
    names in the network, and nothing is run.

    Raises:
        WeightsError: it is no such file, or asks for more than tensors.
    """
    if is_script(data):
        return read_script(data)
    import torch

    try:
        try:
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch says that it cannot compare source code
                found = torch.load(
                    io.BytesIO(data), map_location="cpu", weights_only=False, pickle_module=_Pickle
                )
    except Exception as error:  # whatever a file that is none makes of the reader
        first = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        if "weights_only" in str(error):  # torch would tell the user to switch the check off
            first = "it asks for more than tensors, which is not allowed, or is damaged"
        raise WeightsError(f"The torch file cannot be read: {first.rstrip('.')}.") from error
    tensors = _table(found)
    if not tensors:
        raise WeightsError("The torch file holds no table of tensors.")
    return {
        name: np.asarray((t.float() if t.dtype == torch.bfloat16 else t).numpy(), order="C")
        for name, t in tensors.items()
    }


def _table(found: object) -> dict[str, Tensor]:
    """The tensors of a network, wherever in a checkpoint they are; {} if it holds none."""
    import torch

    if isinstance(found, _Inert):
        return dict(_of_module(found, ""))
    if not isinstance(found, Mapping):
        return {}
    direct = {str(k): v.detach() for k, v in found.items() if isinstance(v, torch.Tensor)}
    if direct:
        return direct
    for wrapper in _WRAPPERS:
        if inner := _table(found.get(wrapper)):
            return inner
    others = [_table(v) for k, v in found.items() if not str(k).lower().startswith(_NO_NETWORK)]
    return max(others, key=len, default={})


def _of_module(module: _Inert, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a pickled network, named as in its state dict."""
    import torch

    state = module.state
    if not isinstance(state, Mapping):
        return
    for kind in ("_parameters", "_buffers"):
        for name, value in (state.get(kind) or {}).items():
            if isinstance(value, torch.Tensor):
                yield f"{prefix}{name}", value.detach()
    for name, member in (state.get("_modules") or {}).items():
        if isinstance(member, _Inert):
            yield from _of_module(member, f"{prefix}{name}.")
