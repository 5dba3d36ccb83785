"""The Inception network of FID, through torch-fidelity (extra ``srqa[fid]``).

Its trained numbers are those of the original TensorFlow network of 2015, which FID is defined by;
torchvision's Inception gives other values. torch-fidelity's module reproduces that network,
its bilinear enlargement to 299x299 included.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from srqa.errors import MissingPackageError, WeightsError
from srqa.images.arrays import Planes, is_tensor
from srqa.metrics.precision import full_precision
from srqa.metrics.sets import gather

if TYPE_CHECKING:
    import torch

WEIGHTS = "pt_inception-2015-12-05"
PROVIDER = "torch-fidelity"
EXTRA = "fid"
WIDTH = 2048

_loading = threading.Lock()
_loaded: dict[str, Any] = {}


def samples(planes: Planes) -> np.ndarray[Any, Any]:
    """The 2048 features before the classifier for each patch, rounded to 8 bits: (patches, 2048).

    Raises:
        MissingPackageError: torch-fidelity is not installed.
        WeightsError: the trained numbers cannot be had.
    """
    import torch

    device = planes.device if is_tensor(planes) else torch.device("cpu")
    network = _network(device)

    def pooled(batch: torch.Tensor) -> torch.Tensor:
        integers = (batch * 255 + 0.5).floor().clamp(0, 255).to(torch.uint8)
        (found,) = network(integers)
        result: torch.Tensor = found
        return result

    with full_precision(device):
        return gather(planes, pooled, WIDTH)


def _network(device: torch.device) -> Any:
    """The network on a device, loaded once."""
    with _loading:
        if str(device) not in _loaded:
            _loaded[str(device)] = _load().to(device)
        return _loaded[str(device)]


def unload() -> None:
    """Drop the network from memory."""
    with _loading:
        _loaded.clear()


def _load() -> Any:
    """torch-fidelity's module with the trained numbers in it.

    The module unpickles its file without restraint, so it is given one that was read with restraint
    and written anew.
    """
    import torch

    import srqa.weights

    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise MissingPackageError(
            f"FID and KID need the package {PROVIDER}, which is not installed.",
            hint=f"pip install 'srqa[{EXTRA}]'",
        ) from error
    path = srqa.weights.path(WEIGHTS)
    numbers = {name: torch.from_numpy(a) for name, a in srqa.weights.read(path).items()}
    clean = io.BytesIO()
    torch.save(numbers, clean)
    clean.seek(0)
    try:
        return FeatureExtractorInceptionV3(
            "inception-v3-compat", [str(WIDTH)], feature_extractor_weights_path=clean
        )
    except (RuntimeError, KeyError) as error:
        first = str(error).strip().splitlines()[0].rstrip(":.")
        raise WeightsError(f"{path} does not fit {PROVIDER}'s Inception: {first}.") from error
