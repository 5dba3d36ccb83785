"""Pictures out of resource files, and which guards hold on them."""

import io

import numpy as np
import skimage.data
from PIL import Image

from benchmarks.nr_guards import as_they_are, passes, unpack
from srqa.training.nr.places import find_places


def packed(pixels, name):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, name, quality=95)
    return len(data.getvalue()).to_bytes(4, "big") + data.getvalue()


def test_pictures_come_out_of_a_resource_file(tmp_path):
    large, small = skimage.data.astronaut(), skimage.data.chelsea()
    source = tmp_path / "some.rcc"
    source.write_bytes(
        b"qres" + packed(large, "WEBP") + packed(small, "JPEG") + packed(large, "JPEG")
        + b"text" + packed(large, "JPEG")[:2000]
    )  # fmt: skip
    folder = tmp_path / "out"
    assert unpack(source, folder) == 2
    assert {path.suffix for path in folder.iterdir()} == {".webp", ".jpeg"}
    for path in folder.iterdir():
        error = np.asarray(Image.open(path), float) - large
        assert np.abs(error).mean() < 6
    assert len(as_they_are(folder)) == 8
    assert len(find_places(folder, 99)[0]) == 2


def test_which_guards_hold(tmp_path):
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "a.png")
    (place, *_) = as_they_are(tmp_path)

    def smoothness(batch):
        return -(batch[..., 1:] - batch[..., :-1]).abs().mean((1, 2, 3))

    found = passes(place, smoothness)
    assert found["noise"]
    assert found["sharpening"]
    assert found["checkerboard"]
    assert not found["blur"]
