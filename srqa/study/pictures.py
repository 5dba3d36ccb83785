"""Which pictures a study has: found by its definition, cut, and made canonical sRGB PNGs.

The PNGs carry neither ICC nor gamma chunks, so that every browser shows the same samples.
"""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from srqa.errors import InputError, MismatchError, ReadError
from srqa.images.collection import Item
from srqa.images.read import DecodePolicy, decode, read_bytes
from srqa.study.definition import Crop, Definition

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Top, left, height, width."""
Role = Literal["test", "reference", "gold", "training"]
SPOILT = 8
"""Gold pictures are references shrunk and enlarged again by this."""


@dataclass(frozen=True, slots=True)
class Source:
    """A picture before it is prepared.

    Attributes:
        path: of the file.
        relative: its path below the root, as the definition names it.
        dataset, content, scale, method: what it is.
        role: "test", "reference", "training" (shown in training only), or "gold".
    """

    path: Path
    relative: str
    dataset: str
    content: str
    scale: float | None
    method: str
    role: Role

    @property
    def name(self) -> str:
        """Content, scale and method, as the table of answers names it."""
        scale = "" if self.scale is None else f"x{self.scale:g}"
        return "/".join(filter(None, (self.dataset, self.content, scale, self.method)))

    @property
    def group(self) -> tuple[str, str]:
        """Pictures of one group show the same."""
        return self.dataset, self.content


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture as it is shown.

    Attributes:
        source: where it comes from; the content names the tile, too.
        png: the file that browsers get.
        sha256, source_sha256: of that file, and of the original.
        width, height: in pixels.
        crop: what was cut out, None for the whole.
        notes: what a researcher should know.
    """

    source: Source
    png: bytes
    sha256: str
    source_sha256: str
    width: int
    height: int
    crop: Box | None
    notes: tuple[str, ...] = ()


def find(definition: Definition, folder: Path, data: Path) -> list[Source]:
    """The pictures of a study, sorted by name.

    Args:
        definition: the study.
        folder: where its definition stands.
        data: where pictures that srqa makes itself lie (`builtin:demo/...`).

    Raises:
        InputError: folders or pictures are missing, or no picture is left of the choice.
        PairingError: references and outputs cannot be paired.
    """
    from srqa.images.layout import collect

    wanted = definition.stimuli
    root = _folder(wanted.root, folder, data)
    reference = wanted.reference
    outside = _folder(reference.root, folder, data) if reference and reference.root else None
    collection = collect(
        [root],
        outside,
        layout=wanted.pattern,
        reference_layout=reference.pattern if reference else None,
        on_missing="skip",
    )
    items = [item for item in collection.items if item.reference != item.image]
    references: dict[tuple[str, str], Source] = {}
    if reference and reference.method:
        for item in items:
            if item.method == reference.method:
                made = _source(item, root, "reference")
                references[made.group] = replace(made, scale=None)
        items = [item for item in items if item.method != reference.method]
        if not references:
            methods = ", ".join(sorted({item.method for item in items}))
            raise InputError(
                f"No picture below {wanted.root} is of the reference method "
                f"{reference.method!r}; there are {methods}."
            )
    elif outside is not None:
        for item in items:
            if item.reference is not None:
                made = _source(item, root, "test")
                references[made.group] = replace(
                    made,
                    path=item.reference,
                    relative=item.reference_name,
                    method="reference",
                    role="reference",
                    scale=None,
                )
    special = _special(definition)
    kept = [
        _source(item, root, "test" if chosen else "training")
        for item in items
        if (chosen := _is_chosen(item, definition)) or _relative(item, root) in special
    ]
    tests = [source for source in kept if source.role == "test"]
    if not tests:
        raise InputError(
            f"No picture below {wanted.root} is left by `include` and `exclude`.",
            hint=f"Found were the methods {', '.join(sorted({i.method for i in items})) or '-'}.",
        )
    _need_references(tests, references, definition)
    _need_special(special, kept, references)
    used = {source.group for source in kept}
    named = {s.relative for s in references.values()} & special
    kept += [s for g, s in references.items() if g in used or s.relative in named]
    if definition.checks.gold and (definition.is_paired or not definition.checks.gold_stimuli):
        kept += _spoilt(references, tests)
    return sorted(kept, key=lambda s: (s.name, s.role))


