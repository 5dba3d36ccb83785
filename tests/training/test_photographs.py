"""The list of photographs, and bringing them from packages that are made here."""

import hashlib
import io
import lzma
import math
import os
import re
import shutil
import subprocess
import tarfile

import cv2
import imagecodecs
import numpy as np
import pytest
import support

from srqa.errors import InputError, OutputError, UsageError
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.training import photographs


def jpeg(name, height=41, width=60):
    return cv2.imencode(".jpg", support.picture(name, height, width)[..., ::-1])[1].tobytes()


def deb(files, compress="xz"):
    """An archive of ar with control and data, as dpkg has it."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"./{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    packed = {"xz": lzma.compress, "zst": imagecodecs.zstd_encode, "": bytes}[compress]
    suffix = f".{compress}" if compress else ""
    whole = b"!<arch>\n"
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd",
               f"data.tar{suffix}": packed(tar.getvalue())}  # fmt: skip
    for name, content in members.items():
        whole += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        whole += content + b"\n" * (len(content) % 2)
    return whole


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Two packages with three pictures, as .deb files in a folder, and the list of them."""
    pictures = {"one": {"usr/a.jpg": jpeg("a"), "usr/b.jpg": jpeg("b", 60, 44)},
                "two": {"usr/c.jpg": jpeg("c", 33, 33)}}  # fmt: skip
    text, debs = "", tmp_path / "debs"
    debs.mkdir()
    for package, files in pictures.items():
        (debs / f"{package}_1.0_all.deb").write_bytes(
            deb(files | {"usr/other.txt": b"no"}, "xz" if package == "one" else "zst")
        )
        text += f'[package."{package}"]\nversion = "1.0"\nurl = "https://x/{package}.deb"\n'
        text += "bytes = 3\n"
    for package, files in pictures.items():
        for path, content in files.items():
            name = path[4:-4]
            height, width = cv2.imdecode(np.frombuffer(content, np.uint8), 1).shape[:2]
            text += (
                f'[[photograph]]\nname = "{name}"\npackage = "{package}"\npath = "{path}"\n'
                f'author = "Ä. {name}"\nlicence = "{"GPL-2.0" if name == "c" else "CC0-1.0"}"\n'
                f"size = [{width}, {height}]\n"
                f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
            )
    path = tmp_path / "list.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(photographs, "PATH", path)
    return debs, pictures


