"""Stimuli: canonical PNGs, crops, hashes, and pictures that do not fit."""

import hashlib
import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from support import picture, write

from srqa.errors import InputError, MismatchError, UsageError
from srqa.study.disagreement import _disagreement


def chunks(data):
    place, found = 8, []
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        found.append(kind.decode())
        place += 12 + length
    return found


def png_of(study, name):
    return study.stimulus_file(study.by_name[name]["opaque"]).read_bytes()


def test_stimuli_are_the_pixels_and_nothing_else(make_study, scene):
    study = make_study()
    assert len(study.stimuli) == 6 * 5
    for row in study.stimuli.values():
        data = png_of(study, row["name"])
        assert set(chunks(data)) == {"IHDR", "IDAT", "IEND"}
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        root = scene / ("hr" if row["role"] == "reference" else "out")
        source = (root / row["source"]).read_bytes()
        assert hashlib.sha256(source).hexdigest() == row["source_sha256"]
        assert np.array_equal(imagecodecs.png_decode(data), imagecodecs.png_decode(source))
        for word in (row["method"], row["content"]):
            assert word not in row["opaque"] or len(word) < 3


def test_names_follow_the_table_of_answers(make_study):
    study = make_study()
    row = study.by_name["a/one"]
    assert (row["content"], row["method"], row["reference"]) == ("a", "one", "a/reference")


@pytest.mark.parametrize(("bits", "note"), [(16, "has 16 bits"), (0, "was converted to sRGB")])
def test_other_pictures_become_8_bit_srgb(make_study, scene, bits, note):
    pixels = picture("a", 48, 56)
    if bits == 16:
        write(scene / "out/one/a.png", pixels.astype(np.uint16) * 257)
    else:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        raw = io.BytesIO()
        Image.fromarray(pixels).save(raw, "PNG", icc_profile=wide_profile() or profile.tobytes())
        (scene / "out/one/a.png").write_bytes(raw.getvalue())
    study = make_study(prepare=False)
    notes = study.prepare()
    assert any(note in said and "one/a.png" in said for said in notes), notes
    shown = imagecodecs.png_decode(png_of(study, "a/one"))
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, pixels) == (bits == 16)


