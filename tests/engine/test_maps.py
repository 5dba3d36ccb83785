"""Maps as files: where they lie, what they hold, and what happens when something is in the way."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from support import noisy, picture, write

import srqa
from srqa.engine import mapfiles
from srqa.engine.mapfiles import NO_VALUE, Facts, palette, paths, read_facts, read_levels
from srqa.engine.mapping import Style
from srqa.engine.maps import make_maps
from srqa.errors import OutputError, UsageError, WeightsError
from srqa.images.layout import Item
from srqa.metrics import maps

NAMES = "error,ssim-y"


@pytest.fixture
def draw(pictures, tmp_path):
    """``draw(...)`` makes maps of `pictures` in tmp_path/maps at scale 4."""

    def call(**options):
        settings = {"scale": 4, "names": NAMES} | options
        return make_maps([pictures / "out"], pictures / "hr", tmp_path / "maps", **settings)

    return call


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def expected(pictures, name, method, content, crop):
    """The values as Python gives them, in the picture's own frame."""
    a, b = (
        np.asarray(Image.open(p))
        for p in (pictures / "out" / method / f"{content}.png", pictures / "hr" / f"{content}.png")
    )
    whole = np.full(a.shape[:2], np.nan, np.float32)
    inner = slice(crop, a.shape[0] - crop), slice(crop, a.shape[1] - crop)
    whole[inner] = srqa.difference_map(name, a[inner], b[inner])
    return whole


def test_where_they_lie(draw, tmp_path):
    made = draw()
    found = {p.relative_to(tmp_path / "maps").as_posix() for p in (tmp_path / "maps").rglob("*.*")}
    assert found == {
        f"{method}/{content}_{name}.png"
        for method in ("fine", "poor")
        for content in "abc"
        for name in ("error", "ssim-y")
    }
    assert [file.path.as_posix() for file in made.files[:2]] == [
        "fine/a_error.png",
        "fine/a_ssim-y.png",
    ]
    assert not made.failed


@pytest.mark.parametrize(("name", "crop"), [("error", 0), ("ssim-y", 4), ("delta-e", 4)])
def test_values(draw, pictures, tmp_path, name, crop):
    draw(names=name, style=Style("float"))
    stored = tifffile.imread(tmp_path / f"maps/fine/b_{name}.tiff")
    assert stored.dtype == np.float32
    assert stored == pytest.approx(
        expected(pictures, name, "fine", "b", crop), abs=1e-5, nan_ok=True
    )


def test_the_mean_is_what_evaluate_says(draw, evaluate):
    run = evaluate(metrics="ssim-y,mse,delta-e")
    values = {(r.method, r.content, r.metric): r.value for r in run.score_rows}
    for file in draw(names="ssim-y,mse,delta-e").files:
        key = (file.item.method, file.item.content, file.map.name)
        assert file.map.score(file.facts.mean) == pytest.approx(values[key], rel=1e-6)


@pytest.mark.parametrize("colours", ["inferno", "viridis", "cividis"])
def test_colours(draw, pictures, tmp_path, colours):
    draw(style=Style("colour", colours, {"error": 32.0}))
    for name, crop, peak in (("error", 0, 32.0), ("ssim-y", 4, 1.0)):
        values = expected(pictures, name, "poor", "c", crop)
        with Image.open(tmp_path / f"maps/poor/c_{name}.png") as image:
            assert image.mode == "P"
            seen = np.asarray(image.convert("RGBA"))
        nothing = np.isnan(values)
        assert np.array_equal(seen[..., 3] == 0, nothing)
        level = np.rint(np.clip(np.nan_to_num(values) / peak, 0, 1) * 254).astype(int)
        wanted = palette(colours)[:255][level]
        close = np.abs(seen[..., :3].astype(int) - wanted).max(axis=-1)[~nothing]
        assert np.mean(close == 0) > 0.99  # a value may lie on the edge between two levels
        assert close.max() <= 12
        facts = read_facts(tmp_path / f"maps/poor/c_{name}.png")
        again = read_levels(tmp_path / f"maps/poor/c_{name}.png", facts)
        assert np.abs(again.astype(int) - level)[~nothing].max() <= 1
        assert (again[nothing] == NO_VALUE).all()


