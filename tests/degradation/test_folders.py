import json
import shutil

import numpy as np
import pytest
from support import picture, write

import srqa
from srqa.degradation.api import replay
from srqa.degradation.record import JOURNAL, MANIFEST, read_manifest
from srqa.errors import InputError, OutputError, PairingError, RunError, UsageError
from srqa.images.read import DecodePolicy, read
from srqa.images.resize import imresize

NAMES = ["a", "b c", "Set5/ä", "Set5/deep/d", "z"]


@pytest.fixture
def hr(tmp_path):
    folder = tmp_path / "hr"
    for name in NAMES:
        write(folder / f"{name}.png", picture(name, 49, 58))
    return folder


def content(folder):
    """Every file below a folder, but for what tells when it was made."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.name == MANIFEST:
                data = json.dumps(json.loads(data) | {"command": ""}).encode()
            found[path.relative_to(folder).as_posix()] = data
    return found


RANDOM = {"kernel": "aniso", "noise": (0, 20), "photons": 200, "codec": "jpeg", "quality": (20, 90)}


def test_folders_are_made_again(hr, tmp_path):
    made = srqa.degrade(hr, 4, out=tmp_path / "lr")
    assert made.made == len(NAMES)
    assert not made.failed
    for name in NAMES:
        expected = imresize(picture(name, 49, 58)[:48, :56], 0.25)
        assert np.array_equal(read(tmp_path / "lr" / f"{name}.png").pixels, expected)
    assert sorted(content(tmp_path / "lr")) == sorted([MANIFEST, *(f"{n}.png" for n in NAMES)])


@pytest.mark.parametrize("settings", [RANDOM, {"preset": "real-esrgan"}], ids=["own", "real"])
def test_neither_workers_nor_order_nor_company_change_a_byte(hr, tmp_path, settings):
    for workers in (1, 2, 5):
        srqa.degrade(hr, 4, out=tmp_path / f"w{workers}", seed=3, workers=workers, **settings)
    assert content(tmp_path / "w1") == content(tmp_path / "w2") == content(tmp_path / "w5")
    for name in ("a.png", "b c.png"):
        (hr / name).unlink()
    srqa.degrade(hr, 4, out=tmp_path / "fewer", seed=3, **settings)
    both = content(tmp_path / "fewer").items() & content(tmp_path / "w1").items()
    assert {name for name, _ in both} == {"Set5/ä.png", "Set5/deep/d.png", "z.png"}
    srqa.degrade(hr, 4, out=tmp_path / "other seed", seed=4, **settings)
    assert not content(tmp_path / "other seed").items() & content(tmp_path / "w1").items()


def test_files_are_what_pixels_of_their_names_become(hr, tmp_path):
    srqa.degrade(hr, 4, out=tmp_path / "lr", seed=3, **RANDOM)
    for name in NAMES:
        alone = srqa.degrade(picture(name, 49, 58), 4, seed=3, name=name, **RANDOM)
        assert np.array_equal(read(tmp_path / "lr" / f"{name}.png").pixels, alone)


def test_a_manifest_makes_the_same_files(hr, tmp_path):
    srqa.degrade(
        hr, preset="real-esrgan", out=tmp_path / "lr", seed=3, pairs=True, crop=24, step=20
    )
    made, differences = replay(tmp_path / "lr" / MANIFEST, hr, tmp_path / "again")
    assert made.made == len(NAMES)
    assert differences == []
    assert content(tmp_path / "again") == content(tmp_path / "lr")
    write(hr / "z.png", picture("other", 49, 58))
    (hr / "a.png").unlink()
    write(hr / "new.png", picture("new", 49, 58))
    made, differences = replay(tmp_path / "lr", hr, tmp_path / "third")
    assert sorted(differences) == ["a.png is missing", "z.png is another picture than that of the "
                                   "manifest"]  # fmt: skip
    assert [r.source for r in made.failed] == ["new.png"]


def test_the_manifest_says_how(hr, tmp_path):
    srqa.degrade(hr, 4, out=tmp_path / "lr", seed=3, **RANDOM)
    settings, records, versions = read_manifest(tmp_path / "lr")
    assert (settings.scale, settings.seed) == (4, 3)
    assert {"srqa", "numpy", "opencv-python-headless", "imagecodecs"} <= set(versions)
    assert [r.source for r in records] == sorted(f"{n}.png" for n in NAMES)
    for record in records:
        kinds = [type(step).__name__ for step in record.steps]
        assert kinds == ["Blur", "Downsample", "Noise", "Noise", "Compress"]
        assert record.files[0].box == (0, 0, 48, 56)


class Stop(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("torn", [False, True])
def test_what_was_interrupted_is_taken_up(hr, tmp_path, torn):
    def stop(done, total):
        if done == 3:
            raise Stop

    srqa.degrade(hr, 4, out=tmp_path / "whole", seed=3, **RANDOM)
    out = tmp_path / "lr"
    with pytest.raises(Stop):
        srqa.degrade(hr, 4, out=out, seed=3, workers=1, progress=stop, **RANDOM)
    assert (out / JOURNAL).exists()
    assert not (out / MANIFEST).exists()
    if torn:  # killed while it wrote
        with (out / JOURNAL).open("r+b") as file:
            file.truncate((out / JOURNAL).stat().st_size - 40)
        (out / ".a.png.123.tmp").write_bytes(b"half")
    with pytest.raises(OutputError, match="holds") as error:
        srqa.degrade(hr, 4, out=out, seed=3, **RANDOM)
    assert "--resume" in error.value.hint
    made = srqa.degrade(hr, 4, out=out, seed=3, resume=True, **RANDOM)
    assert made.made in ((2, 3) if torn else (1, 2))
    (out / ".a.png.123.tmp").unlink(missing_ok=True)
    assert content(out) == content(tmp_path / "whole")


def test_resuming_makes_what_is_missing_or_changed(hr, tmp_path):
    out = tmp_path / "lr"
    srqa.degrade(hr, 4, out=out, noise=5)
    before = content(out)
    assert srqa.degrade(hr, 4, out=out, noise=5, resume=True).made == 0
    assert content(out) == before
    (out / "a.png").unlink()
    (out / "z.png").write_bytes(b"damaged")
    write(hr / "b c.png", picture("new", 49, 58))
    assert srqa.degrade(hr, 4, out=out, noise=5, resume=True).made == 3
    changed = {name for name in before if before[name] != content(out)[name]}
    assert changed == {"b c.png", MANIFEST}
    with pytest.raises(RunError, match="other settings") as error:
        srqa.degrade(hr, 4, out=out, noise=6, resume=True)
    assert "--overwrite" in error.value.hint
    assert srqa.degrade(hr, 4, out=out, noise=6, overwrite=True).made == len(NAMES)
    with pytest.raises(UsageError, match="contradict"):
        srqa.degrade(hr, 4, out=out, resume=True, overwrite=True)


def test_a_folder_belongs_to_one_process(hr, tmp_path):
    from filelock import FileLock

    (tmp_path / "lr").mkdir()
    with FileLock(tmp_path / "lr" / ".lock"), pytest.raises(RunError, match="Another process"):
        srqa.degrade(hr, 4, out=tmp_path / "lr")


def test_pairs_fit_each_other(hr, tmp_path):
    srqa.degrade(hr, 4, out=tmp_path / "pairs", pairs=True, pattern="{content}x{scale}.png")
    for name in NAMES:
        high = read(tmp_path / "pairs" / "hr" / f"{name}x4.png").pixels
        low = read(tmp_path / "pairs" / "lr" / f"{name}x4.png").pixels
        assert np.array_equal(high, picture(name, 49, 58)[:48, :56])
        assert np.array_equal(low, imresize(high, 0.25))


def test_parts_cover_the_picture_and_fit_each_other(hr, tmp_path):
    """Inside, low resolution made of a part is the part of the low resolution."""
    out = tmp_path / "pairs"
    srqa.degrade(hr, 2, out=out, pairs=True, crop=24, step=16)
    whole = picture("a", 49, 58)[:48, :58]
    covered = np.zeros(whole.shape[:2], bool)
    _, records, _ = read_manifest(out)
    files = next(r.files for r in records if r.source == "a.png")
    assert len(files) == 3 * 4
    for one in files:
        top, left, height, width = one.box
        assert (height, width) == (24, 24)
        covered[top : top + 24, left : left + 24] = True
        high, low = read(out / one.hr).pixels, read(out / one.lr).pixels
        assert np.array_equal(high, whole[top : top + 24, left : left + 24])
        assert np.array_equal(low[3:-3, 3:-3], imresize(high, 0.5)[3:-3, 3:-3])
    assert covered.all()


def test_a_picture_smaller_than_a_part_is_one_part(tmp_path):
    write(tmp_path / "hr/a.png", picture("a", 20, 90))
    srqa.degrade(tmp_path / "hr", 2, out=tmp_path / "p", pairs=True, crop=40)
    shapes = [read(p).pixels.shape[:2] for p in sorted((tmp_path / "p/hr").iterdir())]
    assert shapes == [(20, 40)] * 3


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_compression_may_be_the_file_itself(hr, tmp_path, suffix):
    codec = {".jpg": "jpeg", ".webp": "webp"}[suffix]
    same = {"noise": 4, "codec": codec, "quality": 35, "seed": 1}
    srqa.degrade(hr, 4, out=tmp_path / "png", **same)
    srqa.degrade(hr, 4, out=tmp_path / "file", pattern="{content}" + suffix, **same)
    for name in NAMES:
        file = tmp_path / "file" / f"{name}{suffix}"
        assert np.array_equal(read(file).pixels, read(tmp_path / "png" / f"{name}.png").pixels)
    made = srqa.degrade(hr, 4, out=tmp_path / "none", pattern="{content}" + suffix)
    assert len(made.failed) == len(NAMES)
    assert "last step" in made.failed[0].problem


def test_depth_grey_alpha_and_orientation(tmp_path, rng):
    import tifffile
    from PIL import Image

    hr = tmp_path / "hr"
    deep = rng.integers(0, 65536, (32, 40, 3), dtype=np.uint16)
    write(hr / "deep.png", deep)
    write(hr / "grey.png", picture("g", 32, 40)[..., 0])
    tifffile.imwrite(hr / "float.tiff", deep[..., 0] / np.float32(65535))
    turned = Image.fromarray(picture("t", 32, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(hr / "turned.png", exif=exif)
    alpha = np.full((32, 40, 4), 128, np.uint8)
    write(hr / "alpha.png", alpha)
    made = srqa.degrade(hr, 4, out=tmp_path / "lr")
    (failed,) = made.failed
    assert failed.source == "alpha.png"
    assert "--alpha white|black|drop" in failed.problem
    lr = tmp_path / "lr"
    assert np.array_equal(read(lr / "deep.png").pixels, imresize(deep, 0.25))
    assert read(lr / "grey.png").pixels.shape == (8, 10)
    assert read(lr / "float.png").pixels.dtype == np.uint16
    assert read(lr / "turned.png").pixels.shape == (10, 8, 3)
    notes = {r.source: r.notes for r in made.records}
    assert notes["turned.png"] == ("EXIF orientation 6 applied",)
    assert notes["float.tiff"] == ("float values written with 16 bits",)
    policy = DecodePolicy(alpha="white")
    done = srqa.degrade(hr, 4, out=tmp_path / "white", policy=policy, pattern="{content}.tiff")
    assert not done.failed
    assert read(tmp_path / "white" / "float.tiff").pixels.dtype == np.float32
    assert abs(int(read(tmp_path / "white" / "alpha.tiff").pixels[3, 3, 0]) - 191) <= 1


def test_failures_are_told_and_the_others_made(hr, tmp_path):
    (hr / "cut.png").write_bytes((hr / "a.png").read_bytes()[:300])
    (hr / "empty.png").write_bytes(b"")
    write(hr / "tiny.png", np.zeros((3, 50), np.uint8))
    write(hr / "flat.png", np.zeros((8, 50), np.uint8))
    (hr / "link.png").symlink_to("nowhere.png")
    made = srqa.degrade(hr, 4, out=tmp_path / "lr", kernel="gaussian", sigma=2.0)
    problems = {r.source: r.problem for r in made.failed}
    assert set(problems) == {"cut.png", "empty.png", "tiny.png", "flat.png", "link.png"}
    assert "0 bytes" in problems["empty.png"]
    assert "50x3 pixels are too few for a scale of 4" in problems["tiny.png"]
    assert "13x13 taps of the kernel" in problems["flat.png"]
    assert "link to a file that does not exist" in problems["link.png"]
    assert made.made == len(NAMES)
    _, records, _ = read_manifest(tmp_path / "lr")
    assert {r.source for r in records if r.problem} == set(problems)
    for name in problems:
        (hr / name).unlink()
    write(hr / "cut.png", picture("cut", 40, 40))
    made = srqa.degrade(
        hr, 4, out=tmp_path / "lr", kernel="gaussian", sigma=2.0, resume=True
    )  # what failed is tried again
    assert (made.made, made.failed) == (1, ())


def test_a_full_disk_ends_it_and_resume_goes_on(hr, tmp_path, monkeypatch):
    import errno
    from pathlib import Path

    real = Path.write_bytes

    def full(path, data):
        if "d.png" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="No space is left") as error:
            srqa.degrade(hr, 4, out=tmp_path / "lr")
    assert "--resume" in error.value.hint
    srqa.degrade(hr, 4, out=tmp_path / "lr", resume=True)
    srqa.degrade(hr, 4, out=tmp_path / "whole")
    assert content(tmp_path / "lr") == content(tmp_path / "whole")


def test_no_rights_to_write(hr, tmp_path, ordinary_user):
    srqa.degrade(hr, 4, out=tmp_path / "lr")
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    with ordinary_user(), pytest.raises(OutputError, match="No rights"):
        srqa.degrade(hr, 4, out=locked)


def test_places_that_cannot_be_used(hr, tmp_path):
    with pytest.raises(UsageError, match="folder of the high-resolution"):
        srqa.degrade(hr, 4, out=hr / ".")
    with pytest.raises(InputError, match="does not exist"):
        srqa.degrade(tmp_path / "none", 4, out=tmp_path / "lr")
    with pytest.raises(OutputError, match="is a file"):
        srqa.degrade(hr, 4, out=hr / "a.png")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(PairingError, match="no pictures"):
        srqa.degrade(tmp_path / "nothing", 4, out=tmp_path / "lr")
    shutil.copy(hr / "a.png", hr / "a.bmp.png")
    shutil.copy(hr / "a.png", hr / "a.jpg")
    with pytest.raises(UsageError, match="would both become"):
        srqa.degrade(hr, 4, out=tmp_path / "lr")
    srqa.degrade(hr, 4, out=tmp_path / "lr", pattern="{content}_{ext}.png")
    assert (tmp_path / "lr" / "a_jpg.png").exists()


def test_one_file(hr, tmp_path):
    made = srqa.degrade(hr / "a.png", 4, out=tmp_path / "lr", pattern="small.tif")
    assert [one.lr for one in made.records[0].files] == ["small.tif"]


@pytest.mark.parametrize(
    ("naming", "words"),
    [
        ({"pattern": "{content}"}, "must end in"),
        ({"pattern": "{content}.gif"}, "must end in"),
        ({"pattern": "{model}.png"}, "unknown field 'model'"),
        ({"pattern": "{content.png"}, "brace"),
        ({"pattern": "../{content}.png"}, "into the folder"),
        ({"pattern": "/tmp/{content}.png"}, "into the folder"),
        ({"crop": 32}, "--pairs"),
        ({"pairs": True, "step": 32}, "--crop"),
    ],
)
def test_names_that_cannot_be_used(hr, tmp_path, naming, words):
    with pytest.raises(UsageError) as error:
        srqa.degrade(hr, 4, out=tmp_path / "lr", **naming)
    assert words in f"{error.value} {error.value.hint}"


def test_parts_that_the_scale_does_not_divide(hr, tmp_path):
    made = srqa.degrade(hr, 4, out=tmp_path / "lr", pairs=True, crop=30)
    assert "no multiple" in made.failed[0].problem


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"settings": {}, "pictures": []}'])
def test_files_that_are_no_manifest(hr, tmp_path, text):
    (tmp_path / "degradation.json").write_text(text)
    with pytest.raises(RunError, match="not a manifest"):
        replay(tmp_path, hr, tmp_path / "again")
    with pytest.raises(RunError, match="cannot be read"):
        replay(tmp_path / "none.json", hr, tmp_path / "again")