def prepare(
    sources: Sequence[Source],
    definition: Definition,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prepared]:
    """Read, cut and encode all pictures.

    Raises:
        ReadError: a file cannot be read.
        MismatchError: pictures of one content differ in size, or are smaller than the crop.
    """
    crop = definition.stimuli.crop
    groups: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in sources:
        groups[source.group].append(source)
    found: list[Prepared] = []
    done = 0
    for group in groups.values():
        read = []
        for source in group:
            read.append(load(source))
            done += 1
            if progress:
                progress(done, len(sources))
        boxes = _boxes(group, [pixels for pixels, _, _ in read], crop, definition)
        for source, (pixels, sha256, notes) in zip(group, read, strict=True):
            for number, box in enumerate(boxes):
                found.append(_made(source, pixels, sha256, notes, box, crop, number))
    return found


def load(source: Source) -> tuple[Pixels, str, tuple[str, ...]]:
    """Pixels (H, W, 3) uint8, the file's hash, and notes.

    Raises:
        ReadError: the file cannot be read.
    """
    data = read_bytes(source.path)
    notes: list[str] = []
    profile = foreign_profile(data)
    policy = DecodePolicy(icc="convert") if profile else DecodePolicy()
    picture = decode(data, source.relative, policy)
    if profile:
        notes.append(f"was converted to sRGB from the colour profile {profile!r}")
    pixels = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = np.rint(pixels / 257.0).astype(np.uint8)
        notes.append("has 16 bits and is shown at 8")
    elif pixels.dtype != np.uint8:
        pixels = np.rint(pixels * 255.0).astype(np.uint8)
        notes.append("has floating-point samples and is shown at 8 bits")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if source.role == "gold":
        pixels = _spoil(pixels)
    return np.ascontiguousarray(pixels), hashlib.sha256(data).hexdigest(), tuple(notes)


def foreign_profile(data: bytes) -> str | None:
    """The name of an embedded colour profile that is not sRGB."""
    from PIL import Image, ImageCms

    try:
        with Image.open(io.BytesIO(data)) as image:
            raw = image.info.get("icc_profile")
        if not raw:
            return None
        profile = ImageCms.ImageCmsProfile(io.BytesIO(raw))
        name = ImageCms.getProfileDescription(profile).strip()
    except (OSError, ValueError, SyntaxError, ImageCms.PyCMSError):
        return None
    return None if "srgb" in name.lower().replace(" ", "") else name or "without a name"


def encode(pixels: Pixels) -> bytes:
    """A PNG of nothing but the pixels."""
    import imagecodecs

    return bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6))


def _made(
    source: Source,
    pixels: Pixels,
    source_sha256: str,
    notes: tuple[str, ...],
    box: Box | None,
    crop: Crop | None,
    number: int,
) -> Prepared:
    if box is not None:
        top, left, height, width = box
        pixels = pixels[top : top + height, left : left + width]
        if crop is not None and crop.policy == "grid":
            source = replace(source, content=f"{source.content}@{number + 1}")
    png = encode(pixels)
    return Prepared(
        source=source,
        png=png,
        sha256=hashlib.sha256(png).hexdigest(),
        source_sha256=source_sha256,
        width=pixels.shape[1],
        height=pixels.shape[0],
        crop=box,
        notes=notes,
    )