@pytest.mark.parametrize("colours", ["inferno", "viridis", "cividis"])
def test_palettes_go_evenly_from_dark_to_light(colours):
    table = palette(colours)
    lightness = cv2.cvtColor(table[None, :255], cv2.COLOR_RGB2LAB)[0, :, 0].astype(float)
    assert (np.diff(lightness) >= -1).all()
    assert lightness[-1] - lightness[0] > 150
    thirds = np.diff(lightness[[0, 85, 170, 254]])
    assert thirds.min() > 0.7 * thirds.max()
    assert len({tuple(c) for c in table[:255].tolist()}) >= 253  # so that values can be read back


def test_gray_of_sixteen_bits(draw, pictures, tmp_path):
    draw(names="error", style=Style("gray", peaks={"error": 50.0}))
    stored = imagecodecs.png_decode((tmp_path / "maps/fine/a_error.png").read_bytes())
    assert stored.dtype == np.uint16
    values = expected(pictures, "error", "fine", "a", 0)
    assert stored * (50 / 65535) == pytest.approx(np.minimum(values, 50), abs=1e-3)


@pytest.mark.parametrize("form", ["colour", "gray", "float"])
def test_files_say_what_they_are(draw, pictures, tmp_path, form):
    made = draw(style=Style(form))
    file = made.files[1]
    facts = read_facts(tmp_path / "maps" / file.path)
    assert facts == file.facts
    assert facts.map == "ssim-y"
    assert facts.signature == "ssim-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | map"
    values = expected(pictures, "ssim-y", "fine", "a", 4)
    assert facts.mean == pytest.approx(np.nanmean(values), rel=1e-5)
    assert facts.high == pytest.approx(np.nanpercentile(values, 99.5), rel=1e-3)
    assert facts.beyond == np.mean(values[~np.isnan(values)] > 1)


def test_datasets_scales_and_odd_names():
    def item(method, content, dataset="", scale=4.0):
        return Item(dataset, content, scale, method, Path("x"), Path("y"))

    items = [
        item("mé thod", "bild ä", "Set5"),
        item("mé thod", "bild ä", "Set5", 2.0),
        item("..", "../../etc/passwd"),
        item("a/b", 'q?"<>|*:\\'),
        item("A", "x"),
        item("a", "X"),
        item("long", "ä" * 200),
        item("long", "ä" * 200 + "b"),
    ]
    found = list(paths(items, ["error"], ".png").values())
    assert found[:2] == [
        PurePosixPath("mé thod/Set5/bild ä_x4_error.png"),
        PurePosixPath("mé thod/Set5/bild ä_x2_error.png"),
    ]
    assert len({str(p).casefold() for p in found}) == len(items)
    for path in found:
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert not set('<>:"\\|?*') & set(str(path))
        assert all(len(part.encode()) < 200 for part in path.parts)


def test_two_methods_that_differ_in_capitals(tmp_path):
    for method in ("net", "NET"):
        write(tmp_path / "out" / method / "a.png", noisy(picture(), 4))
    if len(list((tmp_path / "out").iterdir())) == 1:
        pytest.skip("this file system takes the two for one")
    write(tmp_path / "hr" / "a.png", picture())
    made = make_maps([tmp_path / "out"], tmp_path / "hr", tmp_path / "maps", names="error")
    assert sorted(file.path.name for file in made.files) == ["a_error.png", "a_error~2.png"]


