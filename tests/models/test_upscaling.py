"""Files through a model: names, metadata, resuming, and all that can be wrong with them."""

import errno
import io
import json
import shutil

import numpy as np
import pytest
import torch
from made_upscalers import convolutions, doing, twice
from PIL import Image
from support import picture, write

import srqa
from srqa.errors import InputError, OutputError, RunError, UsageError
from srqa.images.bands import SUFFIXES, Target, write_bands
from srqa.images.original import read_original
from srqa.images.read import read
from srqa.models.upscaling import upscale_files

TWICE = doing("twice", twice)


def twice_array(pixels):
    return pixels.repeat(2, 0).repeat(2, 1)


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b", "sub/c"):
        write(tmp_path / "lr" / f"{name}.png", picture(name, 20, 24))
    return tmp_path / "lr"


class TestWriting:
    @pytest.mark.parametrize("kind", ["png", "tiff"])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    def test_lossless(self, tmp_path, rng, kind, dtype, channels):
        pixels = rng.integers(0, np.iinfo(dtype).max, (300, 41, channels), dtype, endpoint=True)
        pixels[:100] = pixels[:1]  # rows for which other filters are best
        pixels[100:200] = np.arange(41)[:, None] * 3
        target = Target(300, 41, channels, pixels.dtype, kind)
        path = tmp_path / f"p{SUFFIXES[kind]}"
        write_bands(path, target, [pixels[:7], pixels[7:130], pixels[130:]])
        found = read_original(path)
        planes = found.pixels if found.pixels.ndim == 3 else found.pixels[..., None]
        np.testing.assert_array_equal(planes, pixels[..., : planes.shape[2]])
        if channels in (2, 4):
            np.testing.assert_array_equal(found.alpha, pixels[..., -1])

    @pytest.mark.parametrize("channels", [1, 3])
    def test_pillow_reads_the_same(self, tmp_path, channels):
        pixels = picture("a", 70, 33)[..., :channels]
        write_bands(tmp_path / "a.png", Target(70, 33, channels, pixels.dtype), [pixels])
        with Image.open(tmp_path / "a.png") as image:
            np.testing.assert_array_equal(np.asarray(image).reshape(pixels.shape), pixels)

    def test_float_tiff(self, tmp_path, rng):
        pixels = rng.random((20, 30, 3)).astype(np.float32)
        write_bands(tmp_path / "a.tif", Target(20, 30, 3, pixels.dtype, "tiff"), [pixels])
        np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, pixels)
        with pytest.raises(UsageError, match="float samples"):
            write_bands(tmp_path / "a.png", Target(20, 30, 3, pixels.dtype), [pixels])

    def test_what_formats_cannot_hold(self, tmp_path):
        byte = np.dtype(np.uint8)
        for target, words in (
            (Target(9, 70_000, 3, byte, "jpg"), "65500 a side"),
            (Target(20_000, 9, 3, byte, "webp"), "16383 a side"),
            (Target(9, 9, 4, byte, "jpg"), "JPEG cannot hold"),
            (Target(9, 9, 3, byte, "gif"), "cannot be written as gif"),
        ):
            with pytest.raises(UsageError, match=words):
                write_bands(tmp_path / "x", target, [])

    def test_rows_that_are_missing(self, tmp_path):
        target = Target(9, 9, 3, np.dtype(np.uint8))
        with pytest.raises(OutputError, match="rows"):
            write_bands(tmp_path / "x.png", target, [np.zeros((4, 9, 3), np.uint8)])
        assert list(tmp_path.iterdir()) == []


