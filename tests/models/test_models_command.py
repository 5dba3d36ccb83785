"""`srqa models`."""

import json

import pytest

import srqa.models
from srqa.cli import run


@pytest.fixture
def command(capsys):
    """``command("list", ...)``: exit code, output, complaints of `srqa models list ...`."""

    def call(*arguments):
        capsys.readouterr()
        code = run(["models", *arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "store"))


def test_list(command):
    code, out, _ = command("list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert list(lines) == [card.name for card in srqa.models.cards()]
    assert "38.24 / 34.76 / 32.57" in lines["dat-light"]
    assert "Apache-2.0" in lines["dat-light"]
    assert "573 k" in lines["dat-light"]
    assert "ICCV 2023" in lines["dat-light"]
    assert "fetched" in lines["swinir"]
    assert "built in" in lines["bicubic"]
    assert " file " in lines["edsr"]


def test_list_of_one_scale(command):
    _, out, _ = command("list", "--scale", "3", "--ready")
    names = [line.split()[0] for line in out.splitlines()[1:]]
    assert "bicubic" in names
    assert "dat-light" in names
    assert not {"waifu2x-photo", "edsr"} & set(names)
    assert "34.76" in out
    assert "38.24" not in out
    names = [line.split()[0] for line in command("list", "--scale", "7.5")[1].splitlines()[1:]]
    assert {"lanczos", "liif"} <= set(names)
    assert "carn" not in names


def test_list_for_programs(command):
    _, out, _ = command("list", "--json")
    found = {card["name"]: card for card in json.loads(out)}
    assert set(found) == {card.name for card in srqa.models.cards()}
    dat = found["dat-light"]
    assert dat["here"] == "fetched"
    assert [file["name"] for file in dat["files"]] == [f"dat-light-x{s}" for s in (2, 3, 4)]
    assert {f["data"] for f in dat["measured"]} == {"Set5"}


def test_show(command):
    code, out, _ = command("show", "dat-light")
    assert code == 0
    for part in (
        "DAT (spandrel",
        "572,766 (x4)",
        "channels looks at all",
        "srqa weights pull dat-light-x4",
        "e18223fc41500e72e6bd576f2a576eae0818f58fa8cc8646a2233f5faf7d0f74",
        "srqa upscale lr/ --model dat-light --scale 4",
        "measured here",
        "32.57",
    ):
        assert part in out, part
    code, out, _ = command("show", "rcan")
    assert "https://github.com/yulunzhang/RCAN (licence not stated)" in out
    assert "--model rcan --weights FILE" in out
    assert json.loads(command("show", "bicubic", "--json")[1])["here"] == "built in"
    code, out, complaint = command("show", "dat")
    assert code == 2
    assert "There is no model called 'dat'." in complaint


def test_architectures(command):
    _, out, _ = command("architectures")
    assert out.startswith("srqa: ")
    assert "spandrel 0.4" in out
    found = json.loads(command("architectures", "--json")[1])
    assert "LIIF" in found["srqa"]
    assert len(found["srqa"]) + sum(len(v) for k, v in found.items() if k != "srqa") == 54
