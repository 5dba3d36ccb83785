"""The test sets of the literature: where the user keeps them, and whether they are what they say.

srqa carries no pictures of them. A file in the user's configuration folder says where they lie;
what can be checked is the number of pictures, their names and sizes, and the hashes that were noted
when a set was added.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from srqa.errors import InputError, UsageError
from srqa.files import make_folder, write_text
from srqa.images.collection import some
from srqa.images.finder import Finder
from srqa.images.read import read_bytes, undecorated

Progress = Callable[[int, int], None]
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Testset:
    """What is known of a test set.

    Attributes:
        name: what users type.
        title: what papers call it.
        pictures: how many there are.
        stems: parts of names that tell the pictures apart, if they are few and well known.
        shows: what it shows.
        paper: where it was introduced.
        get: how to get it.
        sizes: (width, height) of each picture, by such a part; as published, before cropping.
        limits: shortest and longest side of any picture; 0 where not known.
        hashes: of the pixels, whole and cut for x3, where they are known for certain.
    """

    name: str
    title: str
    pictures: int
    shows: str
    paper: str
    get: str
    stems: tuple[str, ...] = ()
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    limits: tuple[int, int] = (0, 0)
    hashes: frozenset[str] = frozenset()


_CLASSIC = (
    "The authors' page is gone; the archives of SelfExSR (github.com/jbhuang0604/SelfExSR) and of "
    "most SR toolboxes hold it. Academic use."
)
KNOWN: dict[str, Testset] = {
    one.name: one
    for one in (
        Testset(
            "set5",
            "Set5",
            5,
            "five small photographs",
            "Bevilacqua et al., Low-Complexity Single-Image Super-Resolution, BMVC 2012",
            _CLASSIC,
            ("baby", "bird", "butterfly", "head", "woman"),
            {
                "baby": (512, 512),
                "bird": (288, 288),
                "butterfly": (256, 256),
                "head": (280, 280),
                "woman": (228, 344),
            },
            hashes=frozenset(
                (
                    "1775141c775680f696181cba82d4848ddba9b9e40e5624de947df8d2058c17be",
                    "fbe2913bd50c676313e4542b9d0b3ac1d6dd44e266a5cede716ff67d8cfe3fbc",
                    "390feb7c842c6df73d1047770e079b36a6606646d7d1d62bcbef026a5ee46d53",
                    "520cadc43dca8654dd786493776447d7f1f0807a29e6d95f8b98e2b8745ceb70",
                    "7459df33c8ea2caca1b88fe65e936698d24d8328d417023b33752fcb6f186e9a",
                    "bd7a2db917d2337565634757e2fcf0793da2f043e35ab2f0db4e63327d16cfda",
                    "127f446885f3d6e0e4f751ae7bac477e55fdfa16f3ea907bb706a8361a251210",
                    "2808ae5fb2b6da4be7923d4e5d0504dd61effb8509670dcbd92655aedbc943dd",
                    "11d354a0d4ede5f36f36d6379a3e7fbccf2afe752bf2f56835ef4bcfc4cc42a7",
                )
            ),
        ),
        Testset(
            "set14",
            "Set14",
            14,
            "fourteen photographs and drawings, two of them grey",
            "Zeyde et al., On Single Image Scale-Up Using Sparse-Representations, 2010",
            _CLASSIC,
            (
                *("baboon", "barbara", "bridge", "coastguard", "comic", "face", "flowers"),
                *("foreman", "lenna", "man", "monarch", "pepper", "ppt3", "zebra"),
            ),
        ),
        Testset(
            "b100",
            "B100",
            100,
            "the test pictures of the Berkeley segmentation data, 481x321",
            "Martin et al., A Database of Human Segmented Natural Images, ICCV 2001",
            "From the Berkeley Segmentation Dataset (BSDS300, images/test): "
            "www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds. Non-commercial research.",
            limits=(321, 481),
        ),
        Testset(
            "urban100",
            "Urban100",
            100,
            "buildings with repeated structures",
            "Huang et al., Single Image SR from Transformed Self-Exemplars, CVPR 2015",
            "From the authors: github.com/jbhuang0604/SelfExSR.",
            limits=(0, 1024),
        ),
        Testset(
            "manga109",
            "Manga109",
            109,
            "covers of Japanese comics",
            "Matsui et al., Sketch-based Manga Retrieval using Manga109 Dataset, MTAP 2017",
            "On request from the authors: www.manga109.org. Academic use.",
        ),
        Testset(
            "div2k",
            "DIV2K (validation)",
            100,
            "photographs of about 2000 pixels",
            "Agustsson and Timofte, NTIRE 2017 Challenge, CVPRW 2017",
            "DIV2K_valid_HR.zip from data.vision.ee.ethz.ch/cvl/DIV2K. Academic research.",
            limits=(0, 2040),
        ),
    )
}
"""The sets by name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A set that the user has.

    Attributes:
        name: what the user calls it; known ones are in `KNOWN`.
        path: its folder.
        hashes: SHA-256 of each picture's pixels, by its path below the folder, when it was added.
    """

    name: str
    path: Path
    hashes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `serious` ones mean that these are not the pictures they should be."""

    sentence: str
    serious: bool


