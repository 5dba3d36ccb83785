"""Reading pictures: what each kind of file becomes, and what is refused."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from srqa.errors import ReadError, UsageError
from srqa.images.read import SUFFIXES, DecodePolicy, Picture, decode, read, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from conftest import Maker

ADOBE = imagecodecs.cms_profile("adobergb")


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def opencv(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def refusal(data: bytes, policy: DecodePolicy = DecodePolicy()) -> str:  # noqa: B008
    with pytest.raises(ReadError) as caught:
        decode(data, "x.png", policy)
    message = str(caught.value)
    assert message.startswith("x.png ")
    assert "\n" not in message
    return message


# --- every kind of file ---


def test_every_kind_gives_a_whole_picture(make: Maker) -> None:
    for name, data in make.corpus():
        picture = decode(data, name, DecodePolicy(alpha="drop"))
        assert picture.format == {"ppm": "pnm", "pgm": "pnm"}.get(*[name.split("-")[0]] * 2), name
        assert picture.pixels.flags.c_contiguous, name
        assert picture.pixels.flags.writeable, name
        assert picture.pixels.dtype.isnative, name
        assert picture.pixels.shape[:2] == (picture.height, picture.width), name
        assert picture.channels == (3 if picture.pixels.ndim == 3 else 1), name
        assert all(name not in note for note in picture.notes)


LOSSLESS = ["png", "png-interlaced", "tiff", "tiff-pillow", "tiff-tiles", "bmp", "ppm", "jp2"]


def test_lossless_files_give_back_what_was_written(make: Maker) -> None:
    corpus = dict(make.corpus())
    for name in LOSSLESS:
        picture = decode(corpus[name], name)
        np.testing.assert_array_equal(picture.pixels, make.rgb, err_msg=name)
        assert picture.lossy is False, name
        assert picture.depth == 8
        assert picture.notes == (), name
    for name in ("png-16", "tiff-lzw-16", "jxl-16"):
        picture = decode(corpus[name], name)
        np.testing.assert_array_equal(picture.pixels, make.rgb16, err_msg=name)
        assert picture.depth == 16
    for name in ("tiff-deflate", "bmp-grey"):
        np.testing.assert_array_equal(decode(corpus[name], name).pixels, make.grey)
    np.testing.assert_array_equal(decode(corpus["pgm-16"], "").pixels, make.rgb16[..., 0])


def test_values_are_those_of_pillow(make: Maker) -> None:
    corpus = dict(make.corpus())
    names = ["jpeg-progressive", "jpeg-grey", "tiff-jpeg", "webp", "avif", "avif-sequence", "gif"]
    for name in [*names, "tiff-fax", "tiff-palette"]:
        expected = Image.open(io.BytesIO(corpus[name]))
        if expected.mode in ("P", "1"):
            expected = expected.convert("RGB" if expected.mode == "P" else "L")
        np.testing.assert_array_equal(
            decode(corpus[name], name).pixels, np.asarray(expected), err_msg=name
        )


def test_values_are_those_of_opencv(make: Maker) -> None:
    corpus = dict(make.corpus())
    for name in ("png", "png-16", "png-interlaced", "jpeg-progressive", "jpeg-grey", "tiff", "bmp"):
        np.testing.assert_array_equal(decode(corpus[name], name).pixels, opencv(corpus[name]))


def test_lossy_is_told_from_the_file(make: Maker) -> None:
    lossy = {name for name, data in make.corpus() if decode(data, "", DROP).lossy}
    assert lossy == {
        *("jpeg", "jpeg-progressive", "jpeg-grey", "jpeg-cmyk", "tiff-jpeg", "webp"),
        *("webp-animated", "avif", "avif-alpha", "avif-10", "avif-sequence", "jxl"),
    }
    assert decode(imagecodecs.jpeg2k_encode(make.rgb, level=40, reversible=False), "").lossy
    packed = imagecodecs.jpegxl_encode_jpeg(make.pillow(make.rgb, "JPEG"))
    assert decode(packed, "").lossy


DROP = DecodePolicy(alpha="drop")


def test_one_pixel_of_every_depth(make: Maker) -> None:
    for dtype in (np.uint8, np.uint16):
        for shape in ((1, 1), (1, 1, 3)):
            array = np.full(shape, 200, dtype)
            bits, colour = 8 * array.itemsize, 2 * (len(shape) == 3)
            for data in (make.png(array, bits=bits, colour=colour), make.tiff(array)):
                picture = decode(data, "one")
                np.testing.assert_array_equal(picture.pixels, array)
                assert picture.pixels.dtype == dtype
    assert decode(make.pillow(np.uint8([[7]]), "JPEG"), "").pixels.shape == (1, 1)


# --- PNG ---


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_grey_below_8_bits_fills_the_range(make: Maker, bits: int) -> None:
    levels = 2**bits
    values = np.arange(levels, dtype=np.uint8)
    packed = np.packbits(np.unpackbits(values[:, None], axis=1)[:, -bits:].ravel()).tobytes()
    picture = decode(make.png([packed], size=(levels, 1), bits=bits), "")
    assert picture.pixels.tolist() == [[255 * v // (levels - 1) for v in range(levels)]]
    assert f"{bits}-bit samples scaled to 8 bits" in picture.notes


def test_png_of_16_bits_stays_so_when_dark_and_with_alpha(make: Maker) -> None:
    dark = np.array([[0, 1], [2, 255]], np.uint16)
    picture = decode(make.png(dark, bits=16), "")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, dark)
    rgba = np.dstack([make.rgb16, np.full(make.grey.shape, 65535, np.uint16)])
    picture = decode(make.png(rgba, bits=16, colour=6), "")
    np.testing.assert_array_equal(picture.pixels, make.rgb16)
    assert picture.notes == ("opaque alpha channel dropped",)


def test_png_gamma_and_other_chunks_change_nothing(
    make: Maker, capfd: pytest.CaptureFixture
) -> None:
    before = [(b"gAMA", struct.pack(">I", 100000)), (b"bKGD", b"\0\1\0\1\0\1"), (b"iCCP", b"x")]
    data = make.png(make.rgb, colour=2, before=before, after=[(b"tEXt", b"a\0b")])
    np.testing.assert_array_equal(decode(data, "").pixels, make.rgb)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_png_interlaced(make: Maker, bits: int, colour: int) -> None:
    rgba = np.dstack([make.rgb16, make.rgb16[..., :1] | 1])
    array = rgba[..., {0: [0], 2: [0, 1, 2], 4: [0, 3], 6: [0, 1, 2, 3]}[colour]]
    array = (array >> 8).astype(np.uint8) if bits == 8 else array
    for height, width in ((24, 34), (1, 1), (3, 2), (9, 5)):
        part = np.ascontiguousarray(array[:height, :width])
        plain = decode(make.png(part, bits=bits, colour=colour), "", DROP)
        woven = decode(make.png(part, bits=bits, colour=colour, interlaced=True), "", DROP)
        np.testing.assert_array_equal(woven.pixels, plain.pixels)


def test_png_palette_becomes_rgb(make: Maker) -> None:
    data = make.pillow(Image.fromarray(make.rgb).quantize(13), "PNG")
    picture = decode(data, "")
    np.testing.assert_array_equal(
        picture.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )
    assert picture.notes == ("palette expanded to RGB",)
    assert "palette" in refusal(make.png([b"\0"], size=(1, 1), colour=3))


def test_png_transparent_colour_is_alpha(make: Maker) -> None:
    data = make.png(make.grey, before=[(b"tRNS", struct.pack(">H", make.grey[0, 0]))])
    assert "--alpha white|black|drop" in refusal(data)
    white = decode(data, "", DecodePolicy(alpha="white")).pixels
    np.testing.assert_array_equal(white, np.where(make.grey == make.grey[0, 0], 255, make.grey))
    unused = make.png(np.uint8([[1, 2]]), before=[(b"tRNS", b"\0\x09")])
    assert decode(unused, "").notes == ("opaque alpha channel dropped",)
    sixteen = make.png(np.uint16([[1, 2]]), bits=16, before=[(b"tRNS", b"\0\2")])
    assert decode(sixteen, "", DecodePolicy(alpha="white")).pixels.tolist() == [[1, 65535]]


def test_png_damage_is_found(make: Maker, capfd: pytest.CaptureFixture) -> None:
    data = make.png(make.rgb, colour=2, before=[(b"eXIf", make.exif(6)[6:])])
    for name in (b"IHDR", b"IDAT", b"eXIf"):
        flipped = bytearray(data)
        flipped[data.index(name) + 6] ^= 1
        assert name.decode() in refusal(bytes(flipped)) or name == b"IHDR"
    assert "truncated" in refusal(data[:-12])
    assert "extension" in refusal(make.png(make.rgb, colour=2, before=[(b"XABC", b"")]))
    assert capfd.readouterr() == ("", "")


def test_png_inflated_by_libdeflate_is_libpngs(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large enough for several blocks, with all row filters, in several chunks."""
    rng = np.random.default_rng(5)
    large = cv2.resize(make.rgb, (331, 240), interpolation=cv2.INTER_CUBIC)
    large[100:] = rng.integers(0, 256, large[100:].shape)
    files = [make.pillow(large, "PNG"), make.pillow(large[..., 0], "PNG", compress_level=0)]
    files.append(imagecodecs.png_encode(large.astype(np.uint16) * 250))
    files.append(make.pillow(np.dstack([large, np.full(large.shape[:2], 255, np.uint8)]), "PNG"))
    quick = [decode(data, "").pixels for data in files]
    monkeypatch.setattr("srqa.images.decoders.png._WHOLE", 0)
    for data, pixels in zip(files, quick, strict=True):
        np.testing.assert_array_equal(pixels, decode(data, "").pixels)
        np.testing.assert_array_equal(
            pixels,
            opened(data)[..., :3]
            if pixels.dtype == np.uint8 and pixels.ndim == 3
            else imagecodecs.png_decode(data),
        )