def wide_profile():
    """A matrix profile whose red is not sRGB's: sRGB's own with its red and green exchanged."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = raw.find(b"rXYZ"), raw.find(b"gXYZ")
    raw[red : red + 4], raw[green : green + 4] = b"gXYZ", b"rXYZ"
    text = raw.find("sRGB".encode("utf-16-be"))
    while text >= 0:
        raw[text : text + 8] = "wide".encode("utf-16-be")
        text = raw.find("sRGB".encode("utf-16-be"))
    return bytes(raw)


def test_grey_pictures_become_rgb(make_study, scene):
    grey = picture("g", 48, 56)[..., 0]
    for method in ("one", "two", "three", "four"):
        write(scene / f"out/{method}/a.png", grey)
    write(scene / "hr/a.png", grey)
    shown = imagecodecs.png_decode(png_of(make_study(), "a/one"))
    assert shown.shape == (48, 56, 3)
    assert np.array_equal(shown[..., 1], grey)


@pytest.mark.parametrize(
    ("crop", "sizes", "contents"),
    [
        ({"size": 32, "policy": "center"}, {(32, 32)}, 6),
        ({"size": 24, "policy": "grid"}, {(24, 24)}, 6 * 4),
        ({"size": 64, "policy": "all"}, {(48, 56)}, 6),
        ({"size": 32, "policy": "max_metric_disagreement"}, {(32, 32)}, 6),
    ],
)
def test_crops(make_study, scene, crop, sizes, contents):
    stimuli = {
        "root": "../../out", "pattern": "{method}/{content}.png",
        "reference": {"root": "../../hr"}, "crop": crop,
    }  # fmt: skip
    study = make_study(stimuli=stimuli)
    rows = list(study.stimuli.values())
    assert {(row["height"], row["width"]) for row in rows} == sizes
    assert len({row["content"] for row in rows}) == contents
    for content in {row["content"] for row in rows}:
        assert len({str(row["crop"]) for row in rows if row["content"] == content}) == 1
    row = rows[0]
    if row["crop"]:
        top, left, height, width = row["crop"]
        source = imagecodecs.png_decode((scene / "out" / row["source"]).read_bytes())
        part = source[top : top + height, left : left + width]
        assert np.array_equal(imagecodecs.png_decode(png_of(study, row["name"])), part)


def test_disagreement_is_that_of_the_ranks():
    same = np.array([[1.0, 2, 3], [10, 20, 30]])
    opposite = np.array([[1.0, 2, 3], [3, 2, 1]])
    one_pair = np.array([[1.0, 2, 3], [2, 1, 3]])
    assert _disagreement(same) == 0
    assert _disagreement(opposite) == 2
    assert _disagreement(one_pair) == pytest.approx(2 / 3)


def test_a_crop_that_is_too_large_is_refused(make_study):
    stimuli = {"root": "../../out", "pattern": "{method}/{content}.png",
               "crop": {"size": 512, "policy": "grid"}}  # fmt: skip
    with pytest.raises(MismatchError, match="smaller than the crop"):
        make_study(stimuli=stimuli)


def test_disputed_crops_need_references(make_study):
    stimuli = {"root": "../../out", "pattern": "{method}/{content}.png",
               "crop": {"size": 32, "policy": "max_metric_disagreement"}}  # fmt: skip
    with pytest.raises(UsageError, match="max_metric_disagreement needs"):
        make_study(stimuli=stimuli)


def test_sizes_that_differ_are_told(make_study, scene):
    write(scene / "out/two/c.png", picture("c", 50, 56))
    with pytest.raises(MismatchError, match="content 'c' differ in size"):
        make_study()


def test_include_and_exclude_choose(make_study):
    stimuli = {
        "root": "../../out", "pattern": "{method}/{content}.png",
        "reference": {"method": "four"}, "include": {"method": ["one", "two"]},
        "exclude": {"content": ["f"]},
    }  # fmt: skip
    study = make_study(stimuli=stimuli)
    rows = list(study.stimuli.values())
    assert {row["method"] for row in rows if row["role"] == "test"} == {"one", "two"}
    assert {row["method"] for row in rows if row["role"] == "reference"} == {"four"}
    assert "f" not in {row["content"] for row in rows}


@pytest.mark.parametrize(
    ("stimuli", "said"),
    [
        ({"root": "../../nowhere"}, "There is no folder"),
        ({"root": "../../out", "include": {"method": ["nine"]}}, "No picture .* is left"),
        ({"root": "../../out", "reference": {"method": "nine"}}, "is of the reference method"),
        ({"root": "builtin:other"}, "There is no builtin:other"),
    ],
)
def test_folders_without_pictures_are_told(make_study, stimuli, said):
    with pytest.raises(InputError, match=said):
        make_study(stimuli=stimuli)


def test_nothing_is_done_twice_and_ids_stay(make_study, scene):
    study = make_study()
    before = {row["name"]: row["opaque"] for row in study.stimuli.values()}
    stamps = {p.name: p.stat().st_mtime_ns for p in study.stimulus_folder.iterdir()}
    assert study.prepare() == ()
    assert {p.name: p.stat().st_mtime_ns for p in study.stimulus_folder.iterdir()} == stamps
    write(scene / "out/one/a.png", picture("other", 48, 56))
    study.prepare()
    after = {row["name"]: row["opaque"] for row in study.stimuli.values()}
    assert {name for name in before if before[name] != after[name]} == {"a/one"}


def test_a_picture_may_not_change_under_its_answers(make_study, scene, visit):
    study = make_study()
    visit(study).to("done")
    write(scene / "out/one/a.png", picture("other", 48, 56))
    with pytest.raises(InputError, match=r"one/a\.png changed after answers"):
        study.prepare()
