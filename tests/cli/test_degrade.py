import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import support
from support import picture, write

from srqa.images.read import read
from srqa.images.resize import imresize


@pytest.fixture
def hr(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / "hr" / f"{name}.png", picture(name, 48, 56))
    return tmp_path / "hr"


def test_bicubic(command, hr, tmp_path):
    made = command("degrade", hr, "--scale", 4, "--out", tmp_path / "lr")
    assert made.code == 0
    assert f"3 pictures degraded into {tmp_path / 'lr'}." in made.err
    assert np.array_equal(read(tmp_path / "lr/a.png").pixels, imresize(picture("a", 48, 56), 0.25))


def test_the_examples_of_the_issue(command, hr, tmp_path):
    own = ("--scale", 4, "--kernel", "aniso", "--noise", 5, "--jpeg", 40, "--seed", 1)
    for workers in (1, 2):
        out = tmp_path / f"own{workers}"
        assert command("degrade", hr, *own, "--out", out, "--workers", workers).code == 0
        real = ("--preset", "real-esrgan", "--out", tmp_path / f"re{workers}")
        assert command("degrade", hr, *real, "--workers", workers).code == 0
    for kind in ("own", "re"):
        for name in "abc":
            one, two = (tmp_path / f"{kind}{w}/{name}.png" for w in (1, 2))
            assert one.read_bytes() == two.read_bytes()


def test_again_from_a_manifest(command, hr, tmp_path):
    lr, again = tmp_path / "lr", tmp_path / "again"
    command("degrade", hr, "--preset", "real-esrgan", "--seed", 7, "--out", lr)
    made = command("degrade", hr, "--from", lr / "degradation.json", "--out", again)
    assert (made.code, "pixel for pixel" in made.err) == (0, True)
    assert (lr / "b.png").read_bytes() == (again / "b.png").read_bytes()
    write(hr / "b.png", picture("other", 48, 56))
    made = command("degrade", hr, "--from", lr, "--out", again, "--overwrite")
    assert made.code == 5
    assert "differs: b.png is another picture" in made.err
    made = command("degrade", hr, "--from", lr, "--out", again, "--noise", 3)
    assert (made.code, "--noise cannot be given with --from" in made.err) == (2, True)


def test_pairs_and_names(command, hr, tmp_path):
    made = command("degrade", hr, "--scale", 2, "--pairs", "--crop", 24, "--out", tmp_path / "p",
                   "--name", "{content}x{scale}.png")  # fmt: skip
    assert made.code == 0
    high = sorted(p.name for p in (tmp_path / "p/hr").iterdir())
    assert high == sorted(p.name for p in (tmp_path / "p/lr").iterdir())
    assert high[0] == "ax2_s001.png"
    assert read(tmp_path / "p/lr/ax2_s001.png").pixels.shape == (12, 12, 3)


def test_a_kernel_of_ones_own(command, hr, tmp_path):
    np.save(tmp_path / "k.npy", np.full((3, 3), 1 / 9))
    out = tmp_path / "lr"
    options = ("--scale", 3, "--down", "nearest", "--kernel", tmp_path / "k.npy", "--out", out)
    assert command("degrade", hr, *options).code == 0
    blocks = picture("a", 48, 56)[:, :54].reshape(16, 3, 18, 3, 3).mean((1, 3))
    assert np.array_equal(read(out / "a.png").pixels, np.floor(blocks + 0.5 + 1e-9))