@pytest.mark.parametrize("whole", [0, 2**27])
def test_png_with_a_damaged_stream_in_a_sound_chunk(
    make: Maker, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr("srqa.images.decoders.png._WHOLE", whole)
    rows = b"".join(b"\0" + row.tobytes() for row in make.rgb)
    sound = zlib.compress(rows)
    header = struct.pack(">IIBBBBB", 34, 24, 8, 2, 0, 0, 0)
    for body in (sound[:-1] + b"\0", sound[:-40], zlib.compress(rows[:-103]), b"\0" + sound):
        parts = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
        assert refusal(b"\x89PNG\r\n\x1a\n" + b"".join(make.chunk(*part) for part in parts))


def test_png_with_any_byte_changed_gives_no_other_pixels(make: Maker) -> None:
    """Of the image data, in many chunks: refused, or read as it was where only a sum is wrong."""
    stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in make.rgb))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 34, 24, 8, 2, 0, 0, 0))]
    parts += [(b"IDAT", stream[at : at + 300]) for at in range(0, len(stream), 300)]
    head, *chunks = (make.chunk(*part) for part in [*parts, (b"IEND", b"")])
    data = b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks)
    right, read = decode(data, "").pixels, []
    for at in range(8 + len(head), len(data)):
        changed = data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]
        try:
            pixels = decode(changed, "").pixels
        except ReadError:
            continue
        np.testing.assert_array_equal(pixels, right)
        read.append(at)
    sums = [8 + len(head) + sum(map(len, chunks[: i + 1])) for i in range(len(chunks))]
    assert set(read) <= {end - 4 + byte for end in sums for byte in range(4)}