def photo(path, pixels, orientation=6, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[0xA002] = 4000
    Image.fromarray(pixels).save(path, exif=exif, **options)
    return path


class TestWhatIsKept:
    def test_exif_upright(self, tmp_path):
        source = photo(tmp_path / "p.jpg", picture("p", 20, 30), quality=95)
        upright = read(source).pixels
        assert upright.shape == (30, 20, 3)
        for kind in ("png", "jpg", "webp"):
            (made,) = upscale_files(source, TWICE, format=kind).outputs
            with Image.open(made) as image:
                tags = image.getexif()
                assert image.size == (40, 60)
                assert tags[0x010F] == "Maker"
                assert tags.get(0x0112) == 1
                inner = tags.get_ifd(0x8769)
                assert inner[0x9003] == "2024:05:06 07:08:09"
                assert 0xA002 not in inner
            if kind == "png":
                np.testing.assert_array_equal(read(made).pixels, twice_array(upright))

    @pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tiff"])
    def test_profile(self, tmp_path, kind):
        import imagecodecs

        profile = bytes(imagecodecs.cms_profile("adobergb"))
        Image.fromarray(picture("p")).save(tmp_path / "p.png", icc_profile=profile)
        (made,) = upscale_files(tmp_path / "p.png", TWICE, format=kind).outputs
        assert read_original(made).icc == profile

    def test_sixteen_bits_and_alpha(self, tmp_path, rng):
        pixels = rng.integers(0, 65535, (12, 14, 4), np.uint16)
        source = write(tmp_path / "p.png", pixels)
        (made,) = upscale_files(source, TWICE).outputs
        found = read_original(made)
        np.testing.assert_array_equal(found.pixels, twice_array(pixels[..., :3]))
        assert found.alpha.shape == (24, 28)
        assert found.alpha.dtype == np.uint16

    def test_sixteen_bits_into_eight_is_said(self, tmp_path):
        source = write(tmp_path / "p.png", picture("p").astype(np.uint16) * 257)
        made = upscale_files(source, TWICE, format="webp", quality=100)
        assert "16 bits rounded to the 8 of webp" in made.rows[0].notes
        np.testing.assert_array_equal(read(made.outputs[0]).pixels, twice_array(picture("p")))

    def test_grey_stays_grey(self, tmp_path):
        source = write(tmp_path / "p.png", picture("p")[..., 0])
        (made,) = upscale_files(source, TWICE).outputs
        np.testing.assert_array_equal(read(made).pixels, twice_array(picture("p")[..., 0]))

    def test_cmyk(self, tmp_path):
        Image.fromarray(picture("p")).convert("CMYK").save(tmp_path / "p.jpg")
        made = upscale_files(tmp_path / "p.jpg", TWICE)
        assert "CMYK converted to RGB" in made.rows[0].notes
        assert read(made.outputs[0]).channels == 3

    def test_premultiplied_alpha_is_divided(self, tmp_path):
        import tifffile

        pixels = np.zeros((8, 8, 4), np.uint8)
        pixels[:] = (50, 20, 100, 128)
        tifffile.imwrite(tmp_path / "p.tif", pixels, photometric="rgb", extrasamples=["assocalpha"])
        found = read_original(tmp_path / "p.tif")
        np.testing.assert_array_equal(found.pixels[0, 0], [100, 40, 199])


class TestNames:
    def test_one_picture_beside_itself(self, tmp_path):
        source = write(tmp_path / "my photo.v2.png", picture("a"))
        made = upscale_files(source, TWICE)
        assert [p.name for p in made.outputs] == ["my photo.v2_twice.png"]
        assert made.manifest == tmp_path / "my photo.v2_twice.png.json"

    def test_a_folder(self, folder, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        made = upscale_files(folder, TWICE)
        assert [p.as_posix() for p in made.outputs] == [
            "outputs/twice/a.png", "outputs/twice/b.png", "outputs/twice/sub/c.png",
        ]  # fmt: skip

    def test_patterns_and_formats(self, folder, tmp_path):
        made = upscale_files(
            folder,
            TWICE,
            out=tmp_path / "o",
            name="{name}_{model}_x{scale}_{suffix}",
            format="tiff",
        )
        assert made.outputs[0].name == "a_twice_x2_png.tif"

    def test_a_file_as_out(self, tmp_path):
        source = write(tmp_path / "a.png", picture("a"))
        (made,) = upscale_files(source, TWICE, out=tmp_path / "deep" / "b.webp").outputs
        assert made == tmp_path / "deep" / "b.webp"
        assert read(made).format == "webp"
        with pytest.raises(UsageError, match="by its suffix"):
            upscale_files(source, TWICE, out=tmp_path / "b.jpg", format="png")

    @pytest.mark.parametrize("pattern", ["{name", "{content}", "fixed", "{model}", "a/{name}"])
    def test_patterns_that_cannot_be(self, folder, pattern):
        with pytest.raises(UsageError, match="pattern"):
            upscale_files(folder, TWICE, name=pattern)

    def test_clashes(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "lr" / "a.png", picture("a"))
        Image.fromarray(picture("a")).save(tmp_path / "lr" / "A.jpg")
        with pytest.raises(InputError, match="would be written to one file"):
            upscale_files("lr", TWICE)
        assert not (tmp_path / "outputs").exists()
        assert len(upscale_files("lr", TWICE, name="{name}_{suffix}").outputs) == 2

    def test_an_input_is_never_written_over(self, folder):
        with pytest.raises(InputError, match="written over"):
            upscale_files(folder, TWICE, out=folder)
        source = folder / "a.png"
        with pytest.raises(InputError, match="written over"):
            upscale_files(source, TWICE, name="{name}", overwrite=True)

    def test_results_inside_the_input_folder_are_no_inputs(self, folder):
        for _ in range(2):
            made = upscale_files(folder, TWICE, out=folder / "large", resume=True)
            assert len(made.rows) == 3
        assert made.kept == 3

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(InputError, match="does not exist"):
            upscale_files(tmp_path / "none", TWICE)
        (tmp_path / "empty").mkdir()
        with pytest.raises(InputError, match="no pictures"):
            upscale_files(tmp_path / "empty", TWICE)
        with pytest.raises(UsageError, match="No model is given"):
            upscale_files(tmp_path / "empty")


class TestResuming:
    def test_what_is_there_is_not_done_again(self, folder, tmp_path):
        out = tmp_path / "o"
        calls = []

        def run(pictures, _scale):
            calls.append(1)
            return twice(pictures)

        first = upscale_files(folder, doing("counting", run), out=out)
        count = len(calls)
        with pytest.raises(RunError, match="results of counting already"):
            upscale_files(folder, doing("counting", run), out=out)
        second = upscale_files(folder, doing("counting", run), out=out, resume=True)
        assert len(calls) == count
        assert second.rows == first.rows
        write(folder / "b.png", picture("changed", 20, 24))
        (out / "sub" / "c.png").write_bytes(b"damaged")
        write(folder / "d.png", picture("d", 20, 24))
        third = upscale_files(folder, doing("counting", run), out=out, resume=True)
        assert (third.kept, len(third.rows)) == (1, 4)
        np.testing.assert_array_equal(
            read(out / "b.png").pixels, twice_array(picture("changed", 20, 24))
        )
        assert read(out / "sub" / "c.png").width == 48

    def test_killed_and_resumed_equals_uninterrupted(self, folder, tmp_path):
        """Byte for byte, though it is broken off within a picture."""
        settings = {"tile": 16, "scale": 2}
        upscale_files(folder, convolutions(), out=tmp_path / "whole", **settings)
        left = [6]  # one is spent on getting warm

        class Broken(BaseException):
            pass

        network = convolutions()

        def run(pictures, scale):
            left[0] -= 1
            if left[0] < 0:
                raise Broken
            return network.run(pictures, scale)

        breaking = doing("convolutions", run, module=network.module, halo=3)
        with pytest.raises(Broken):
            upscale_files(folder, breaking, out=tmp_path / "parts", **settings)
        assert [p.name for p in (tmp_path / "parts").glob("*.png")] == ["a.png"]
        assert (tmp_path / "parts" / ".upscale.jsonl").exists()
        left[0] = 1000
        made = upscale_files(folder, breaking, out=tmp_path / "parts", resume=True, **settings)
        assert made.kept == 1
        for path in (tmp_path / "whole").rglob("*.png"):
            other = tmp_path / "parts" / path.relative_to(tmp_path / "whole")
            assert path.read_bytes() == other.read_bytes()
        documents = [json.loads((tmp_path / p / "upscale.json").read_text())
                     for p in ("whole", "parts")]  # fmt: skip
        for document in documents:
            document["chosen"].pop("memory")
            for row in document["pictures"]:
                row.pop("seconds")
        assert documents[0] == documents[1]
        left_over = {p.name for p in (tmp_path / "parts").iterdir()}
        assert left_over == {"a.png", "b.png", "sub", "upscale.json"}

    def test_the_journal_may_be_cut_off(self, folder, tmp_path):
        out = tmp_path / "o"
        upscale_files(folder, TWICE, out=out)
        document = json.loads((out / "upscale.json").read_text())
        lines = [json.dumps({k: document[k] for k in ("settings", "chosen")})]
        lines += [json.dumps(row) for row in document["pictures"]]
        (out / "upscale.json").unlink()
        (out / ".upscale.jsonl").write_text("\n".join(lines)[:-40])
        assert upscale_files(folder, TWICE, out=out, resume=True).kept == 2

    def test_other_settings(self, folder, tmp_path):
        upscale_files(folder, TWICE, out=tmp_path / "o")
        with pytest.raises(RunError, match=r"other settings \(outscale, format, quality\)"):
            upscale_files(folder, TWICE, out=tmp_path / "o", resume=True, outscale=3, format="webp")
        with pytest.raises(RunError, match=r"other settings \(weights\)"):
            upscale_files(folder, doing("twice", twice, module=torch.nn.Linear(2, 2)),
                          out=tmp_path / "o", resume=True)  # fmt: skip
        made = upscale_files(folder, TWICE, out=tmp_path / "o", overwrite=True, outscale=3)
        assert read(made.outputs[0]).width == 72
        with pytest.raises(UsageError, match="contradict"):
            upscale_files(folder, TWICE, out=tmp_path / "o", resume=True, overwrite=True)

    def test_a_file_that_is_there_is_not_replaced_quietly(self, tmp_path):
        source = write(tmp_path / "a.png", picture("a"))
        write(tmp_path / "a_twice.png", picture("precious"))
        with pytest.raises(InputError, match="exists already"):
            upscale_files(source, TWICE)
        np.testing.assert_array_equal(read(tmp_path / "a_twice.png").pixels, picture("precious"))

    def test_one_process_at_a_time(self, folder, tmp_path):
        from filelock import FileLock

        (tmp_path / "o").mkdir()
        with (
            FileLock(tmp_path / "o" / ".upscale.lock"),
            pytest.raises(RunError, match="Another process"),
        ):
            upscale_files(folder, TWICE, out=tmp_path / "o")


class TestBadInput:
    def test_pictures_that_fail_do_not_stop_the_others(self, folder, tmp_path):
        (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:-20])
        (folder / "empty.png").write_bytes(b"")
        made = upscale_files(folder, TWICE, out=tmp_path / "o")
        assert [row.input for row in made.problems] == ["cut.png", "empty.png"]
        assert "truncated" in made.problems[0].problem
        assert len(made.outputs) == 3

    def test_nan_is_reported_and_not_written(self, folder, tmp_path):
        given = {name: read(folder / f"{name}.png").pixels[0, 0, 0] for name in ("a", "b", "sub/c")}
        limit = sorted(given.values())[1]
        bad = {name for name, value in given.items() if value > limit}

        def run(pictures, _scale):
            made = twice(pictures)
            return made * torch.nan if pictures[0, 0, 0, 0] * 255 > limit + 0.5 else made

        made = upscale_files(folder, doing("sick", run), out=tmp_path / "o")
        assert {row.input.removesuffix(".png") for row in made.problems} == bad
        for name in given:
            assert (tmp_path / "o" / f"{name}.png").exists() == (name not in bad)
        assert "NaN" in made.problems[0].problem
        assert not list((tmp_path / "o").rglob(".*.tmp"))

    def test_no_space_left(self, folder, tmp_path, monkeypatch):
        """What is finished is kept, and --resume goes on."""
        from srqa.images import bands

        real, left = bands._chunk, [4]

        def chunk(out, name, content):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(out, name, content)

        monkeypatch.setattr(bands, "_chunk", chunk)
        with pytest.raises(OutputError, match="No space is left"):
            upscale_files(folder, TWICE, out=tmp_path / "o")
        assert [p.name for p in (tmp_path / "o").rglob("*.png")] == ["a.png"]
        left[0] = 1000
        assert upscale_files(folder, TWICE, out=tmp_path / "o", resume=True).kept == 1

    def test_no_rights(self, folder, tmp_path, ordinary_user):
        upscale_files(folder, TWICE, out=tmp_path / "first")
        (tmp_path / "o").mkdir(mode=0o555)
        with ordinary_user(), pytest.raises(OutputError, match="No rights"):
            upscale_files(folder, TWICE, out=tmp_path / "o")

    def test_float_pictures_go_into_tiff_only(self, tmp_path, rng):
        pixels = rng.random((10, 11, 3)).astype(np.float32)
        write_bands(tmp_path / "f.tif", Target(10, 11, 3, pixels.dtype, "tiff"), [pixels])
        made = upscale_files(tmp_path / "f.tif", TWICE)
        assert "--format tiff" in made.problems[0].problem
        made = upscale_files(tmp_path / "f.tif", TWICE, format="tiff")
        np.testing.assert_allclose(read(made.outputs[0]).pixels, twice_array(pixels), atol=1e-7)


class TestArrays:
    @pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3), (9, 8, 4)])
    def test_arrays(self, rng, shape):
        pixels = rng.integers(0, 255, shape, np.uint8)
        made = srqa.upscale(pixels, TWICE)
        assert made.shape == (18, 16, *shape[2:])
        colours = slice(None) if len(shape) == 2 else (..., slice(3))
        np.testing.assert_array_equal(made[colours], twice_array(pixels[colours]))

    @pytest.mark.parametrize("pixels", [
        np.zeros((2, 3, 5), np.uint8), np.zeros(3), np.zeros((3, 3), np.int64),
        np.full((3, 3), 1.5), np.full((3, 3), np.nan),
    ])  # fmt: skip
    def test_others(self, pixels):
        with pytest.raises(UsageError):
            srqa.upscale(pixels, TWICE)

    def test_options_for_files(self):
        with pytest.raises(UsageError, match="options for files"):
            srqa.upscale(np.zeros((3, 3), np.uint8), TWICE, format="png")
        with pytest.raises(UsageError, match="say which"):
            srqa.upscale(np.zeros((3, 3), np.uint8), "bicubic")