class TestFilesThatAreThere:
    def test_refused(self, draw, tmp_path):
        draw()
        before = contents(tmp_path / "maps")
        with pytest.raises(OutputError, match=r"fine/a_error.png, .* and 9 more") as caught:
            draw()
        assert "--overwrite" in caught.value.hint
        assert "--resume" in caught.value.hint
        assert contents(tmp_path / "maps") == before

    def test_overwrite(self, draw, tmp_path):
        draw()
        before = contents(tmp_path / "maps")
        made = draw(overwrite=True, style=Style(peaks={"error": 8.0}))
        assert all(file.made for file in made.files)
        after = contents(tmp_path / "maps")
        assert before.keys() == after.keys()
        assert {name for name in after if after[name] != before[name]} == {
            name for name in after if "error" in name
        }

    def test_resume_makes_what_is_missing_or_changed(self, draw, pictures, tmp_path):
        draw()
        before = contents(tmp_path / "maps")
        (tmp_path / "maps/fine/a_error.png").unlink()
        write(pictures / "out/poor/b.png", noisy(picture("b", 32, 40), 20))
        made = draw(resume=True)
        new = {file.path.as_posix() for file in made.files if file.made}
        assert new == {"fine/a_error.png", "poor/b_error.png", "poor/b_ssim-y.png"}
        assert len(made.files) == 12
        after = contents(tmp_path / "maps")
        assert after["fine/a_error.png"] == before["fine/a_error.png"]
        assert {name for name in after if after[name] != before[name]} == new - {"fine/a_error.png"}

    @pytest.mark.parametrize(
        "options",
        [{"style": Style(peaks={"error": 9.0})}, {"style": Style("colour", "viridis")},
         {"protocol": "matlab"}, {"on_mismatch": "crop"}],
    )  # fmt: skip
    def test_resume_makes_again_what_would_be_otherwise(self, draw, tmp_path, options):
        draw(names="error,ssim-y")
        draw(names="error,ssim-y", resume=True, **options)
        resumed = contents(tmp_path / "maps")
        shutil.rmtree(tmp_path / "maps")
        draw(names="error,ssim-y", **options)
        assert resumed == contents(tmp_path / "maps")

    def test_resume_leaves_strangers_alone(self, draw, pictures, tmp_path):
        (tmp_path / "maps/fine").mkdir(parents=True)
        shutil.copy(pictures / "hr/a.png", tmp_path / "maps/fine/a_error.png")
        with pytest.raises(OutputError, match=r"fine/a_error.png, which is no map"):
            draw(resume=True)

    def test_damaged_map_is_a_stranger(self, draw, tmp_path):
        draw()
        path = tmp_path / "maps/fine/a_error.png"
        path.write_bytes(path.read_bytes()[:-20])
        assert read_facts(path) is None

    def test_both_at_once(self, draw):
        with pytest.raises(UsageError):
            draw(resume=True, overwrite=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_and_resumed(draw, tmp_path, workers):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(progress=stop, workers=workers)
    left = contents(tmp_path / "maps")
    assert left
    assert not [name for name in left if "tmp" in name]
    assert all(read_facts(tmp_path / "maps" / name) for name in left)
    made = draw(resume=True)
    assert sum(not file.made for file in made.files) == len(left)
    resumed = contents(tmp_path / "maps")
    shutil.rmtree(tmp_path / "maps")
    draw()
    assert resumed == contents(tmp_path / "maps")


def test_progress_counts_pictures(draw):
    seen = []
    draw(progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


def test_a_damaged_picture_stops_no_other(draw, pictures, tmp_path):
    (pictures / "out/fine/b.png").write_bytes(b"no picture")
    (pictures / "hr/c.png").write_bytes(b"")
    made = draw()
    assert sorted({file.item.name for file in made.failed}) == [
        "fine/b.png",
        "fine/c.png",
        "poor/c.png",
    ]
    assert len(contents(tmp_path / "maps")) == 6


def test_sizes_that_differ(draw, pictures, tmp_path):
    write(pictures / "out/fine/a.png", picture("a", 30, 36))
    made = draw()
    assert {file.item.name for file in made.failed} == {"fine/a.png"}
    assert "30" in made.failed[0].problem
    draw(overwrite=True, on_mismatch="crop")
    with Image.open(tmp_path / "maps/fine/a_error.png") as image:
        assert image.size == (36, 30)


def test_too_small_is_not_a_failure(draw, pictures, tmp_path):
    for place in ("hr", "out/fine", "out/poor"):
        write(pictures / place / "a.png", np.zeros((14, 14, 3), np.uint8))
    made = draw()
    assert not made.failed
    lacking = [file for file in made.files if file.problem]
    assert {(file.item.content, file.map.name) for file in lacking} == {("a", "ssim-y")}
    assert "too small" in lacking[0].problem
    assert (tmp_path / "maps/fine/a_error.png").exists()


def test_a_reference_is_decoded_once(draw, monkeypatch):
    from srqa.engine import runner

    decoded = []
    real = runner.decode

    def counting(data, name, policy):
        decoded.append(name)
        return real(data, name, policy)

    monkeypatch.setattr(runner, "decode", counting)
    draw(names="error,ssim-y,mse,delta-e")
    assert sorted(decoded) == sorted(
        [f"{m}/{c}.png" for m in ("fine", "poor") for c in "abc"] + [f"{c}.png" for c in "abc"]
    )


def test_sixteen_bits_under_real(tmp_path):
    hr = np.full((16, 16, 3), 1000, np.uint16)
    write(tmp_path / "hr/a.png", hr)
    write(tmp_path / "out/a.png", hr + 257)
    options = {"names": "error", "protocol": "real", "style": Style("float")}
    make_maps([tmp_path / "out"], tmp_path / "hr", tmp_path / "maps", **options)
    found = tifffile.imread(tmp_path / "maps/out/a_error.tiff")
    assert found == pytest.approx(np.ones((16, 16)), abs=1e-4)


class TestNotes:
    def test_scale_too_short_and_too_long(self, draw):
        short = " ".join(draw(names="error", style=Style(peaks={"error": 1.0})).notes)
        assert "beyond the end of the scale, 1; --peak error=" in short
        long = " ".join(
            draw(names="error", overwrite=True, style=Style(peaks={"error": 2000.0})).notes
        )
        assert "far from the end of the scale, 2000; --peak error=" in long
        suggested = float(long.partition("--peak error=")[2].split()[0])
        fitting = draw(names="error", overwrite=True, style=Style(peaks={"error": suggested}))
        assert fitting.notes == ()

    def test_scale_unknown(self, draw):
        assert "ssim-y" in " ".join(draw(scale=None).notes)
        assert draw(scale=None, names="error", overwrite=True).notes == ()


class TestRefusals:
    @pytest.mark.parametrize("place", ["out", "out/maps", "hr", "hr/maps"])
    def test_a_folder_among_the_pictures(self, pictures, place):
        with pytest.raises(UsageError, match="lies inside"):
            make_maps([pictures / "out"], pictures / "hr", pictures / place)

    @pytest.mark.parametrize("peaks", [{"error": 0.0}, {"error": float("nan")}, {"lpips": 1.0}])
    def test_peaks(self, draw, tmp_path, peaks):
        with pytest.raises(UsageError, match="peak"):
            draw(style=Style(peaks=peaks))
        assert not (tmp_path / "maps").exists()

    def test_empty_name(self, draw):
        with pytest.raises(UsageError, match="empty name"):
            draw(names="error,")

    def test_no_rights(self, draw, tmp_path, ordinary_user):
        draw(names="error")
        shutil.rmtree(tmp_path / "maps")
        (tmp_path / "maps").mkdir(mode=0o555)
        with ordinary_user(), pytest.raises(OutputError, match="No rights"):
            draw(names="error")

    def test_a_file_in_the_way(self, draw, tmp_path):
        (tmp_path / "maps").mkdir()
        (tmp_path / "maps/fine").write_text("a file")
        with pytest.raises(OutputError, match="a file stands in the way"):
            draw()

    def test_writing_that_fails_stops_and_leaves_nothing_half(self, draw, tmp_path, monkeypatch):
        """The third file meets a full disk."""
        real, begun = mapfiles.coded, []

        def failing(*arguments):
            begun.append(1)
            if len(begun) > 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        monkeypatch.setattr(mapfiles, "coded", failing)
        with pytest.raises(OutputError, match="No space is left"):
            draw(workers=1)
        left = contents(tmp_path / "maps")
        assert len(left) == 2
        assert all(read_facts(tmp_path / "maps" / name) for name in left)


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("srqa.weights.installed.find", lambda file: None)
    monkeypatch.setattr("srqa.weights.installed.read", lambda file: None)
    monkeypatch.setattr("srqa.metrics.networks._loaded", {})


def test_missing_weights(draw, no_weights, tmp_path):
    with pytest.raises(WeightsError, match="lpips-alex"):
        draw(names="error,lpips", offline=True)
    assert not (tmp_path / "maps").exists()
    made = draw(names=None, offline=True)
    assert {file.map.name for file in made.files} == {"error", "ssim-y"}
    assert "lpips left out" in " ".join(made.notes)


def test_facts_of_what_is_no_map(tmp_path, pictures):
    facts = Facts("error", "s", 1.0, "", "colour", "inferno", ("a", "b"))
    assert facts.same_making(replace(facts, mean=3.0))
    assert not facts.same_making(replace(facts, inputs=("a", "c")))
    assert read_facts(pictures / "hr/a.png") is None
    for text in ("[]", "{}", json.dumps({"map": "error"}), "nonsense"):
        path = tmp_path / "x.tiff"
        tifffile.imwrite(path, np.zeros((4, 4), np.float32), description=text, metadata=None)
        assert read_facts(path) is None


def test_every_map_has_a_scale():
    for name in maps.names():
        assert maps.get(name).peak > 0