# --- JPEG ---


def test_jpeg_cmyk(make: Maker) -> None:
    data = make.pillow(Image.fromarray(make.rgb).convert("CMYK"), "JPEG", quality=95)
    picture = decode(data, "")
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(picture.pixels, expected)
    assert np.abs(picture.pixels.astype(int) - make.rgb).mean() < 6
    assert picture.notes == ("CMYK converted to RGB",)


def test_jpeg_of_12_bits(make: Maker) -> None:
    values = make.rgb16 >> 4
    picture = decode(imagecodecs.jpeg8_encode(values, level=98, bitspersample=12), "")
    assert picture.depth == 16
    assert "12-bit samples scaled to 16 bits" in picture.notes
    assert np.abs(picture.pixels.astype(int) - values * (65535 / 4095)).mean() < 1000


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_that_was_cut_and_given_an_end_is_found(make: Maker, options: dict) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = make.pillow(noise, "JPEG", quality=90, **options)
    half = data[: len(data) // 3 if options.get("progressive") else len(data) // 2]
    if options.get("progressive"):  # cut inside its first scan, the one that fills the picture
        scan = data.index(b"\xff\xda")
        half = data[: scan + (data.index(b"\xff\xc4", scan) - scan) // 2]
    assert "truncated" in refusal(half)
    assert "truncated" in refusal(half + b"\xff\xd9")


def test_jpeg_that_is_grey_is_not_taken_for_a_cut_one(make: Maker) -> None:
    for shape in ((40, 40, 3), (40, 40)):
        data = make.pillow(np.full(shape, 128, np.uint8), "JPEG")
        assert (decode(data, "").pixels == 128).all()


# --- TIFF ---


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float16, np.float64])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
def test_tiff_types(make: Maker, dtype: type, order: str, compression: str | None) -> None:
    source = make.rgb16 if dtype == np.uint16 else make.rgb
    array = (source / 255).astype(dtype) if np.dtype(dtype).kind == "f" else source.astype(dtype)
    for values in (array, np.ascontiguousarray(array[..., 1])):
        options = {"photometric": "rgb" if values.ndim == 3 else "minisblack"}
        data = make.tiff(values, byteorder=order, compression=compression, **options)
        picture = decode(data, "")
        np.testing.assert_array_equal(picture.pixels, values.astype(picture.pixels.dtype))
        assert picture.depth == {"u1": 8, "u2": 16}.get(np.dtype(dtype).str[1:], 32)


