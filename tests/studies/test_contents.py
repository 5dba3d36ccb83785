"""Contents are chosen by a rule: the part with the most detail, spread over the names."""

import numpy as np
import pytest
from support import picture, write

from srqa.errors import InputError
from srqa.images.read import read
from studies import contents


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch):
    monkeypatch.setattr(contents, "_shipped", list)


def test_the_part_with_the_most_detail_is_taken():
    pixels = np.full((64, 128, 3), 128, np.uint8)
    pixels[:, 64:] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    assert (contents.detailed_part(pixels, 64) == pixels[:, 64:]).all()
    assert contents.detailed_part(pixels, 65) is None


def test_contents_are_spread_over_the_names_and_kept(tmp_path, photographs):
    hr = tmp_path / "hr"
    assert contents.make_contents(hr, [photographs], 3, 64) == ["b", "d", "f"]
    before = {path.name: path.stat().st_mtime_ns for path in hr.iterdir()}
    assert contents.make_contents(hr, [photographs], 3, 64) == ["b", "d", "f"]
    assert {path.name: path.stat().st_mtime_ns for path in hr.iterdir()} == before
    assert contents.make_contents(hr, [photographs], 2, 64) == ["b", "e"]
    assert sorted(path.stem for path in hr.iterdir()) == ["b", "e"]


def test_another_size_makes_them_anew(tmp_path, photographs):
    contents.make_contents(tmp_path / "hr", [photographs], 2, 64)
    contents.make_contents(tmp_path / "hr", [photographs], 2, 32)
    assert read(tmp_path / "hr" / "b.png").pixels.shape == (32, 32, 3)


def test_what_a_method_learned_from_is_no_content(tmp_path, photographs):
    write(photographs / "life_by_Aitzol_Berasategi.png", picture("g", 96, 96))
    write(photographs / "Wine.png", picture("h", 96, 96))
    made = contents.make_contents(tmp_path / "hr", [photographs], 9, 64)
    assert made == list("abcdef")


def test_jpegs_are_halved_first(tmp_path):
    import imagecodecs

    (tmp_path / "in").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    (tmp_path / "in" / "a.jpg").write_bytes(imagecodecs.jpeg_encode(pixels, level=95))
    assert contents.make_contents(tmp_path / "hr", [tmp_path / "in"], 1, 64) == ["a"]
    assert read(tmp_path / "hr" / "a.png").pixels.shape == (64, 64, 3)
    with pytest.raises(InputError, match="No photograph has 80x80"):
        contents.make_contents(tmp_path / "hr", [tmp_path / "in"], 1, 80)


def test_no_photographs_at_all(tmp_path):
    with pytest.raises(InputError, match="no photographs"):
        contents.make_contents(tmp_path / "hr", [], 4, 64)