def test_the_list():
    found = photographs.photographs()
    assert len(found) == len({one.name for one in found}) == 42
    assert len({one.package for one in found}) == 5
    assert 210e6 < sum(one.size[0] * one.size[1] for one in found) < 230e6
    assert all(re.fullmatch(r"[0-9a-f]{64}", one.sha256) for one in found)
    assert all(one.author and one.package.url.endswith(".deb") for one in found)
    free = {one.licence for one in photographs.photographs(permissive=True)}
    assert free == {"CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "CC0-1.0", "public domain"}


def test_they_come_out_smaller_with_credits(listed, tmp_path):
    debs, pictures = listed
    seen = []
    made = photographs.fetch(
        tmp_path / "out", source=debs, progress=lambda *counts: seen.append(counts)
    )
    assert [path.name for path in made] == ["a.png", "b.png", "c.png"]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    (tmp_path / "a.jpg").write_bytes(pictures["one"]["usr/a.jpg"])
    expected = imresize(read(tmp_path / "a.jpg").pixels, 0.5)
    assert np.array_equal(read(made[0]).pixels, expected)
    text = (tmp_path / "out" / "CREDITS.txt").read_text("utf-8")
    assert "made 2 times smaller" in text
    assert "b.png  by Ä. b  CC0-1.0  (one: usr/b.jpg)" in text
    before = made[0].stat().st_mtime_ns
    made[2].unlink()
    photographs.fetch(tmp_path / "out", source=debs)
    assert made[2].exists()
    assert made[0].stat().st_mtime_ns == before


def test_the_command(listed, tmp_path):
    from click.testing import CliRunner

    from srqa.cli import cli

    debs, _ = listed
    runner = CliRunner()
    given = ["train", "photographs", str(tmp_path / "o"), "--from", str(debs), "--permissive",
             "--shrink", "3"]  # fmt: skip
    done = runner.invoke(cli, given)
    assert done.exit_code == 0, done.output
    assert "2 photographs in" in done.output
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["CREDITS.txt", "a.png", "b.png"]
    assert read(tmp_path / "o" / "a.png").pixels.shape == (14, 20, 3)
    assert (
        "a  60x41  CC0-1.0  Ä. a  one"
        in runner.invoke(cli, ["train", "photographs", "--list"]).output
    )
    assert runner.invoke(cli, ["train", "photographs"]).exit_code == 2


def test_what_is_not_as_it_should_be(listed, tmp_path):
    debs, pictures = listed
    out = tmp_path / "out"
    file = debs / "one_1.0_all.deb"
    whole = file.read_bytes()
    file.write_bytes(deb({"usr/a.jpg": jpeg("other"), "usr/b.jpg": pictures["one"]["usr/b.jpg"]}))
    with pytest.raises(InputError, match=r"usr/a\.jpg in one has sha256"):
        photographs.fetch(out, source=debs)
    file.write_bytes(deb({"usr/a.jpg": pictures["one"]["usr/a.jpg"]}))
    with pytest.raises(InputError, match=r"lacks usr/b\.jpg"):
        photographs.fetch(out, source=debs)
    for damaged in (whole[:300], b"PK nothing", whole[:-40], whole[:60]):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged, or no package of Debian"):
            list(photographs.members(file, ["usr/a.jpg", "usr/none.jpg"]))
    file.unlink()
    with pytest.raises(InputError, match=r"There is no one_\*\.deb") as caught:
        photographs.fetch(tmp_path / "new", source=debs)
    assert "https://x/one.deb https://x/two.deb" in caught.value.hint
    with pytest.raises(UsageError, match="1 to 16 times smaller"):
        photographs.fetch(out, source=debs, shrink=0)


def test_other_pictures_are_not_written_over(listed, tmp_path):
    debs, _ = listed
    path = support.write(tmp_path / "out" / "a.png", support.picture("mine"))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"a\.png is there already and is another picture"):
        photographs.fetch(tmp_path / "out", source=debs)
    assert path.read_bytes() == before


def test_without_apt_it_says_what_to_download(listed, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="no apt-get here") as caught:
        photographs.fetch(tmp_path / "out")
    assert "--from FOLDER" in caught.value.hint
    assert "https://x/one.deb" in caught.value.hint


def test_apt_that_fails_is_told(listed, tmp_path, monkeypatch):
    """The real program, or one like it, asked for a package that is nowhere."""
    tool = tmp_path / "bin" / "apt-get"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'E: Unable to locate package one' >&2\nexit 100\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    with pytest.raises(InputError, match="cannot download one: E: Unable to locate"):
        photographs.fetch(tmp_path / "out")


@pytest.mark.slow
def test_apt_brings_real_ones(tmp_path, monkeypatch):
    """The smallest package of the real list, from Debian's archive."""
    known = (
        shutil.which("apt-cache")
        and not subprocess.run(
            ["apt-cache", "show", "palapeli-data"], capture_output=True, check=False
        ).returncode
    )
    if not known and not os.environ.get("CI"):
        pytest.skip("palapeli-data is not in apt's lists: apt-get update on Debian")
    mine = tuple(p for p in photographs.photographs() if p.package.name == "palapeli-data")
    monkeypatch.setattr(photographs, "photographs", lambda permissive: mine)
    made = photographs.fetch(tmp_path)
    assert [path.stem for path in made] == [one.name for one in mine]
    sizes = [read(path).pixels.shape[1::-1] for path in made]
    assert sizes == [tuple(math.ceil(side / 2) for side in one.size) for one in mine]
