"""The table of weight files says all that it must."""

import re

import pytest

import srqa.weights
from srqa.errors import UsageError
from srqa.weights.readers import READERS

FILES = srqa.weights.files()
EXPECTED = {
    "lpips-alex", "lpips-vgg", "lpips-squeeze-heads", "dists", "st-lpips-alex", "st-lpips-vgg",
    "dat-light-x2", "dat-light-x3", "dat-light-x4", "real-esrgan-x4plus",
    "real-esrgan-x4plus-anime", "real-esrgan-animevideov3", "waifu2x-photo", "waifu2x-anime",
    "pt_inception-2015-12-05",
    "squeezenet1-1", "clip-rn50", "arniqa", "arniqa-koniq10k",
}  # fmt: skip


def test_the_names_are_unique_and_all_there():
    names = [file.name for file in FILES]
    assert len(names) == len(set(names))
    assert set(names) >= EXPECTED
    assert len({file.filename for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_an_entry_says_all(file):
    sha256 = re.compile(r"[0-9a-f]{64}")
    assert file.bytes > 0
    assert sha256.fullmatch(file.sha256)
    assert sha256.fullmatch(file.stored)
    assert (file.stored == file.sha256) == (file.reader == "raw")
    assert file.reader in {*READERS, "raw"}
    assert file.licence == "NOASSERTION" or re.fullmatch(r"[\w.-]+( AND [\w.-]+)*", file.licence)
    assert re.search(r"\b20\d\d\b", file.paper)
    assert file.summary
    assert file.sources
    for member in file.members:
        archive = member.archive
        assert sha256.fullmatch(archive.sha256)
        normal = archive.distribution.replace("-", "_")
        assert archive.filename.lower().startswith(f"{normal}-{archive.version}")
        assert not member.path.startswith("/")
    assert all(address.url.startswith("https://") for address in file.addresses)


def test_an_unknown_name():
    with pytest.raises(UsageError, match="lpips-ale'") as caught:
        srqa.weights.get("lpips-ale")
    assert "lpips-alex" in caught.value.hint
