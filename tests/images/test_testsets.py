"""Where test sets lie and what they are."""

import json
import shutil

import numpy as np
import pytest
from support import picture, write

from srqa.errors import InputError, UsageError
from srqa.images import testsets


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SRQA_DATA", str(tmp_path / "config" / "data.json"))


@pytest.fixture
def mine(tmp_path):
    for name in "abc":
        write(tmp_path / "mine" / f"{name}.png", picture(name))
    return tmp_path / "mine"


def sentences(findings):
    return [one.sentence for one in findings]


def test_added_found_removed(mine):
    assert testsets.entries() == {}
    entry, findings = testsets.add("Mine", mine)
    assert (entry.name, len(entry.hashes), findings) == ("mine", 3, [])
    assert testsets.find("MINE") == mine
    assert testsets.entries()["mine"] == entry
    assert testsets.check(entry) == []
    testsets.remove("mine")
    with pytest.raises(InputError, match="neither a folder nor a test set"):
        testsets.find("mine")
    with pytest.raises(InputError, match="No set"):
        testsets.remove("mine")


def test_changes_since(mine):
    entry, _ = testsets.add("mine", mine)
    (mine / "a.png").unlink()
    write(mine / "b.png", picture("other"))
    write(mine / "d.png", picture("d"))
    assert sentences(testsets.check(entry)) == [
        "1 missing since it was added: a.png.",
        "1 new since it was added: d.png.",
        "1 changed since it was added: b.png.",
    ]


def test_another_coding_of_the_same_pixels_is_the_same(mine):
    import imagecodecs

    entry, _ = testsets.add("mine", mine)
    (mine / "a.png").write_bytes(imagecodecs.png_encode(picture("a"), level=9))
    assert testsets.check(entry) == []


def test_a_folder_that_is_gone(mine):
    testsets.add("mine", mine)
    shutil.rmtree(mine)
    with pytest.raises(InputError, match="not there any more"):
        testsets.find("mine")
    with pytest.raises(InputError, match="not there any more"):
        testsets.check(testsets.entries()["mine"])


def test_known_sets_say_how_to_get_them():
    for known in testsets.KNOWN.values():
        assert known.paper
        assert known.pictures
        with pytest.raises(InputError, match="does not know where") as told:
            testsets.find(known.name)
        assert f"srqa data add {known.name}" in told.value.hint


def test_set5_as_published(reference):
    """Whole, and cut for x3 as its archive is."""
    _, findings = testsets.add("set5", reference / "set5" / "hr_mod4")
    assert findings == []
    _, findings = testsets.add("set5", reference / "set5" / "hr_mod3")
    assert not any(one.serious for one in findings)
    assert "are cut by some pixels" in findings[0].sentence


def test_what_is_not_set5(reference, tmp_path):
    place = tmp_path / "set5"
    shutil.copytree(reference / "set5" / "hr_mod4", place)
    pixels = np.asarray(picture("x", 256, 256))
    write(place / "butterfly.png", pixels)
    _, findings = testsets.add("set5", place)
    assert sentences(findings) == ["1 have other pixels than those published: butterfly.png."]
    write(place / "head.png", picture("x", 70, 70))
    (place / "bird.png").unlink()
    found = sentences(testsets.add("set5", place)[1])
    assert any("5 pictures, and here are 4" in one for one in found)
    assert any("called bird" in one for one in found)
    assert any("size that is published: head.png" in one for one in found)


def test_the_low_resolution_folder_by_mistake(reference):
    _, findings = testsets.add("set5", reference / "set5" / "lr_bicubic_x4")
    assert any(one.serious for one in findings)


def test_bad_input(tmp_path, mine):
    for name in ("", "a/b", "a b"):
        with pytest.raises(UsageError, match="no name"):
            testsets.add(name, mine)
    with pytest.raises(InputError, match="no folder"):
        testsets.add("mine", tmp_path / "none")
    (mine / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"broken\.png"):
        testsets.add("mine", mine)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sets": 3}', '{"sets": {"a": {}}}'])
def test_a_damaged_file(text):
    path = testsets.config_file()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        testsets.entries()


def test_the_file_is_plain(mine):
    testsets.add("mine", mine)
    document = json.loads(testsets.config_file().read_text())
    assert document["sets"]["mine"]["path"] == str(mine)