def test_tiff_planes_tiles_and_pages(make: Maker) -> None:
    planes = np.moveaxis(make.rgb, 2, 0)
    for tile in (None, (16, 16)):
        data = make.tiff(planes, photometric="rgb", planarconfig="separate", tile=tile)
        np.testing.assert_array_equal(decode(data, "").pixels, make.rgb)
    pages = make.tiff(np.stack([make.rgb, 255 - make.rgb]), photometric="rgb")
    picture = decode(pages, "")
    np.testing.assert_array_equal(picture.pixels, make.rgb)
    assert picture.notes == ("first of 2 pages read",)
    big = make.tiff(make.rgb, bigtiff=True)
    np.testing.assert_array_equal(decode(big, "").pixels, make.rgb)


def test_tiff_grey_kinds(make: Maker) -> None:
    inverted = make.tiff(make.grey, photometric="miniswhite")
    np.testing.assert_array_equal(decode(inverted, "").pixels, 255 - make.grey)
    bitmap = make.pillow(Image.fromarray(make.grey > 99), "TIFF")
    np.testing.assert_array_equal(decode(bitmap, "").pixels, np.where(make.grey > 99, 255, 0))
    twelve = make.tiff(make.rgb16[..., 0] >> 4, bitspersample=12)
    expected = np.floor((make.rgb16[..., 0] >> 4) * (65535 / 4095) + 0.5)
    np.testing.assert_array_equal(decode(twelve, "").pixels, expected)