@pytest.mark.slow
def test_large_pictures_take_little_memory(tmp_path):
    """A tall picture, x2 and 16 times as large as what is allowed, in a process that is watched."""
    import subprocess
    import sys

    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    write(tmp_path / "tall.png", np.tile(picture("t", 64, 64), (120, 32, 1)))
    code = f"""
import sys; sys.path.insert(0, {str(__import__("pathlib").Path(__file__).parents[1])!r})
from made_upscalers import convolutions
from srqa.models.upscaling import upscale_files
from srqa.images.read import read
import numpy as np
def peak():
    text = open("/proc/self/status").read()
    return int(text.split("VmHWM:")[1].split()[0]) // 1024
upscale_files({str(tmp_path / "small.png")!r}, convolutions(), memory="80MB")
before = peak()
upscale_files({str(tmp_path / "tall.png")!r}, convolutions(), memory="80MB")
print(peak() - before)
"""
    write(tmp_path / "small.png", picture("s", 300, 300))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # The result alone is 180 MB at 8 bits and 720 MB as floats; the input is 45 MB.
    assert int(done.stdout) < 330
    with Image.open(tmp_path / "tall_convolutions.png") as image:
        assert image.size == (4096, 15360)


def test_reading_keeps_its_promises_for_odd_blocks(tmp_path):
    """A damaged EXIF block is not carried on, and does not stop anything."""
    stream = io.BytesIO()
    Image.fromarray(picture("a")).save(stream, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    assert read_original(tmp_path / "a.jpg").exif == b""
    assert upscale_files(tmp_path / "a.jpg", TWICE).problems == ()
    shutil.rmtree(tmp_path)
