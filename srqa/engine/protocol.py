"""Protocols: how stored pixels become the planes that a metric sees. Applied once, here."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from srqa.errors import MismatchError, UsageError
from srqa.images import colour
from srqa.images.read import Picture
from srqa.metrics import features
from srqa.metrics.spec import MetricSpec

Mismatch = Literal["error", "modcrop", "crop"]
Channel = tuple[str, bool]
_SAMPLES = re.compile(r"set of \d+ patches")


@dataclass(frozen=True, slots=True)
class Protocol:
    """A named way to compare pictures.

    Attributes:
        name: what users type.
        version: raised when any number under this protocol changes.
        depth: 8 rounds every picture to 8 bits a sample, "stored" compares what the files hold.
        y_rounded: whether Y is rounded to integers of 0..255, as MATLAB does for 8-bit input.
        crop: "scale" cuts as many pixels from each side as the scale says, a number that many.
        crop_all: the border is cut for every metric, not for the fidelity family alone.
        modcrop: the reference's bottom and right are cut to a multiple of this: "scale", a number,
            or 0 for not at all.
        description: where it is used.
    """

    name: str
    version: int = 1
    depth: Literal[8, "stored"] = 8
    y_rounded: bool = False
    crop: Literal["scale"] | int = "scale"
    crop_all: bool = False
    modcrop: Literal["scale"] | int = 0
    description: str = ""

    def crop_for(self, spec: MetricSpec, scale: float | None) -> int:
        """Pixels cut from each side before `spec` sees the picture."""
        if spec.kind == "lr" or (spec.crop == "none" and not self.crop_all):
            return 0
        if self.crop == "scale":
            return math.ceil(scale) if scale else 0
        return self.crop

    def channel(self, spec: MetricSpec) -> Channel:
        """Which planes `spec` sees: their kind, and whether they are rounded to integers."""
        rounded = spec.rounding == "uint8" or self.y_rounded
        return spec.input, rounded and spec.input != "rgb"

    def multiple(self, scale: float | None) -> int:
        """What the reference's sides are cut to a multiple of; 1 cuts nothing."""
        if self.modcrop == "scale":
            return int(scale) if scale and float(scale).is_integer() else 1
        return max(self.modcrop, 1)

    def describe(self) -> dict[str, Any]:
        """The protocol as plain values, for a manifest."""
        return asdict(self)


PROTOCOLS: tuple[Protocol, ...] = (
    Protocol(
        "sr",
        description="Super-resolution papers since EDSR (BasicSR, SwinIR, HAT): 8-bit pictures, Y "
        "not rounded, a border of the scale cut for the fidelity family; learned and no-reference "
        "metrics see the whole picture.",
    ),
    Protocol(
        "matlab",
        y_rounded=True,
        modcrop="scale",
        description="The MATLAB scripts of SRCNN, VDSR and their time: as sr, but Y is rounded and "
        "the reference is cut to a multiple of the scale.",
    ),
    Protocol(
        "pirm",
        y_rounded=True,
        crop=4,
        crop_all=True,
        description="The PIRM 2018 challenge: rounded Y, 4 pixels cut from each side for all "
        "metrics, no-reference ones too.",
    ),
    Protocol(
        "ntire",
        crop=4,
        modcrop=4,
        description="The NTIRE 2025 and 2026 challenges: sides cut to a multiple of 4; PSNR and "
        "SSIM with 4 pixels cut from each side, the rest on the whole RGB picture.",
    ),
    Protocol(
        "real",
        depth="stored",
        crop=0,
        description="Real-world super-resolution: nothing is cut; 16-bit files are compared at 16 "
        "bits.",
    ),
)


