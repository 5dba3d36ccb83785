"""`srqa upscale`, `srqa leaderboard`, `srqa data`: what users type and read."""

import json
import subprocess
import time

import numpy as np
import pytest
import torch
from support import SRQA, assert_one_sentence, picture, write

from srqa.images.read import read
from srqa.images.resize import imresize


@pytest.fixture
def lr(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "lr" / f"{name}.png", picture(name, 20, 24))
    return tmp_path / "lr"


class TestUpscale:
    def test_a_folder(self, command, lr, tmp_path):
        out = tmp_path / "o"
        outcome = command("upscale", lr, "--model", "bicubic", "--scale", 2, "--out", out)
        assert (outcome.code, outcome.out) == (0, "")
        assert f"2 pictures in {out} (bicubic x2, " in outcome.err
        for name in "ab":
            made = read(out / f"{name}.png").pixels
            assert made.shape == (40, 48, 3)
            # One rounding at the end, where MATLAB's integers are rounded after each pass.
            exact = imresize(picture(name, 20, 24) / 255.0, 2).clip(0, 1) * 255
            assert np.abs(made - exact).max() < 0.502

    def test_one_picture_prints_its_path(self, command, lr):
        outcome = command("upscale", lr / "a.png", "-m", "bicubic", "--scale", "3.37")
        assert outcome.code == 0
        assert outcome.out.strip() == str(lr / "a_bicubic.png")
        assert read(lr / "a_bicubic.png").pixels.shape == (68, 81, 3)

    def test_json(self, command, lr, tmp_path):
        outcome = command("upscale", lr, "-m", "nearest", "--scale", 2, "--out", tmp_path / "o",
                          "--json", "-q")  # fmt: skip
        document = json.loads(outcome.out)
        assert outcome.err == ""
        assert [row["output_size"] for row in document["pictures"]] == [[48, 40]] * 2
        assert document["settings"]["model"] == "nearest"

    def test_resume_and_overwrite(self, command, lr, tmp_path):
        place = ("upscale", lr, "-m", "nearest", "--scale", 2, "--out", tmp_path / "o")
        assert command(*place).code == 0
        outcome = command(*place)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "holds results of nearest already", "--resume")
        assert "2 of them from before" in command(*place, "--resume").err
        outcome = command(*place, "--outscale", 3, "--resume")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "other settings (outscale)")
        assert command(*place, "--outscale", 3, "--overwrite").code == 0

    def test_weights_of_ones_own(self, command, lr, tmp_path):
        from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

        torch.manual_seed(0)
        net = SRVGGNetCompact(num_feat=8, num_conv=2, upscale=2)
        torch.save({"params_ema": net.state_dict()}, tmp_path / "my net.pth")
        outcome = command("upscale", lr, "--weights", tmp_path / "my net.pth", "--out",
                          tmp_path / "o")  # fmt: skip
        assert outcome.code == 0
        pixels = torch.from_numpy(picture("a", 20, 24).transpose(2, 0, 1) / np.float32(255))[None]
        with torch.no_grad():
            right = net(pixels)[0].clamp(0, 1).numpy().transpose(1, 2, 0) * 255
        assert np.abs(read(tmp_path / "o" / "a.png").pixels - right).max() < 0.502
        settings = json.loads((tmp_path / "o" / "upscale.json").read_text())["settings"]
        assert settings["model"] == "my net"
        assert len(settings["weights"]["my net.pth"]) == 64

    @pytest.mark.parametrize(("arguments", "code", "words"), [
        ((), 2, ["No model is given", "srqa models list"]),
        (("-m", "bicubik", "--scale", "2"), 2, ["no model called 'bicubik'", "bicubic"]),
        (("-m", "bicubic"), 2, ["any scale: say which"]),
        (("-m", "bicubic", "--scale", "0.5"), 2, ["at least 1"]),
        (("-m", "real-esrgan-x4plus", "--scale", "3"), 2, ["enlarges by 4, not by 3"]),
        (("-m", "bicubic", "--scale", "2", "--tile", "many"), 2, ["'many' is neither"]),
        (("-m", "bicubic", "--scale", "2", "--tile", "4"), 2, ["at least 16"]),
        (("-m", "bicubic", "--scale", "2", "--device", "cuda:99"), 2, ["--device cuda:99"]),
        (("-m", "bicubic", "--scale", "2", "--name", "{x}"), 2, ["pattern of names"]),
        (("--weights", "none.pth"), 3, ["none.pth"]),
    ])  # fmt: skip
    def test_what_cannot_be(self, command, lr, tmp_path, monkeypatch, arguments, code, words):
        monkeypatch.chdir(tmp_path)
        outcome = command("upscale", lr, *arguments)
        assert outcome.code == code
        assert_one_sentence(outcome.err, *words)
        assert not (tmp_path / "outputs").exists()

    def test_a_checkpoint_that_is_none(self, command, lr, tmp_path):
        (tmp_path / "x.pth").write_bytes(b"not a checkpoint")
        outcome = command("upscale", lr, "--weights", tmp_path / "x.pth")
        assert outcome.code in (3, 4)
        assert_one_sentence(outcome.err, "x.pth")
        torch.save({"state_dict": {"fc.weight": torch.zeros(2, 2)}}, tmp_path / "y.pth")
        outcome = command("upscale", lr, "--weights", tmp_path / "y.pth")
        assert outcome.code == 4
        assert_one_sentence(outcome.err, "y.pth")

    def test_pictures_that_fail(self, command, lr, tmp_path):
        (lr / "bad.png").write_bytes(b"bad")
        outcome = command("upscale", lr, "-m", "nearest", "--scale", 2, "--out", tmp_path / "o")
        assert outcome.code == 5
        assert_one_sentence(outcome.err, "failed: bad.png", "1 of 3 pictures failed",
                            "others are written")  # fmt: skip

    def test_no_pictures(self, command, tmp_path):
        assert command("upscale", tmp_path / "none", "-m", "nearest", "--scale", 2).code == 3
        assert command("upscale").code == 2


