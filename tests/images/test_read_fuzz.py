"""Damaged and cut files: each is a whole picture or a ReadError, and a cut one never a picture."""

from __future__ import annotations

import random
import warnings
from typing import TYPE_CHECKING

import numpy as np

from srqa.errors import ReadError
from srqa.images.read import DecodePolicy, Picture, decode

if TYPE_CHECKING:
    import pytest
    from conftest import Maker

FILES_OF_EACH_KIND = 130
POLICIES = [
    DecodePolicy(alpha=alpha, icc=icc, max_pixels=2**22)
    for alpha in ("refuse", "white", "drop")
    for icc in ("ignore", "convert")
]
# all bytes count in these (but the later frames of an animation), so every cut must be found
STRICT = ("png", "jpeg", "webp", "avif", "jxl", "jp2")
# where the pixel data are the last thing in the file
PIXELS_LAST = ("tiff", "tiff-lzw-16", "tiff-deflate", "tiff-float", "tiff-tiles", "tiff-jpeg")
PIXELS_LAST += ("bmp", "bmp-grey", "ppm", "pgm-16")


def damage(data: bytes, chance: random.Random) -> bytes:
    """Cut, flip bits, overwrite, insert, remove, or spoil the header."""
    changed = bytearray(data)
    kind = chance.randrange(6)
    at = chance.randrange(len(data))
    if kind == 0:
        return data[:at]
    if kind == 1:
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        for _ in range(chance.choice((1, 3, 10))):
            changed[chance.randrange(len(data))] = chance.choice((0, 255, 127, 128))
    elif kind == 3:
        changed[at:at] = chance.randbytes(chance.choice((1, 2, 4, 40)))
    elif kind == 4:
        del changed[at : at + chance.choice((1, 2, 4, 40))]
    else:
        at = chance.randrange(min(len(data), 200))
        changed[at] = chance.choice((0, 255, chance.randrange(256)))
    return bytes(changed)


def check(picture: Picture) -> None:
    pixels = picture.pixels
    assert pixels.dtype in (np.uint8, np.uint16, np.float32)
    assert pixels.ndim == 2 or pixels.shape[2:] == (3,)
    assert 0 < picture.height * picture.width <= 2**22
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    if pixels.dtype == np.float32:
        assert 0 <= pixels.min() <= pixels.max() <= 1


def whole(data: bytes) -> bool:
    try:
        decode(data, "cut", DecodePolicy(alpha="drop"))
    except ReadError:
        return False
    return True


def test_damaged_files(make: Maker, capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(20)
    refused = total = 0
    messages: list[tuple[str, str]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, data in make.corpus():
            for _ in range(FILES_OF_EACH_KIND):
                total += 1
                try:
                    check(decode(damage(data, chance), name, chance.choice(POLICIES)))
                except ReadError as error:
                    refused += 1
                    messages.append((name, str(error)))
    for name, message in messages:
        assert message.startswith(f"{name} ")
        assert "\n" not in message
    assert total > 4000
    assert refused > total // 3
    assert capfd.readouterr() == ("", "")


def test_cut_files_are_errors(make: Maker) -> None:
    for name, data in make.corpus():
        if name.split("-")[0] not in STRICT and name not in PIXELS_LAST:
            continue
        if name == "jxl-animated":
            continue
        last = len(data) - (3 if name.startswith("bmp") else 1)  # BMP pads its rows to 4 bytes
        read = [cut for cut in sorted({*map(int, np.linspace(0, last, 40))}) if whole(data[:cut])]
        assert read == [], f"{name} of {len(data)} bytes was read when cut there"


def test_files_cut_inside_their_pixels_are_errors(make: Maker) -> None:
    """Kinds with something after the pixels: a trailer, more frames, or TIFF's directory."""
    for name in ("tiff-pillow", "tiff-fax", "tiff-palette", "gif", "jxl-animated", "webp-animated"):
        data = dict(make.corpus())[name]
        cuts = map(int, np.linspace(0, len(data) * 0.45, 40))
        assert [cut for cut in cuts if whole(data[:cut])] == [], name


def test_tails_of_zeros_are_errors(make: Maker) -> None:
    """What a full disk or an interrupted copy leaves: the right size, the end not written."""
    for name, data in make.corpus():
        if name.split("-")[0] not in ("png", "jpeg"):
            continue
        for share in (0.5, 0.8, 0.95):
            kept = int(share * len(data))
            assert not whole(data[:kept] + bytes(len(data) - kept)), (name, share)