def get_protocol(name: str) -> Protocol:
    """A protocol by its name, or a user's own from a TOML file.

    The file's keys are the fields of `Protocol`; ``base`` names the protocol that it starts from.

    Raises:
        UsageError: no such protocol, or a file that does not say one.
    """
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    if name in known:
        return known[name]
    if name.endswith(".toml"):
        return _from_file(Path(name), known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    raise UsageError(
        f"There is no protocol {name!r}.",
        hint=(f"Did you mean {near[0]}? " if near else "")
        + f"Known are {', '.join(known)}; a file NAME.toml defines your own.",
    )


def at_depth(protocol: str | Protocol, depth: Literal[8, 16] | None) -> Protocol:
    """A protocol, by its name if need be, with pixels rounded to 8 bits or compared as stored."""
    chosen = get_protocol(protocol) if isinstance(protocol, str) else protocol
    return chosen if depth is None else replace(chosen, depth=8 if depth == 8 else "stored")


def _from_file(path: Path, known: dict[str, Protocol]) -> Protocol:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The protocol file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The protocol file {path} is not valid TOML: {error}.") from error
    base_name = table.pop("base", "sr")
    if base_name not in known:
        raise UsageError(f"{path}: base is {base_name!r}, which is none of {', '.join(known)}.")
    problem = next(_complaints(table), None)
    if problem:
        raise UsageError(f"{path}: {problem}.", hint="`srqa protocols show sr` prints an example.")
    base = asdict(known[base_name]) | {"name": path.stem, "description": f"From {path.name}."}
    protocol = Protocol(**(base | table))
    if protocol.name in known:
        raise UsageError(f"{path}: the name {protocol.name!r} is taken by srqa's own protocol.")
    return protocol


def _complaints(table: dict[str, Any]) -> Iterator[str]:
    valid = {f.name for f in fields(Protocol)}

    def whole(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    checks: dict[str, tuple[Any, str]] = {
        "name": (lambda v: isinstance(v, str) and v, "a name"),
        "description": (lambda v: isinstance(v, str), "a text"),
        "version": (whole, "a whole number"),
        "depth": (lambda v: v in (8, "stored") and v is not True, '8 or "stored"'),
        "y_rounded": (lambda v: isinstance(v, bool), "true or false"),
        "crop_all": (lambda v: isinstance(v, bool), "true or false"),
        "crop": (lambda v: v == "scale" or whole(v), '"scale" or a number of pixels'),
        "modcrop": (lambda v: v == "scale" or whole(v), '"scale" or a number of pixels'),
    }
    for key, value in table.items():
        if key not in valid:
            near = difflib.get_close_matches(key, valid, n=1)
            yield f"unknown key {key!r}" + (f" (did you mean {near[0]}?)" if near else "")
        elif not checks[key][0](value):
            yield f"{key} is {value!r}, but should be {checks[key][1]}"


def signature(
    spec: MetricSpec,
    protocol: Protocol,
    scale: float | None,
    srqa_version: str,
    choices: Sequence[str] = (),
    samples: int = 0,
) -> str:
    """All that must be quoted with a number, in one line.

    Args:
        spec: the metric.
        protocol: how pixels became planes.
        scale: which decides the border, if known.
        srqa_version: major and minor are shown.
        choices: whatever else was chosen against the defaults, for instance ``"alpha white"``.
        samples: how many patches a metric of level "set" compared.

    Example: ``psnr-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | mean of images``.
    """
    parts = [spec.name if spec.version == 1 else f"{spec.name} v{spec.version}"]
    parts.append("srqa " + ".".join(srqa_version.split(".")[:2]))
    if spec.provider:
        parts.append(f"{spec.provider} {_provider_version(spec.provider)}")
    parts.append(protocol.name if protocol.version == 1 else f"{protocol.name} v{protocol.version}")
    rounded = spec.rounding == "uint8" or protocol.y_rounded
    channel = {
        "rgb": "RGB",
        "y": "Y:bt601 rounded" if rounded else "Y:bt601 float",
        "gray": "gray rounded" if rounded else "gray float",
    }
    parts.append(channel[spec.input])
    if protocol.depth != 8:
        parts.append(f"depth {protocol.depth}")
    crop = protocol.crop_for(spec, scale)
    unknown = protocol.crop == "scale" and not scale and spec.crop == "protocol"
    parts.append(
        f"crop {crop} (scale unknown)" if unknown and spec.kind == "fr" else f"crop {crop}"
    )
    if protocol.modcrop:
        parts.append(f"modcrop {protocol.modcrop}")
    of_set = f"set of {samples} patches" if samples else "set of patches"
    parts += [*choices, of_set if spec.level == "set" else "mean of images"]
    return " | ".join(parts)


def definition(text: str) -> str:
    """A signature without the version of srqa: what must agree for two numbers to be comparable.

    How many patches a set has is no part of it either: see `strict_definition`.
    """
    return strict_definition(_SAMPLES.sub("set of patches", text))


def strict_definition(text: str) -> str:
    """The same with the number of patches, on which the bias of a Fréchet distance depends."""
    return " | ".join(part for part in text.split(" | ") if not part.startswith("srqa "))


def _provider_version(provider: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(provider)
    except PackageNotFoundError:
        return "?"


def fit(
    distorted: Picture,
    reference: Picture,
    protocol: Protocol,
    scale: float | None,
    mismatch: Mismatch,
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Pixels of both pictures, cut so that their sizes agree. Nothing is ever resized.

    Raises:
        MismatchError: the sizes differ and `mismatch` does not allow for it.
    """
    multiple = protocol.multiple(scale)
    a, b = distorted.pixels, modcrop(reference.pixels, multiple)
    if a.shape[:2] != b.shape[:2] and multiple > 1:
        a = modcrop(a, multiple)
    if a.shape[:2] == b.shape[:2]:
        return a, b
    sizes = (
        f"The output is {distorted.width}x{distorted.height} and the reference "
        f"{reference.width}x{reference.height}"
    )
    if mismatch == "modcrop":
        step = int(scale) if scale and float(scale).is_integer() else 0
        if step < 2:
            raise MismatchError(
                f"{sizes}; --on-mismatch modcrop needs a whole scale of at least 2.",
                hint="Give --scale N.",
            )
        a, b = modcrop(a, step), modcrop(b, step)
        if a.shape[:2] == b.shape[:2]:
            return a, b
        raise MismatchError(f"{sizes}, which cutting to a multiple of {step} does not mend.")
    if mismatch == "crop":
        height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
        return a[:height, :width], b[:height, :width]
    raise MismatchError(f"{sizes}.", hint=_mismatch_hint(distorted, reference, scale))


_LEAST_SCALE = 1.25
"""Pictures whose sizes are nearer to each other are hardly an input and its enlargement."""


def _mismatch_hint(distorted: Picture, reference: Picture, scale: float | None) -> str:
    down, across = reference.height - distorted.height, reference.width - distorted.width
    if scale and 0 <= down < scale and 0 <= across < scale:
        return (
            "The reference was not cut to a multiple of the scale: --on-mismatch modcrop does it."
        )
    ratio = reference.width / distorted.width
    alike = ratio == reference.height / distorted.height
    if alike and ratio >= _LEAST_SCALE:
        return f"The output looks like the low-resolution input ({ratio:g} times smaller)."
    if alike and ratio <= 1 / _LEAST_SCALE:
        return f"The reference is {1 / ratio:g} times smaller: is it the low-resolution input?"
    return "--on-mismatch crop compares the common top left part."


def modcrop(pixels: np.ndarray[Any, Any], multiple: int) -> np.ndarray[Any, Any]:
    """Cut the bottom and the right so that both sides are multiples of `multiple`."""
    height, width = pixels.shape[:2]
    return pixels[: height - height % multiple, : width - width % multiple]


def quantise(pixels: np.ndarray[Any, Any], depth: Literal[8, "stored"]) -> np.ndarray[Any, Any]:
    """Pixels at the protocol's depth: clamped and rounded half up to 8 bits, or as stored."""
    if depth == "stored" or pixels.dtype == np.uint8:
        return pixels
    unit = pixels / np.float64(65535) if pixels.dtype == np.uint16 else pixels.astype(np.float64)
    return np.floor(np.clip(unit, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def same_type(
    a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Both pictures in the wider of their types, so that equal values give equal planes."""
    if a.dtype == b.dtype:
        return a, b
    if a.dtype.kind == b.dtype.kind == "u":
        wide = [p.astype(np.uint16) * 257 if p.dtype == np.uint8 else p for p in (a, b)]
    else:
        wide = [p / np.float32(np.iinfo(p.dtype).max) if p.dtype.kind == "u" else p for p in (a, b)]
    return wide[0], wide[1]


class Prepared:
    """One picture's pixels under a protocol, handing out planes; each channel is made once.

    The same question gets the same object, which nobody changes: networks know it again.
    """

    def __init__(self, pixels: np.ndarray[Any, Any], protocol: Protocol) -> None:
        self.pixels = np.ascontiguousarray(quantise(pixels, protocol.depth))
        self._protocol = protocol
        self._planes: dict[Channel, np.ndarray[Any, Any]] = {}
        self._cut: dict[tuple[str, bool, int], np.ndarray[Any, Any]] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, before any border is cut."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def planes(self, spec: MetricSpec, crop: int) -> np.ndarray[Any, Any]:
        """Float32 planes (C, H, W) for `spec`, `crop` pixels cut from each side."""
        key = self._protocol.channel(spec)
        if key not in self._planes:
            self._planes[key] = self._make(*key)
        if (*key, crop) not in self._cut:
            whole = self._planes[key]
            cut = whole[:, crop : whole.shape[1] - crop, crop : whole.shape[2] - crop]
            self._cut[*key, crop] = cut
            features.share(cut)
        return self._cut[*key, crop]

    def release(self, channel: Channel) -> None:
        """Let the planes of a channel go: they take four times the room of 8-bit pixels."""
        self._planes.pop(channel, None)
        self._cut = {key: cut for key, cut in self._cut.items() if key[:2] != channel}

    def _make(self, channel: str, rounded: bool) -> np.ndarray[Any, Any]:
        if channel == "y" and self.pixels.dtype != np.float32:
            return colour.luma_of_bytes(self.pixels, rounded)
        if channel == "gray" and rounded and self.pixels.dtype != np.float32:
            grey = self.pixels.ndim == 2
            samples = self.pixels[None] if grey else self.pixels.transpose(2, 0, 1)
            integers: np.ndarray[Any, Any] = colour.rounded_plane(samples, "gray")
            return integers
        rgb = to_planes(self.pixels)
        if channel == "rgb":
            return rgb
        made: np.ndarray[Any, Any]
        if channel == "y":
            made = colour.luma(rgb, rounded)
            return made
        made = colour.gray(rgb)
        return np.floor(made * 255 + 0.5).astype(np.float32) / 255 if rounded else made


def to_planes(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(H, W[, 3]) samples of any depth as float32 planes (3, H, W) in [0, 1]; grey is R = G = B."""
    peak = float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else 1.0
    planes = np.empty((3, *pixels.shape[:2]), np.float32)
    for channel in range(3):
        source = pixels if pixels.ndim == 2 else pixels[..., channel]
        np.divide(source, np.float32(peak), out=planes[channel], dtype=np.float32)
    return planes
