"""Photographs that may be used freely, from packages of Debian; `photographs.toml` lists them.

They are JPEG and large, so they are made smaller by MATLAB's bicubic, which leaves little of JPEG.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import math
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from srqa.errors import InputError, OutputError, UsageError
from srqa.files import make_folder, replacing, write_text
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.images.write import encode

PATH = Path(__file__).with_name("photographs.toml")
CREDITS = "CREDITS.txt"
_AR = b"!<arch>\n"
_COPYLEFT_OF_SOFTWARE = ("GPL", "LGPL", "GFDL")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Package:
    """A package of Debian with photographs.

    Attributes:
        name, version: as Debian has them.
        url: where the file lies.
        bytes: its size.
    """

    name: str
    version: str
    url: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph in a package.

    Attributes:
        name: of the file that is written, without its suffix.
        package: that holds it.
        path: inside the package.
        author: as its licence asks to be told.
        licence: SPDX, or "public domain".
        size: width and height of the original.
        sha256: of the original.
    """

    name: str
    package: Package
    path: str
    author: str
    licence: str
    size: tuple[int, int]
    sha256: str

    @property
    def permissive(self) -> bool:
        """Whether its licence was made for pictures, not for software or manuals."""
        return not self.licence.startswith(_COPYLEFT_OF_SOFTWARE)


@lru_cache(maxsize=4)
def _listed(path: Path) -> tuple[Photograph, ...]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    packages = {name: Package(name, **facts) for name, facts in document["package"].items()}
    return tuple(
        Photograph(**entry | {"package": packages[entry["package"]], "size": tuple(entry["size"])})
        for entry in document["photograph"]
    )


def photographs(*, permissive: bool = False) -> tuple[Photograph, ...]:
    """The photographs of the list.

    Args:
        permissive: leave out those under the GPL, LGPL and GFDL, which allow any use as the others
            do, but were not made for pictures.

    Example:
        >>> len(photographs()), len(photographs(permissive=True))
        (42, 17)
    """
    return tuple(one for one in _listed(PATH) if one.permissive or not permissive)