def config_file() -> Path:
    """The file that says where sets lie: `SRQA_DATA`, else one in the configuration folder."""
    import platformdirs

    told = os.environ.get("SRQA_DATA")
    return Path(told) if told else platformdirs.user_config_path("srqa") / "data.json"


def entries() -> dict[str, Entry]:
    """All sets that the user has added, by name.

    Raises:
        InputError: the file cannot be read.
    """
    path = config_file()
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Entry(name, Path(one["path"]), dict(one["hashes"]))
            for name, one in document["sets"].items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}, which says where test sets lie, cannot be read: {error}.",
            "Mend or remove it, and add the sets again.",
        ) from error


def find(name: str) -> Path:
    """The folder of a set that was added.

    Raises:
        InputError: it was not, or is gone; the hint says how to get it.
    """
    have = entries()
    entry = have.get(name.lower())
    if entry is None:
        known = KNOWN.get(name.lower())
        if known is None:
            raise InputError(
                f"There is neither a folder nor a test set {name!r}.",
                "`srqa data list` names the sets.",
            )
        raise InputError(
            f"srqa does not know where {known.title} lies.",
            f"`srqa data add {known.name} FOLDER` tells it. {known.get}",
        )
    if not entry.path.is_dir():
        raise InputError(
            f"The folder of {name}, {entry.path}, is not there any more.",
            f"`srqa data add {entry.name} FOLDER` tells where it is now.",
        )
    return entry.path


def add(name: str, folder: Path, progress: Progress | None = None) -> tuple[Entry, list[Finding]]:
    """Remember where a set lies, with the hashes of its pictures, and check it.

    Args:
        name: of `KNOWN`, or of the user's own choice.
        folder: that holds the high-resolution pictures and nothing else.
        progress: called with (pictures done, all).

    Raises:
        InputError: there are no pictures, or one cannot be read.
        UsageError: a name that is none.
        OutputError: the configuration cannot be written.
    """
    name = name.lower()
    if not name or not all(c.isalnum() or c in "-_." for c in name):
        raise UsageError(f"{name!r} is no name for a set: letters, digits, - _ and . only.")
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", "Name the folder of the HR pictures.")
    hashes, sizes = _measured(folder, progress)
    entry = Entry(name, folder.absolute(), hashes)
    _save([*(one for one in entries().values() if one.name != name), entry])
    return entry, _as_published(name, hashes, sizes)


def remove(name: str) -> None:
    """Forget where a set lies; its pictures stay.

    Raises:
        InputError: it was not added.
    """
    have = entries()
    if name.lower() not in have:
        raise InputError(f"No set {name!r} was added.", "`srqa data list` names the sets.")
    _save(one for one in have.values() if one.name != name.lower())


