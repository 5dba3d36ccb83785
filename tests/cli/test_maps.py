"""`srqa maps`: what it writes and says, and its exit codes."""

import re
import sys

import pytest
import support
from support import assert_one_sentence, write


@pytest.fixture
def draw(command, pictures, tmp_path):
    """``srqa maps out/ --ref hr/ --scale 4 -m error,ssim-y --out maps`` and what else is given."""

    def call(*arguments):
        return command(
            "maps", pictures / "out", "--ref", pictures / "hr", "--scale", 4,
            "-m", "error,ssim-y", "--out", tmp_path / "maps", *arguments,
        )  # fmt: skip

    return call


def test_what_it_says_and_writes(draw, tmp_path):
    outcome = draw()
    assert outcome.code == 0
    assert outcome.out == ""
    folder = tmp_path / "maps"
    assert outcome.err == (
        f"12 maps written to {folder}; open {folder / 'index.html'} in a browser.\n"
    )
    assert len(list(folder.rglob("*.png"))) == 12


def test_quiet_and_without_a_page(draw, tmp_path):
    outcome = draw("--quiet", "--pictures", 0)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert not (tmp_path / "maps/index.html").exists()


def test_again(draw):
    draw("--format", "float")
    refused = draw("--format", "float")
    assert refused.code == 3
    assert_one_sentence(refused.err, "fine/a_error.tiff", "--overwrite", "--resume")
    assert "0 maps written" in draw("--format", "float", "--resume").err
    assert "12 were there" in draw("--format", "float", "--resume").err
    assert "12 maps written" in draw("--format", "float", "--overwrite").err


def test_a_page_of_ones_own_is_not_replaced(draw, tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps/index.html").write_text("mine")
    outcome = draw()
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "index.html")
    assert (tmp_path / "maps/index.html").read_text() == "mine"
    assert draw("--overwrite").code == 0


@pytest.mark.parametrize("form", ["colour", "gray", "float"])
def test_the_page_shows_every_form(draw, tmp_path, form):
    assert draw("--format", form, "--colours", "viridis").code == 0
    page = (tmp_path / "maps/index.html").read_text("utf-8")
    assert len(re.findall(r'<td data-map="[01]">', page)) == 12
    suffix = "tiff" if form == "float" else "png"
    assert f'href="fine/a_ssim-y.{suffix}"' in page
    assert str(tmp_path) not in page
    assert "ssim-y | srqa 0.1 | sr | Y:bt601 float | crop 4 | map" in page


def test_one_damaged_picture(draw, pictures, tmp_path):
    (pictures / "out/fine/b.png").write_bytes(b"no")
    outcome = draw()
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "failed: fine/b.png (error,ssim-y)", "1 of 6 pictures failed")
    page = (tmp_path / "maps/index.html").read_text("utf-8")
    assert "1 picture could not be drawn" in page
    assert 'class="none"' in page


def test_all_damaged(draw, pictures, tmp_path):
    for path in (pictures / "out").rglob("*.png"):
        path.write_bytes(b"no")
    outcome = draw()
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "6 of 6 pictures failed.")
    assert not (tmp_path / "maps/index.html").exists()


def test_too_small_is_said_once(draw, pictures):
    for place in ("hr", "out/fine", "out/poor"):
        for content in "ab":
            write(pictures / place / f"{content}.png", support.picture(content, 14, 14))
    outcome = draw()
    assert outcome.code == 0
    lines = [line for line in outcome.err.splitlines() if line.startswith("n/a: ")]
    assert len(lines) == 1
    assert "and 1 more (ssim-y)" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-m", "psnr-y"], ["psnr-y gives no map", "Maps are error"]),
        (["-m", "lpip"], ["no map 'lpip'", "Did you mean lpips"]),
        (["--peak", "error"], ["MAP=NUMBER"]),
        (["--peak", "error=many"], ["MAP=NUMBER"]),
        (["--peak", "error=-3"], ["positive"]),
        (["--peak", "lpips=1"], ["not among the maps"]),
        (["--resume", "--overwrite"], ["contradict"]),
        (["--colours", "jet"], ["jet"]),
        (["--workers", "0"], ["workers"]),
        (["--memory", "lots"], ["lots"]),
        (["--protocol", "sR2"], ["no protocol"]),
    ],
)
def test_wrong_commands(draw, tmp_path, arguments, words):
    outcome = draw(*arguments)
    assert outcome.code == 2
    assert_one_sentence(outcome.err, *words)
    assert not (tmp_path / "maps").exists()


def test_without_references(command, pictures):
    outcome = command("maps", pictures / "out")
    assert outcome.code == 2
    assert_one_sentence(outcome.err, "--ref")


def test_no_weights(draw, tmp_path, monkeypatch):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr("srqa.weights.installed.find", lambda file: None)
    monkeypatch.setattr("srqa.weights.installed.read", lambda file: None)
    monkeypatch.setattr("srqa.metrics.networks._loaded", {})
    outcome = draw("-m", "error,lpips", "--offline")
    assert outcome.code == 4
    assert_one_sentence(outcome.err, "lpips-alex", "srqa weights pull lpips-alex")


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_a_disk_that_takes_no_more(pictures, tmp_path):
    """Files longer than 1 kB are refused, here by a limit; nothing half-written is left."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    ended = support.srqa(
        "maps", pictures / "out", "--ref", pictures / "hr", "-m", "error", "--out", tmp_path / "m",
        preexec_fn=limit,
    )  # fmt: skip
    assert ended.returncode == 3
    assert_one_sentence(ended.stderr, "cannot be written")
    assert not [path for path in (tmp_path / "m").rglob("*") if path.is_file()]


def test_help_names_every_map(command):
    from srqa.metrics import maps

    text = command("maps", "--help").out
    assert all(name in text for name in maps.names())


def test_plain_maps_import_no_torch(pictures, tmp_path):
    code = (
        "import sys\nfrom srqa.cli import run\ncode = run(sys.argv[1:])\n"
        "print(code, 'torch' in sys.modules)"
    )
    import subprocess

    arguments = ("maps", pictures / "out", "--ref", pictures / "hr", "-m", "error,ssim-y,delta-e")
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments), "--out", str(tmp_path / "m")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout.split() == ["0", "False"], ended.stderr
