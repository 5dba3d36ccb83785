"""Networks that judge a picture without a reference: CLIP-IQA and ARNIQA.

The networks are those of piq (CLIP) and torchvision (ResNet-50), filled with numbers that
`srqa.weights` has checked. They run on the whole picture in float32, channels last, without
autocast and without TF32, and are differentiable with respect to the picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from srqa.errors import WeightsError
from srqa.images.arrays import Planes, Value, as_batch, unbatch
from srqa.metrics import features, networks

if TYPE_CHECKING:
    import torch

CLIP_WEIGHTS = ("clip-rn50",)
ARNIQA_WEIGHTS = ("arniqa", "arniqa-koniq10k")
CLIP_MIN_SIDE = 31
"""Five halvings, the first of which rounds up, leave one sample."""
ARNIQA_MIN_SIDE = 64
"""The half-size picture then still fills one sample of the encoder, whose stride is 32."""

PROMPTS = {
    "Good photo.": (49406, 886, 1125, 269, 49407),
    "Bad photo.": (49406, 2103, 1125, 269, 49407),
}
"""CLIP-IQA's two prompts as numbers of CLIP's vocabulary: start, words, full stop, end."""

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
_KONIQ = (1.0, 100.0)
_WIDTH = 2 * 2048


class _Clip(NamedTuple):
    """CLIP's half for pictures, and the unit vectors of the prompts times the logit scale."""

    visual: Any
    anchors: torch.Tensor


class _Arniqa(NamedTuple):
    """The encoder up to the mean over the map, and the linear regressor on two such means."""

    encoder: Any
    weight: torch.Tensor
    bias: torch.Tensor


_loading = threading.Lock()
_loaded: dict[tuple[str, str], Any] = {}


def unload() -> None:
    """Drop the networks from memory."""
    with _loading:
        _loaded.clear()


def clip_iqa(picture: Planes) -> Value:
    """CLIP-IQA of Wang, Chan and Loy 2023: whether "Good photo." fits better than "Bad photo.".

    Args:
        picture: planes (3, H, W) or a tensor (N, 3, H, W) in [0, 1].

    Returns:
        The probability of the good prompt, 0 to 1: softmax of the scaled cosines between the
        picture's vector, made by CLIP's ResNet-50 without positional embedding at the picture's own
        size, and those of the prompts.

    Raises:
        WeightsError: CLIP's numbers cannot be had.
    """
    with features.running(picture):
        x = _batch(picture)
        clip = _network("clip", x.device, _load_clip)
        mean, deviation = (x.new_tensor(v)[:, None, None] for v in (_CLIP_MEAN, _CLIP_DEVIATION))
        vector = clip.visual(_channels_last((x - mean) / deviation), pos_embedding=False)
        cosines = vector / vector.norm(dim=-1, keepdim=True) @ clip.anchors.T
        return unbatch(cosines.softmax(-1)[:, 0], picture)


def arniqa(picture: Planes) -> Value:
    """ARNIQA of Agnolucci et al. 2024 with the regressor of KonIQ-10k.

    Args:
        picture: planes (3, H, W) or a tensor (N, 3, H, W) in [0, 1].

    Returns:
        The opinion score that the regressor expects, from 1..100 brought to 0..1 and not cut there.
        It takes the unit vectors of the encoder's means over the picture and over its half size.

    Raises:
        WeightsError: its numbers cannot be had.
    """
    import torch
    import torch.nn.functional as F

    with features.running(picture):
        x = _batch(picture)
        model = _network("arniqa", x.device, _load_arniqa)
        half = (max(x.shape[-2] // 2, 1), max(x.shape[-1] // 2, 1))
        small = F.interpolate(x, half, mode="bilinear", align_corners=False, antialias=True)
        vectors = [
            F.normalize(model.encoder(networks.normalised(part)).flatten(1), dim=1)
            for part in (x, small)
        ]
        opinion = F.linear(torch.cat(vectors, 1), model.weight, model.bias)[:, 0]
        low, high = _KONIQ
        return unbatch((opinion - low) / (high - low), picture)


def _batch(picture: Planes) -> torch.Tensor:
    x = as_batch(picture).float()
    return x if x.shape[1] == 3 else x.expand(-1, 3, -1, -1)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    import torch

    return x.contiguous(memory_format=torch.channels_last)


def _network(name: str, device: Any, load: Callable[[], Any]) -> Any:
    """A network on a device, made once."""
    import torch

    key = (name, str(device))
    with _loading:
        if key not in _loaded:
            # Its numbers must serve gradients later, and need none themselves.
            with torch.inference_mode(False), torch.no_grad():
                _loaded[key] = type(made := load())(*(_placed(part, device) for part in made))
        return _loaded[key]


def _placed(part: Any, device: Any) -> Any:
    import torch

    if isinstance(part, torch.nn.Module):
        part = part.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    return part.to(device)


def _tensors(weights: str) -> dict[str, torch.Tensor]:
    import torch

    import srqa.weights

    arrays = srqa.weights.read(srqa.weights.path(weights))
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _load_clip() -> _Clip:
    """CLIP as piq builds it, without its half for text once that has read the prompts."""
    import torch
    from piq.feature_extractors import clip

    try:
        model = clip.build_model(_tensors("clip-rn50")).float()
        tokens = torch.zeros(len(PROMPTS), model.context_length, dtype=torch.long)
        for row, numbers in zip(tokens, PROMPTS.values(), strict=True):
            row[: len(numbers)] = torch.tensor(numbers)
        anchors = model.encode_text(tokens)
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise _unfit("clip-rn50", error) from error
    unit = anchors / anchors.norm(dim=-1, keepdim=True)
    return _Clip(model.visual, unit * model.logit_scale.exp())


def _load_arniqa() -> _Arniqa:
    """torchvision's ResNet-50 without its last layer, and the regressor."""
    import torch
    import torchvision

    state = _tensors("arniqa")
    numbers = {
        name.removeprefix("model."): value
        for name, value in state.items()
        if not name.startswith("projector.")
    }
    try:
        encoder = torch.nn.Sequential(*list(torchvision.models.resnet50().children())[:-1])
        encoder.load_state_dict(numbers)
        regressor = _tensors("arniqa-koniq10k")
        weight, bias = regressor["weights"].reshape(1, _WIDTH), regressor["biases"].reshape(1)
    except (KeyError, RuntimeError) as error:
        raise _unfit("arniqa", error) from error
    return _Arniqa(encoder, weight.float(), bias.float())


def _unfit(weights: str, error: Exception) -> WeightsError:
    first = str(error).strip().splitlines()[0].rstrip(".:") or type(error).__name__
    return WeightsError(f"The weights {weights} do not fit their network: {first}.")
