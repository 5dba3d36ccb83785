import numpy as np
import pytest
from support import picture

from srqa.errors import OutputError, UsageError
from srqa.images import write
from srqa.images.read import read


@pytest.mark.parametrize("suffix", sorted(write.LOSSLESS))
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("grey", [True, False])
def test_what_is_written_is_read(tmp_path, suffix, dtype, grey, rng):
    unit = rng.random((7, 9) if grey else (7, 9, 3))
    full = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = (unit * full).astype(dtype)
    path = tmp_path / "new folder" / f"ä b{suffix}"
    if suffix == ".png" and dtype == "float32":
        with pytest.raises(UsageError, match="float32"):
            write.write(path, pixels)
        return
    data = write.write(path, pixels)
    assert path.read_bytes() == data
    found = read(path).pixels
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
@pytest.mark.parametrize("grey", [True, False])
def test_a_compressed_file_is_what_decompress_says(tmp_path, codec, grey):
    pixels = picture("a")[..., 1] if grey else picture("a")
    data = write.compress(pixels, codec, 40)
    path = tmp_path / f"a.{codec}"
    write.write_bytes(path, data)
    seen = write.decompress(data, codec, 1 if grey else 3)
    found = read(path).pixels
    assert np.array_equal(found if codec == "jpeg" or not grey else found[..., 1], seen)
    assert seen.shape == pixels.shape
    errors = [
        np.abs(write.decompress(write.compress(pixels, codec, q), codec, 1 if grey else 3) * 1.0
               - pixels).mean()
        for q in (5, 40, 95)
    ]  # fmt: skip
    assert errors[0] > errors[1] > errors[2] > 0


@pytest.mark.parametrize(
    ("codec", "quality", "words"),
    [("jpeg", 0, "1 to 100"), ("webp", 101, "1 to 100"), ("gif", 5, "webp")],
)
def test_unknown_codings_and_qualities(codec, quality, words):
    with pytest.raises(UsageError, match=words):
        write.compress(np.zeros((8, 8, 3), np.uint8), codec, quality)


def test_too_large_for_the_format():
    with pytest.raises(UsageError, match="16383"):
        write.compress(np.zeros((1, 20000, 3), np.uint8), "webp", 50)


def test_no_rights(tmp_path, ordinary_user):
    folder = tmp_path / "locked"
    folder.mkdir()
    write.encode(np.zeros((2, 2), np.uint8), ".png")
    folder.chmod(0o555)
    with ordinary_user(), pytest.raises(OutputError, match="No rights"):
        write.write(folder / "a.png", np.zeros((2, 2), np.uint8))