def test_tiff_alpha_and_cmyk(make: Maker) -> None:
    assert "alpha" in refusal(make.tiff(make.rgba, photometric="rgb", extrasamples=["unassalpha"]))
    premultiplied = make.tiff(make.rgba // 2, photometric="rgb", extrasamples=["assocalpha"])
    white = decode(premultiplied, "", DecodePolicy(alpha="white")).pixels
    colours, alpha = make.rgb // 2, make.alpha[..., None] // 2
    np.testing.assert_array_equal(white, np.minimum(colours.astype(int) + 255 - alpha, 255))
    image = Image.fromarray(make.rgb).convert("CMYK")
    picture = decode(make.pillow(image, "TIFF"), "")
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_tiff_floats_outside_their_range_are_refused(make: Maker) -> None:
    array = (make.grey / 255).astype(np.float32)
    array[3, 4], array[5, 6] = np.nan, np.inf
    assert "2 values that are not numbers" in refusal(make.tiff(array))
    message = refusal(make.tiff((make.grey / 100).astype(np.float32)))
    assert f"from {make.grey.min() / 100:.6g} to {make.grey.max() / 100:.6g}" in message


@pytest.mark.parametrize(
    "options",
    [{"mode": "LAB"}, {"mode": "YCbCr"}, {"dtype": np.int16}, {"dtype": np.uint32}, {"extra": 2}],
)
def test_tiff_of_other_kinds_is_refused(make: Maker, options: dict) -> None:
    if "mode" in options:
        data = make.pillow(Image.fromarray(make.rgb).convert(options["mode"]), "TIFF")
    elif "dtype" in options:
        data = make.tiff(make.grey.astype(options["dtype"]))
    else:
        data = make.tiff(np.dstack([make.rgba, make.alpha]), photometric="rgb")
    assert "TIFF with" in refusal(data)


# --- AVIF, JPEG XL, JPEG 2000, WebP, GIF, PNM ---


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_and_jxl_are_scaled_to_16_bits(make: Maker, bits: int) -> None:
    stored = make.rgb16 >> (16 - bits)
    expected = np.floor(stored * (65535 / (2**bits - 1)) + 0.5)
    jxl = decode(imagecodecs.jpegxl_encode(stored, bitspersample=bits, lossless=True), "")
    np.testing.assert_array_equal(jxl.pixels, expected)
    avif = decode(imagecodecs.avif_encode(stored, bitspersample=bits, level=100), "")
    np.testing.assert_array_equal(avif.pixels, expected)
    for picture in (jxl, avif):
        assert picture.notes == (f"{bits}-bit samples scaled to 16 bits",)


def test_jxl_kinds(make: Maker) -> None:
    floats = (make.rgb / 255).astype(np.float32)
    np.testing.assert_array_equal(decode(imagecodecs.jpegxl_encode(floats), "").pixels, floats)
    grey_alpha = np.dstack([make.grey, make.alpha])
    assert "alpha" in refusal(imagecodecs.jpegxl_encode(grey_alpha, lossless=True))
    boxed = imagecodecs.jpegxl_encode(make.grey, usecontainer=True, lossless=True)
    np.testing.assert_array_equal(decode(boxed, "").pixels, make.grey)
    for height, width in ((1, 2), (8, 8), (16, 24), (300, 400), (40, 71)):
        data = imagecodecs.jpegxl_encode(np.zeros((height, width), np.uint8))
        assert decode(data, "").pixels.shape == (height, width)
        message = refusal(data, DecodePolicy(max_pixels=height * width - 1))
        assert f"{width}x{height}" in message


def test_pnm_kinds() -> None:
    cases = {
        b"P1\n3 1\n1 0 1\n": [[0, 255, 0]],
        b"P1 3 2 101\n010": [[0, 255, 0], [255, 0, 255]],
        b"P4\n3 1\n\xa0": [[0, 255, 0]],
        b"P2 #c\n2 1 # d\n3\n0 2": [[0, 170]],
        b"P3 1 1 255 1 2 3": [[[1, 2, 3]]],
        b"P5 1 1 65535\n\x01\x02": [[258]],
        b"P5 2 1 1023\n\x03\xff\x00\x01": [[65535, 64]],
        b"P6 1 1 255\n\n\r ": [[[10, 13, 32]]],
    }
    for data, pixels in cases.items():
        assert decode(data, "").pixels.tolist() == pixels, data
    for data in (b"P5 1 1 70000\n\0", b"P2 1 1 9\n10", b"P3 1 1 9 1 2", b"P5 1\n", b"P2 1 1 9 x"):
        refusal(data)


def test_animations_say_that_one_frame_was_read(make: Maker) -> None:
    for name, data in make.corpus():
        if "animated" in name or "sequence" in name:
            assert "animation: only the first frame read" in decode(data, "").notes, name
    frames = [Image.fromarray(make.rgb), Image.fromarray(255 - make.rgb)]
    data = make.pillow(frames[0], "PNG", save_all=True, append_images=frames[1:])
    picture = decode(data, "")
    np.testing.assert_array_equal(picture.pixels, make.rgb)
    assert picture.notes == ("animation: only the default image read",)


def test_gif_transparency_is_alpha(make: Maker) -> None:
    image = Image.fromarray(make.rgb).quantize(8)
    data = make.pillow(image, "GIF", transparency=2)
    assert "--alpha" in refusal(data)
    expected = np.asarray(image.convert("RGB")).copy()
    expected[np.asarray(image) == 2] = 255
    np.testing.assert_array_equal(decode(data, "", DecodePolicy(alpha="white")).pixels, expected)


# --- alpha, orientation, profiles ---


def test_alpha_policies(make: Maker) -> None:
    data = make.pillow(make.rgba, "PNG")
    assert "--alpha white|black|drop" in refusal(data)
    alpha = make.alpha[..., None].astype(float)
    for policy, background in (("white", 255), ("black", 0)):
        picture = decode(data, "", DecodePolicy(alpha=policy))
        mixed = np.floor((make.rgb * alpha + background * (255 - alpha)) / 255 + 0.5)
        np.testing.assert_array_equal(picture.pixels, mixed)
        assert picture.notes == (f"alpha channel composited on {policy}",)
    picture = decode(data, "", DROP)
    np.testing.assert_array_equal(picture.pixels, make.rgb)
    assert picture.notes == ("alpha channel ignored",)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG2000", "BMP"])
def test_opaque_alpha_is_dropped(make: Maker, kind: str) -> None:
    rgba = np.dstack([make.rgb, np.full_like(make.grey, 255)])
    options = {"lossless": True} if kind == "WEBP" else {}
    data = make.pillow(rgba, kind, **options)
    picture = decode(data, "")
    assert picture.channels == 3
    if opened(data).shape[2] == 4:  # some writers leave an opaque channel out
        assert picture.notes == ("opaque alpha channel dropped",)
    if kind != "AVIF":
        np.testing.assert_array_equal(picture.pixels, make.rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(make: Maker, orientation: int) -> None:
    files = {
        "jpeg": make.pillow(make.rgb, "JPEG", exif=make.exif(orientation)),
        "jpeg >": make.pillow(make.rgb, "JPEG", exif=make.exif(orientation, ">")),
        "webp": make.pillow(make.rgb, "WEBP", lossless=True, exif=make.exif(orientation)),
        "avif": make.pillow(make.rgb, "AVIF", exif=make.exif(orientation)),
        "png": make.pillow(make.rgb, "PNG", exif=make.exif(orientation)),
        "png end": make.png(make.rgb, colour=2, after=[(b"eXIf", make.exif(orientation)[6:])]),
        "tiff": make.tiff(make.rgb, extratags=[(274, 3, 1, orientation, True)]),
    }
    for name, data in files.items():
        picture = decode(data, name)
        image = Image.open(io.BytesIO(data))
        expected = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(picture.pixels, expected, err_msg=name)
        note = () if orientation == 1 else (f"EXIF orientation {orientation} applied",)
        assert picture.notes == note


def test_profiles_are_ignored_with_a_note_or_converted(make: Maker) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("PNG", "TIFF"):
        assert decode(make.pillow(make.rgb, kind, icc_profile=srgb), "").notes == ()
        data = make.pillow(make.rgb, kind, icc_profile=ADOBE)
        picture = decode(data, "")
        np.testing.assert_array_equal(picture.pixels, make.rgb)
        assert picture.notes == ("embedded profile 'Adobe RGB (compatible)' ignored",)
        picture = decode(data, "", DecodePolicy(icc="convert"))
        expected = ImageCms.profileToProfile(
            Image.fromarray(make.rgb),
            ImageCms.ImageCmsProfile(io.BytesIO(ADOBE)),
            ImageCms.createProfile("sRGB"),
        )
        assert np.abs(picture.pixels.astype(int) - np.asarray(expected)).max() <= 1
        assert np.abs(picture.pixels.astype(int) - make.rgb).max() > 9
        assert picture.notes == ("embedded profile 'Adobe RGB (compatible)' converted to sRGB",)
    for kind in ("JPEG", "WEBP", "AVIF", "JPEG2000"):
        options = {} if kind == "JPEG2000" else {"icc_profile": ADOBE}
        notes = decode(make.pillow(make.rgb, kind, **options), "").notes
        assert ("Adobe RGB" in "".join(notes)) == bool(options)


def test_profiles_of_16_bit_grey_and_float_pictures(make: Maker) -> None:
    convert = DecodePolicy(icc="convert")
    deep = make.tiff(make.rgb16, photometric="rgb", iccprofile=ADOBE)
    shallow = make.pillow((make.rgb16 >> 8).astype(np.uint8), "PNG", icc_profile=ADOBE)
    picture = decode(deep, "", convert)
    assert picture.depth == 16
    high = picture.pixels / 257.0
    assert np.abs(high - decode(shallow, "", convert).pixels).mean() < 1.5
    grey = make.pillow(make.grey, "PNG", icc_profile=imagecodecs.cms_profile("gray", gamma=1.8))
    assert decode(grey, "", convert).channels == 1
    floats = make.tiff((make.rgb / 255).astype(np.float32), photometric="rgb", iccprofile=ADOBE)
    assert "float" in refusal(floats, convert)
    wrong = make.pillow(make.grey, "PNG", icc_profile=ADOBE)
    assert "not for gray values" in decode(wrong, "", convert).notes[0]
    broken = make.pillow(make.rgb, "PNG", icc_profile=ADOBE[:16] + b"RGB " + bytes(300))
    assert "colour profile" in refusal(broken, convert)


# --- what is refused, and files as such ---


def test_what_is_no_picture() -> None:
    assert refusal(b"hello world, this is text") == (
        "x.png is not a picture srqa can read (starts with 'hello world, thi…')"
    )
    assert "empty (0 bytes)" in refusal(b"")
    assert "Git LFS" in refusal(b"version https://git-lfs.github.com/spec/v1\n")
    assert "web page" in refusal(b"<!DOCTYPE html><html>")
    assert "bytes 00 01" in refusal(b"\0\1\2\3\4\5")
    assert "not a picture" in refusal(b"BMW cars are built in Munich and elsewhere")


def test_headers_that_promise_too_much_are_refused_before_decoding(make: Maker) -> None:
    tiny = make.png([b"\0"], size=(60000, 60000))
    assert "60000x60000" in refusal(tiny)
    lying = make.png([b"\0" * 60], size=(20000, 20000), colour=2)
    assert "truncated" in refusal(lying)
    zeros = np.zeros((600, 700), np.uint8)
    files = {
        "png": make.pillow(zeros, "PNG", compress_level=9),
        "jpeg": make.pillow(zeros, "JPEG"),
        "tiff": make.tiff(zeros, compression="deflate"),
        "webp": make.pillow(np.dstack([zeros] * 3), "WEBP"),
        "bmp": make.pillow(zeros, "BMP"),
        "gif": make.pillow(zeros, "GIF"),
        "avif": make.pillow(zeros, "AVIF"),
        "jxl": imagecodecs.jpegxl_encode(zeros),
        "jp2": imagecodecs.jpeg2k_encode(zeros),
        "pnm": make.pillow(zeros, "PPM"),
    }
    for name, data in files.items():
        message = refusal(data, DecodePolicy(max_pixels=419_999))
        assert "700x600 pixels, the limit is 419999" in message, name
        assert decode(data, name, DecodePolicy(max_pixels=420_000)).format == name


def test_pillows_own_limit_does_not_matter(
    make: Maker, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """Pillow warns above a limit of the process and refuses twice that; srqa has its own.

    Only an animated WebP cannot be opened by Pillow without that check.
    """
    files = [(name, data) for name, data in make.corpus() if name != "webp-animated"]
    recwarn.clear()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for name, data in files:
        assert decode(data, name, DROP).pixels.size
    assert not recwarn.list


def test_files_by_path(make: Maker, tmp_path: Path) -> None:
    folder = tmp_path / "a folder with spaces" / "图像"
    folder.mkdir(parents=True)
    path = folder / "照片 1 (x4).jpg"  # a PNG in truth: the suffix does not matter
    path.write_bytes(make.pillow(make.rgb, "PNG"))
    for given in (path, str(path)):
        picture = read(given)
        assert isinstance(picture, Picture)
        assert picture.format == "png"
        np.testing.assert_array_equal(picture.pixels, make.rgb)
    empty = folder / "空.png"
    empty.touch()
    dangling, loop = folder / "dangling.png", folder / "loop.png"
    dangling.symlink_to(folder / "nowhere.png")
    loop.symlink_to(loop)
    cases = {
        folder: "is a folder",
        folder / "no.png": "does not exist",
        path / "inside.png": "does not exist",
        folder / ("x" * 300): "name is too long",
        folder / "nul\0.png": "cannot be opened",
        empty: "is empty (0 bytes)",
        dangling: "is a link to a file that does not exist",
        loop: "leads back to itself",
        Path("/dev/null"): "is not a regular file",
    }
    for case, words in cases.items():
        with pytest.raises(ReadError) as caught:
            read(case)
        assert words in str(caught.value)
        assert str(caught.value).startswith(str(case))


def test_no_rights(tmp_path: Path, ordinary_user: Callable[[], Any]) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")
    path.chmod(0)
    with ordinary_user(), pytest.raises(ReadError, match="no rights"):
        read_bytes(path)


def test_policy() -> None:
    assert DecodePolicy().describe() == {
        "alpha": "refuse",
        "icc": "ignore",
        "max_pixels": 2**29,
        "version": 1,
    }
    with pytest.raises(UsageError):
        DecodePolicy(alpha="pink")  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        DecodePolicy(icc="maybe")  # type: ignore[arg-type]
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in SUFFIXES)
    assert {".png", ".jpg", ".tif", ".webp", ".avif", ".jxl", ".bmp"} <= SUFFIXES


def test_any_failure_of_a_decoder_is_a_read_error(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make.pillow(make.rgb, "PNG")
    for error in (
        MemoryError(),
        SyntaxError("a\nb"),
        struct.error("x"),
        zlib.error("y"),
        OSError(),
    ):
        monkeypatch.setattr(
            "srqa.images.decoders.png._libpng",
            lambda *_, error=error: (_ for _ in ()).throw(error),
        )
        assert ("memory" in refusal(data)) == isinstance(error, MemoryError)


def test_reading_is_thread_safe(make: Maker) -> None:
    corpus = list(make.corpus())
    expected = {name: decode(data, name, DROP).pixels for name, data in corpus}
    wrong: list[str] = []

    def work(shift: int) -> None:
        for name, data in (corpus[shift:] + corpus[:shift]) * 3:
            if not np.array_equal(decode(data, name, DROP).pixels, expected[name]):
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(5 * n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_importing_and_reading_png_load_no_other_decoder(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(make.pillow(make.rgb, "PNG"))
    code = (
        "import sys, srqa.images.read as r\n"
        "heavy = ('imagecodecs', 'PIL', 'tifffile', 'cv2', 'torch', 'scipy')\n"
        "print([m for m in heavy if m in sys.modules])\n"
        f"r.read({str(path)!r})\n"
        "print([m for m in heavy if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['imagecodecs']"]
    assert done.stderr == ""
