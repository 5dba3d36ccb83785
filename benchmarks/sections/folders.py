"""psnr-y and ssim-y of folders of 1280x720 PNG pairs, for the first time and again."""

from __future__ import annotations

import shutil
from typing import Any

from benchmarks.comparison import Comparison, Slope, Target
from benchmarks.contender import Contender
from benchmarks.contenders import loops, programs
from benchmarks.pictures import make_pair, make_pairs
from benchmarks.sections import Setting

METRICS = "psnr-y,ssim-y"
DIFFERS = {"torchmetrics": "with a mirrored border"}
LOOPS = {"scikit-image": 20, "piq": 10, "torchmetrics": 4, "pyiqa": 4}
"""Pairs that a rival's loop goes through: slow ones fewer, the time is given for one pair."""


def comparisons(setting: Setting) -> list[Comparison]:
    """srqa's command against bare decoding, and against rivals' loops."""
    few, many = (10, 30) if setting.quick else (100, 500)
    reference, output = make_pairs(setting.folder / "pairs", many)
    folders: dict[str, Any] = {"reference": str(reference), "output": str(output)}
    small = links(setting, few)
    decoder = {"decoder": setting.decoder}

    def decoding(pairs: int) -> Contender:
        given = {**folders, **decoder, "pairs": pairs}
        return Contender(f"decoding, {pairs} pairs", loops.decoding, given, units=pairs)

    def own(pairs: int, arguments: list[str]) -> Contender:
        arguments = [*arguments, "--device", setting.device]
        given = {"arguments": arguments, "metrics": METRICS}
        return Contender(f"srqa, {pairs} pairs", programs.evaluate, given, units=pairs, whole=True)

    rivals = tuple(
        Contender(f"{library}, loop", loops.rival, {**folders, **decoder, "library": library,
                  "pairs": pairs}, units=pairs, differs=DIFFERS.get(library, ""))
        for library, pairs in LOOPS.items()
    )  # fmt: skip
    slope, bare = "srqa, each further pair", "decoding, each further pair"
    return [
        Comparison(
            "psnr-y and ssim-y of folders of 1280x720 PNG pairs",
            (
                decoding(few),
                decoding(many),
                Contender(
                    f"decoding by srqa, {few} pairs",
                    loops.decoding,
                    {**folders, "decoder": "srqa", "pairs": few},
                    units=few,
                ),
                own(few, small),
                own(many, [str(output), "--ref", str(reference), "--scale", "4"]),
                *rivals,
            ),
            base=f"decoding, {few} pairs",
            slopes=(
                Slope(bare, f"decoding, {many} pairs", f"decoding, {few} pairs"),
                Slope(slope, f"srqa, {many} pairs", f"srqa, {few} pairs"),
            ),
            targets=(
                Target(slope, bare, most=1.3),
                Target(f"srqa, {few} pairs", f"decoding, {few} pairs", most=1.6),
                Target("scikit-image, loop", slope, least=5),
                Target("piq, loop", slope, least=8),
                Target("pyiqa, loop", slope, least=40),
            ),
            threads=setting.threads,
            note="`srqa` is the whole command, start-up included. Decoding "
            f"({setting.decoder}, the fastest of others' decoders here) and the rivals' loops on "
            "Y, with the same decoder and threads, are warm: their imports are left out. Some "
            "decoders hold Python's lock, so the fastest is found with as many threads.",
            patience=3 if setting.quick else 40,
        )
    ]


def again(setting: Setting) -> list[Comparison]:
    """The same folder once more, with and without trust in the times of its files."""
    few, many, large = 1, *((10, 4) if setting.quick else (100, 24))
    small = {pairs: links(setting, pairs) for pairs in (few, many)}
    size = setting.size(2560, 1600)
    made = {pairs: copies(setting, size, pairs) for pairs in (few, large)}
    return [
        _again("Another run over unchanged 1280x720 PNG pairs", small, setting.threads),
        _again(
            f"Another run over unchanged {'x'.join(map(str, size))} PNG pairs",
            made,
            setting.threads,
        ),
    ]


def _again(title: str, arguments: dict[int, list[str]], threads: int) -> Comparison:
    """`arguments` of `srqa evaluate` by the number of pairs, a few and many."""
    few, many = arguments
    output, _, reference, *_ = arguments[many]
    folders: dict[str, Any] = {"reference": reference, "output": output, "pairs": many}

    def own(name: str, pairs: int, *more: str, **how: Any) -> Contender:
        given = {"arguments": [*arguments[pairs], *more], "metrics": METRICS}
        label = f"{name}, {pairs} pairs"
        return Contender(label, programs.evaluate, given | how, units=pairs, whole=True)

    def further(name: str) -> Slope:
        return Slope(f"{name}, each further pair", f"{name}, {many} pairs", f"{name}, {few} pairs")

    first, second, rehash = "srqa, first run", "srqa, second run", "srqa, second run --rehash"
    hashing, stamps = "hashing alone", "asking for sizes and times alone"
    return Comparison(
        title,
        (
            Contender(hashing, loops.hashing, folders, units=many),
            Contender(stamps, loops.stamps, folders, units=many),
            own(first, many, cache=True),
            *(own(second, pairs, warm=True) for pairs in (few, many)),
            *(own(rehash, pairs, "--rehash", warm=True) for pairs in (few, many)),
        ),
        base=hashing,
        slopes=(further(second), further(rehash)),
        targets=(
            Target(f"{second}, each further pair", hashing, most=1.2),
            Target(f"{rehash}, each further pair", hashing, most=1.2),
        ),
        threads=threads,
        note="`srqa` is the whole command, start-up included; psnr-y and ssim-y.",
    )


def copies(setting: Setting, size: tuple[int, int], pairs: int) -> list[str]:
    """Folders with one pair of the size so many times, and the arguments of `srqa evaluate`."""
    sources = make_pair(setting.folder, *size)
    places = [setting.folder / f"{size[0]}x{size[1]}-{pairs}-{kind}" for kind in ("ref", "out")]
    for source, place in zip(sources, places, strict=True):
        place.mkdir(exist_ok=True)
        for number in range(pairs):
            if not (place / f"{number:04d}.png").exists():
                shutil.copyfile(source, place / f"{number:04d}.png")
    reference, output = map(str, places)
    return [output, "--ref", reference, "--scale", "2"]


def links(setting: Setting, pairs: int) -> list[str]:
    """Folders with the first pairs only, and the arguments of `srqa evaluate` for them."""
    make_pairs(setting.folder / "pairs", pairs)
    made = []
    for kind in ("out", "ref"):
        place = setting.folder / f"first{pairs}-{kind}"
        place.mkdir(exist_ok=True)
        for source in sorted((setting.folder / "pairs" / kind).glob("*.png"))[:pairs]:
            if not (place / source.name).exists():
                (place / source.name).hardlink_to(source)
        made.append(str(place))
    return [made[0], "--ref", made[1], "--scale", "4"]