def test_a_dry_run_writes_nothing(command, hr, tmp_path):
    made = command("degrade", hr, "--preset", "bd", "--dry-run", "--out", tmp_path / "lr")
    assert made.code == 0
    assert "a.png -> a.png\n  Blur(kernel=Gaussian(sigma=1.6" in made.out
    assert "Downsample(scale=3, method='nearest'" in made.out
    assert not (tmp_path / "lr").exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 2, "--scale 4"),
        (("--scale", 0.5), 2, "from 1 to 64, not 0.5"),
        (("--scale", "nan"), 2, "from 1 to 64"),
        (("--scale", 4, "--noise", "much"), 2, "neither a number nor a range"),
        (("--scale", 4, "--noise", "9:3"), 2, "LOW:HIGH"),
        (("--scale", 4, "--jpeg", 40, "--webp", 40), 2, "contradict"),
        (("--scale", 4, "--kernel", "gausian"), 2, "none, gaussian, aniso"),
        (("--scale", 4, "--kernel", "none.npy"), 3, "does not exist"),
        (("--scale", 4, "--kernel", "{sum}"), 3, "--normalise-kernel"),
        (("--scale", 4, "--crop", 32), 2, "--pairs"),
        (("--scale", 4, "--name", "x"), 2, "must end in"),
        (("--scale", 4, "--resume", "--overwrite"), 2, "contradict"),
        (("--preset", "real-esrgan", "--noise", 3), 2, "draws everything itself"),
        (("--from", "none.json"), 3, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(command, hr, tmp_path, options, code, words):
    np.save(tmp_path / "sum.npy", np.ones((3, 3)))
    options = [str(o).replace("{sum}", str(tmp_path / "sum.npy")) for o in options]
    made = command("degrade", hr, *options, "--out", tmp_path / "lr")
    assert made.code == code
    support.assert_one_sentence(made.err, words)


def test_some_pictures_fail(command, hr, tmp_path):
    (hr / "b.png").write_bytes(b"GIF89a")
    write(hr / "t.png", np.zeros((2, 90, 3), np.uint8))
    made = command("degrade", hr, "--scale", 4, "--out", tmp_path / "lr")
    assert made.code == 5
    support.assert_one_sentence(
        made.err,
        "failed: b.png",
        "failed: t.png: 90x2 pixels",
        "2 of 4 pictures failed; the others",
    )


def test_files_that_are_there_stay(command, hr, tmp_path):
    command("degrade", hr, "--scale", 4, "--out", tmp_path / "lr")
    made = command("degrade", hr, "--scale", 4, "--out", tmp_path / "lr")
    assert made.code == 3
    support.assert_one_sentence(made.err, "holds degradation.json already", "--resume")
    made = command("degrade", hr, "--scale", 4, "--out", tmp_path / "lr", "--resume")
    assert "0 pictures degraded" in made.err
    assert "3 were there" in made.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_and_resumed_equals_uninterrupted(tmp_path, how):
    """The real program is ended while it works, and goes on afterwards."""
    for at in range(40):
        write(tmp_path / "hr" / f"{at:02}.png", picture(str(at), 160, 160))
    options = ("--preset", "real-esrgan", "--workers", "2", "--scale", "4")
    out = tmp_path / "lr"
    run = [*support.SRQA, "degrade", str(tmp_path / "hr"), *options, "--out"]
    process = subprocess.Popen([*run, str(out)], stderr=subprocess.PIPE, text=True)
    while not [*out.glob("0*.png")] and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(how)
    _, errors = process.communicate(timeout=120)
    if how == signal.SIGINT and process.returncode:
        assert process.returncode == 130
        assert "--resume" in errors
    made = support.srqa(*run[3:], str(out), "--resume")
    assert made.returncode == 0, made.stderr
    assert support.srqa(*run[3:], str(tmp_path / "whole")).returncode == 0
    found = {p.name: p.read_bytes() for p in out.glob("*.png")}
    assert found == {p.name: p.read_bytes() for p in (tmp_path / "whole").glob("*.png")}
    assert len(found) == 40


def test_set5_figures(command, reference, tmp_path):
    """Degraded, then enlarged by bicubic: the figures that papers print for it."""
    import json

    import torch

    import srqa
    from srqa.models.classical import METHODS

    expected = json.loads((reference / "expected.json").read_text())["set5_bicubic_mean"]
    for scale in (3, 4):
        hr = reference / "set5" / f"hr_mod{scale}"
        lr = tmp_path / f"x{scale}"
        assert command("degrade", hr, "--scale", scale, "--border", "clamp", "--out", lr).code == 0
        sr = tmp_path / "bicubic"
        for path in lr.glob("*.png"):
            low = torch.from_numpy(read(path).pixels).permute(2, 0, 1).double()[None] / 255
            high = METHODS["bicubic"]().run(low, scale)[0].permute(1, 2, 0).numpy()
            write(sr / path.name, np.floor(high.clip(0, 1) * 255 + 0.5).astype(np.uint8))
        run = srqa.evaluate(sr, hr, scale=scale, protocol="matlab", metrics="psnr-y,ssim-y")
        found = {row.metric: row.mean for row in run.summary_rows}
        psnr, ssim = expected["rgb_files"][f"x{scale}"]
        assert found["psnr-y"] == pytest.approx(psnr, abs=6e-4)
        assert found["ssim-y"] == pytest.approx(ssim, abs=1e-4)