@pytest.mark.slow
def test_killed_and_resumed_in_processes_of_their_own(tmp_path):
    """Killed without a warning while pictures are written; the rest is made, byte for byte."""
    for name in "abcdef":
        write(tmp_path / "lr" / f"{name}.png", picture(name, 150, 200))
    command = (*SRQA, "upscale", tmp_path / "lr", "-m", "bicubic", "--scale", "4", "--tile", "64")
    subprocess.run([*command, "--out", tmp_path / "whole"], check=True, capture_output=True)
    parts = tmp_path / "parts"
    process = subprocess.Popen([*command, "--out", parts], stderr=subprocess.DEVNULL)
    while not (parts / "b.png").exists() and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not (parts / "f.png").exists()
    done = subprocess.run([*command, "--out", parts, "--resume"], capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert "of them from before" in done.stderr
    assert {p.name for p in parts.iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    for path in (tmp_path / "whole").glob("*.png"):
        assert path.read_bytes() == (parts / path.name).read_bytes()


class TestLeaderboard:
    def test_from_pictures_to_a_report(self, command, tmp_path):
        for name in "ab":
            write(tmp_path / "hr" / f"{name}.png", picture(name, 64, 64))
        place = ("leaderboard", tmp_path / "hr", "--models", "nearest,bicubic", "--out",
                 tmp_path / "run", "-m", "psnr-y,ssim-y")  # fmt: skip
        outcome = command(*place)
        assert outcome.code == 0, outcome.err
        rows = [line for line in outcome.out.splitlines() if line.startswith("bicubic")]
        assert len(rows) == 2  # of scores and of costs
        page = (tmp_path / "run" / "report.html").read_text("utf-8")
        assert 'id="costs"' in page
        assert "s / megapixel" in page
        document = json.loads(command(*place, "--json", "-q").out)
        assert [row["method"] for row in document["models"]] == ["nearest", "bicubic"]

    def test_what_cannot_be(self, command, tmp_path):
        write(tmp_path / "hr" / "a.png", picture("a", 64, 64))
        place = ("leaderboard", tmp_path / "hr", "--out", tmp_path / "run", "--models")
        for arguments, words in (
            ((*place, "bicubic", "--scale", "2,x"), "no list of scales"),
            ((*place, "bicubic", "--scale", "0"), "no list of scales"),
            ((*place, "bicubik"), "no model called"),
            ((*place, "real-esrgan-x4plus", "--scale", "2"), "none of the scales"),
        ):
            outcome = command(*arguments)
            assert outcome.code == 2
            assert_one_sentence(outcome.err, words)
        outcome = command("leaderboard", "set14", "--models", "bicubic", "--out", tmp_path / "run")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "does not know where Set14 lies", "srqa data add set14")

    def test_a_picture_that_fails(self, command, tmp_path):
        write(tmp_path / "hr" / "a.png", picture("a", 64, 64))
        (tmp_path / "hr" / "b.png").write_bytes(b"broken")
        outcome = command("leaderboard", tmp_path / "hr", "--models", "nearest", "--out",
                          tmp_path / "run", "-m", "psnr-y")  # fmt: skip
        assert outcome.code == 5
        assert_one_sentence(outcome.err, "Not degraded: b.png", "1 picture could not be made")


class TestData:
    @pytest.fixture(autouse=True)
    def own_file(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SRQA_DATA", str(tmp_path / "data.json"))

    def test_the_way(self, command, lr):
        listed = command("data", "list").out
        assert all(name in listed for name in ("set5", "set14", "b100", "urban100", "div2k"))
        assert "2 pictures" in command("data", "add", "mine", lr).out
        assert str(lr) in command("data", "list").out
        assert "mine  good" in command("data", "check").out
        (lr / "a.png").unlink()
        outcome = command("data", "check", "mine")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "1 missing since it was added", "not as they should be")
        assert command("data", "remove", "mine").code == 0
        assert command("data", "check").code == 3

    def test_show(self, command):
        outcome = command("data", "show", "manga109")
        assert "Matsui" in outcome.out
        assert "www.manga109.org" in outcome.out
        assert json.loads(command("data", "show", "set5", "--json").out)["pictures"] == 5
        assert command("data", "show", "nothing").code == 2
        assert len(json.loads(command("data", "list", "--json").out)) == 6

    def test_add_what_is_no_set5(self, command, lr):
        outcome = command("data", "add", "set5", lr)
        assert outcome.code == 0
        assert "Set5 has 5 pictures, and here are 2" in outcome.err