def fetch(
    out: Path,
    *,
    source: Path | None = None,
    shrink: int = 2,
    permissive: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Bring the photographs, smaller, as PNG, with a file of credits.

    Args:
        out: the folder for them; those that are there already are kept.
        source: a folder of the packages' .deb files; without it `apt-get download` brings them.
        shrink: how many times smaller they become.
        permissive: as of `photographs`.
        progress: called with how many are there, of how many.

    Returns:
        The pictures.

    Raises:
        UsageError: a senseless `shrink`.
        InputError: a package cannot be had, or does not hold what it should.
        OutputError: the folder cannot be written, or holds another picture under a name.
    """
    if not 1 <= shrink <= 16:
        raise UsageError(f"Photographs are made 1 to 16 times smaller, not {shrink}.")
    chosen = photographs(permissive=permissive)
    make_folder(out)
    lacking = [one for one in chosen if not _there(out, one, shrink)]
    done = len(chosen) - len(lacking)
    if progress:
        progress(done, len(chosen))
    for package in dict.fromkeys(one.package for one in lacking):
        wanted = {one.path: one for one in lacking if one.package == package}
        with _deb(package, source) as file:
            for path, data in members(file, wanted):
                _keep(out, wanted[path], data, shrink)
                done += 1
                if progress:
                    progress(done, len(chosen))
    write_text(out / CREDITS, _credits(chosen, shrink))
    return [_place(out, one) for one in chosen]


def _place(out: Path, one: Photograph) -> Path:
    return out / f"{one.name}.png"


def _there(out: Path, one: Photograph, shrink: int) -> bool:
    """Whether the folder has it.

    Raises:
        OutputError: it has another picture of that name.
    """
    place = _place(out, one)
    if not place.exists():
        return False
    pixels = read(place).pixels
    if pixels.shape[1::-1] != tuple(math.ceil(side / shrink) for side in one.size):
        raise OutputError(
            f"{place} is there already and is another picture, or of another --shrink.",
            "Choose another folder.",
        )
    return True


def _keep(out: Path, one: Photograph, data: bytes, shrink: int) -> None:
    if (found := hashlib.sha256(data).hexdigest()) != one.sha256:
        raise InputError(
            f"{one.path} in {one.package.name} has sha256 {found} instead of {one.sha256}.",
            f"srqa knows {one.package.name} {one.package.version}, at {one.package.url}.",
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "picture.jpg")
        file.write_bytes(data)
        pixels = read(file).pixels
    with replacing(_place(out, one)) as temporary:
        temporary.write_bytes(encode(imresize(pixels, 1 / shrink), ".png"))


def _credits(chosen: tuple[Photograph, ...], shrink: int) -> str:
    smaller = "" if shrink == 1 else f", made {shrink} times smaller"
    lines = [f"Photographs from packages of Debian{smaller}; each under the licence of its own.\n"]
    lines += [
        f"{one.name}.png  by {one.author}  {one.licence}  ({one.package.name}: {one.path})"
        for one in chosen
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def _deb(package: Package, source: Path | None) -> Iterator[Path]:
    """The package's file.

    Raises:
        InputError: it cannot be had.
    """
    if source is not None:
        found = sorted(source.glob(f"{package.name}_*.deb"))
        if not found:
            raise InputError(f"There is no {package.name}_*.deb in {source}.", _by_hand(package))
        yield found[-1]
        return
    if shutil.which("apt-get") is None:
        raise InputError("There is no apt-get here to download packages.", _by_hand(package))
    with tempfile.TemporaryDirectory() as folder:
        command = ["apt-get", "download", package.name]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        found = sorted(Path(folder).glob("*.deb"))
        if said.returncode or not found:
            reason = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise InputError(f"apt-get cannot download {package.name}: {reason}", _by_hand(package))
        yield found[-1]


def _by_hand(package: Package) -> str:
    rest = [one for one in dict.fromkeys(p.package for p in _listed(PATH)) if one != package]
    urls = " ".join(one.url for one in (package, *rest))
    return f"Download them by hand and give their folder: --from FOLDER. They lie at {urls}"


def members(file: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Files inside a package: an archive of ar, in which a tar has them.

    Args:
        file: the .deb.
        wanted: paths, without a slash in front.

    Yields:
        Path and content of each.

    Raises:
        InputError: it is no package, is damaged, or lacks one of them.
    """
    lacking = set(wanted)
    try:
        with tarfile.open(fileobj=io.BytesIO(_data(file.read_bytes()))) as archive:
            for member in archive:
                path = member.name.removeprefix("./")
                if path in lacking and (content := archive.extractfile(member)) is not None:
                    lacking.remove(path)
                    yield path, content.read()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise InputError(f"{file} is damaged, or no package of Debian: {error}.") from error
    if lacking:
        raise InputError(f"{file.name} lacks {min(lacking)}.", "It is of another version.")


def _data(content: bytes) -> bytes:
    """The tar inside an ar archive, decompressed.

    Raises:
        ValueError: it is none.
    """
    if not content.startswith(_AR):
        raise ValueError("it does not begin as an archive of ar")
    at = len(_AR)
    while at + 60 <= len(content):
        name = content[at : at + 16].decode("ascii", "replace").strip().rstrip("/")
        size = int(content[at + 48 : at + 58])
        body = content[at + 60 : at + 60 + size]
        if name.startswith("data.tar"):
            if len(body) < size:
                raise ValueError("its end is missing")
            return _decompressed(body, name)
        at += 60 + size + size % 2
    raise ValueError("it has no data.tar")


def _decompressed(body: bytes, name: str) -> bytes:
    if name.endswith(".xz"):
        return lzma.decompress(body)
    if name.endswith(".zst"):
        import imagecodecs

        return bytes(imagecodecs.zstd_decode(body))
    return gzip.decompress(body) if name.endswith(".gz") else body