def check(entry: Entry, progress: Progress | None = None) -> list[Finding]:
    """Compare a set with what it was when it was added, and with what is known of it.

    Raises:
        InputError: its folder is gone, or a picture cannot be read.
    """
    if not entry.path.is_dir():
        raise InputError(f"The folder of {entry.name}, {entry.path}, is not there any more.")
    hashes, sizes = _measured(entry.path, progress)
    found = []
    gone = [name for name in entry.hashes if name not in hashes]
    new = [name for name in hashes if name not in entry.hashes]
    changed = [n for n, value in entry.hashes.items() if n in hashes and hashes[n] != value]
    for names, words in ((gone, "missing"), (new, "new"), (changed, "changed")):
        if names:
            found.append(Finding(f"{len(names)} {words} since it was added: {some(names)}.", True))
    return found + _as_published(entry.name, hashes, sizes)


def _measured(
    folder: Path, progress: Progress | None
) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    """Hashes of the pixels, so that another coding of the same picture is the same, and sizes."""
    from srqa.images.read import DecodePolicy, one_sentence

    hashes, sizes = {}, {}
    files = Finder(frozenset()).find(folder)
    for done, found in enumerate(files):
        if progress:
            progress(done, len(files))
        with one_sentence(found.path):
            _, raw = undecorated(read_bytes(Path(found.path)), DecodePolicy().max_pixels)
        digest = hashlib.sha256(str((raw.pixels.shape, raw.pixels.dtype.str)).encode())
        digest.update(raw.pixels.tobytes())
        hashes[found.name] = digest.hexdigest()
        sizes[found.name] = (raw.pixels.shape[1], raw.pixels.shape[0])
    if progress:
        progress(len(files), len(files))
    return hashes, sizes


def _as_published(
    name: str, hashes: dict[str, str], sizes: dict[str, tuple[int, int]]
) -> list[Finding]:
    known = KNOWN.get(name)
    if known is None:
        return []
    found = []
    if len(sizes) != known.pictures:
        found.append(
            Finding(
                f"{known.title} has {known.pictures} pictures, and here are {len(sizes)}.", True
            )
        )
    lacking = [s for s in known.stems if not any(s in n.lower() for n in sizes)]
    if lacking and any(s in n.lower() for s in known.stems for n in sizes):
        found.append(Finding(f"No picture is called {', '.join(lacking)}.", True))
    found += _sizes_as_published(known, sizes)
    whole = [n for n, size in sizes.items() if size in known.sizes.values()]
    other = [n for n in whole if known.hashes and hashes[n] not in known.hashes]
    if other:
        found.append(
            Finding(f"{len(other)} have other pixels than those published: {some(other)}.", True)
        )
    return found


def _sizes_as_published(known: Testset, sizes: dict[str, tuple[int, int]]) -> list[Finding]:
    """Sides may be cut to a multiple of a scale, which many archives did, but no more than that."""
    cut: list[str] = []
    wrong: list[str] = []
    for name, size in sizes.items():
        for stem, whole in known.sizes.items():
            if stem in name.lower() and size != whole:
                near = all(0 <= a - b < 12 for a, b in zip(whole, size, strict=True))
                (cut if near else wrong).append(name)
        long = known.limits[1]
        if long and (max(size) > long or (known.limits[0] and min(size) > known.limits[0])):
            wrong.append(name)
    found = []
    if wrong:
        found.append(
            Finding(f"{len(wrong)} are not of the size that is published: {some(wrong)}.", True)
        )
    if cut:
        found.append(
            Finding(
                f"{len(cut)} are cut by some pixels, as archives for one scale are: {some(cut)}. "
                "Figures of other scales will differ a little from those in papers.",
                False,
            )
        )
    return found


def _save(sets: Iterable[Entry]) -> None:
    document: dict[str, Any] = {
        "version": _VERSION,
        "sets": {
            one.name: {"path": str(one.path), "hashes": one.hashes}
            for one in sorted(sets, key=lambda one: one.name)
        },
    }
    path = config_file()
    make_folder(path.parent)
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