def _boxes(
    group: Sequence[Source], pictures: Sequence[Pixels], crop: Crop | None, definition: Definition
) -> Sequence[Box | None]:
    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1:
        told = [
            f"{s.relative} is {p.shape[1]}x{p.shape[0]}"
            for s, p in zip(group, pictures, strict=True)
        ]
        other = next(k for k, p in enumerate(pictures) if p.shape[:2] != pictures[0].shape[:2])
        raise MismatchError(
            f"Pictures of the content {group[0].content!r} differ in size: {told[0]}, "
            f"{told[other]}.",
            hint="All pictures of a content must have the same size.",
        )
    height, width = next(iter(sizes))
    if crop is None:
        return [None]
    if crop.policy == "all":
        if max(height, width) > crop.size:
            raise MismatchError(
                f"{group[0].relative} is {width}x{height}, more than the {crop.size} pixels a side "
                "that stimuli.crop.size allows.",
                hint="Raise the size, or cut with the policy center.",
            )
        return [None]
    if min(height, width) < crop.size and crop.policy != "center":
        raise MismatchError(f"{group[0].relative} is smaller than the crop of {crop.size} pixels.")
    if crop.policy == "grid":
        return [
            (top, left, crop.size, crop.size)
            for top in range(0, height - crop.size + 1, crop.size)
            for left in range(0, width - crop.size + 1, crop.size)
        ]
    if crop.policy == "center":
        h, w = min(crop.size, height), min(crop.size, width)
        return [((height - h) // 2, (width - w) // 2, h, w)]
    from srqa.study.disagreement import most_disputed

    return [most_disputed(group, pictures, crop, definition)]


def _spoil(pixels: Pixels) -> Pixels:
    from srqa.images.resize import imresize

    height, width = pixels.shape[:2]
    small = imresize(pixels, size=(max(height // SPOILT, 1), max(width // SPOILT, 1)))
    spoilt: Pixels = imresize(small, size=(height, width), kernel="nearest")
    return spoilt


def _spoilt(references: dict[tuple[str, str], Source], tests: Sequence[Source]) -> list[Source]:
    groups = {source.group for source in tests}
    return [
        replace(source, role="gold", method=f"{source.method}-spoilt")
        for group, source in references.items()
        if group in groups
    ]


def _folder(text: str, folder: Path, data: Path) -> Path:
    if text.startswith("builtin:"):
        from srqa.study.examples import builtin

        return builtin(text.removeprefix("builtin:"), data)
    path = Path(text).expanduser()
    path = path if path.is_absolute() else folder / path
    if not path.is_dir():
        raise InputError(
            f"There is no folder {text} (from where the definition stands: {path}).",
            hint="stimuli.root and stimuli.reference.root are taken from the study's folder.",
        )
    return path


def _relative(item: Item, root: Path) -> str:
    try:
        return item.image.relative_to(root.absolute()).as_posix()
    except ValueError:
        return item.name


def _source(item: Item, root: Path, role: Role) -> Source:
    return Source(
        path=item.image,
        relative=_relative(item, root),
        dataset=item.dataset,
        content=item.content,
        scale=item.scale,
        method=item.method,
        role=role,
    )


def _special(definition: Definition) -> set[str]:
    """Pictures that training and gold questions name."""
    named = {gold.stimulus for gold in definition.checks.gold_stimuli}
    for item in definition.training:
        named |= {item.stimulus} if item.stimulus else set(item.pair or ())
    return named


def _is_chosen(item: Item, definition: Definition) -> bool:
    def fits(key: str, values: Sequence[Any]) -> bool:
        own = getattr(item, key)
        return any(str(own) == str(v) or _same_number(own, v) for v in values)

    wanted = definition.stimuli
    return all(fits(k, v) for k, v in wanted.include.items()) and not any(
        fits(k, v) for k, v in wanted.exclude.items()
    )


def _same_number(own: Any, given: Any) -> bool:
    try:
        return float(str(own)) == float(str(given).lower().removeprefix("x"))
    except ValueError:
        return False


def _need_references(
    tests: Sequence[Source], references: dict[tuple[str, str], Source], definition: Definition
) -> None:
    if definition.stimuli.reference is None:
        return
    lacking = [source.relative for source in tests if source.group not in references]
    if lacking:
        raise InputError(
            f"{len(lacking)} of {len(tests)} pictures have no reference, the first {lacking[0]}.",
            hint="`srqa pairs` shows which picture belongs to which reference.",
        )


def _need_special(
    special: set[str], kept: Sequence[Source], references: dict[tuple[str, str], Source]
) -> None:
    there = {source.relative for source in (*kept, *references.values())}
    missing = sorted(special - there)
    if missing:
        raise InputError(
            f"The definition names {missing[0]} for training or as gold, but there is no such "
            "picture below stimuli.root.",
            hint="Pictures are named by their path below stimuli.root.",
        )


def problem_of(source: Source) -> str | None:
    """Why a file cannot be read, or None."""
    try:
        load(source)
    except ReadError as error:
        return str(error)
    return None
