"""The demonstration: with what is there."""

import pytest
from support import picture, write

from srqa import demo
from srqa.cli import run
from srqa.models.cards import card


def test_without_a_network_networks_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path))
    models, notes = demo.available()
    assert models == [name for name in demo.MODELS if card(name).kind == "classical"]
    assert len(notes) == len(demo.MODELS) - len(models) > 0
    assert all("left out" in note for note in notes)


def test_it_runs_without_a_network(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setattr("srqa.engine.choice.DEFAULT_METRICS", ("psnr-y", "ssim-y"))
    sources = [write(tmp_path / f"{name}.png", picture(name, 100, 120)) for name in "ab"]
    monkeypatch.setattr(demo, "photographs", lambda: sources)
    assert run(["demo", "--out", str(tmp_path / "demo")]) == 0
    said = capsys.readouterr()
    assert "real-esrgan-x4plus is left out" in said.err
    assert "bicubic" in said.out
    page = (tmp_path / "demo" / "report.html").read_text("utf-8")
    assert "bicubic" in page


def test_photographs_are_real():
    pytest.importorskip("skimage")
    assert len(demo.photographs()) == 8
