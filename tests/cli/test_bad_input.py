"""Whatever is wrong with the input: one clear sentence, the right exit code, the rest scored."""

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib

import imagecodecs
import numpy as np
import pytest
import support
import tifffile
from support import assert_one_sentence, noisy, picture, write


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def bomb():
    """A PNG of a few hundred bytes whose header promises 40000x40000 pixels."""
    header = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def values(outcome, metric="psnr-y"):
    """Values by image of a ``--json`` document."""
    images = json.loads(outcome.out)["images"]
    return {row["image"]: row["value"] for row in images if row["metric"] == metric}


DAMAGED = {
    "truncated": (lambda whole: whole[: len(whole) // 2], "is truncated"),
    "empty": (lambda whole: b"", "is empty (0 bytes)"),
    "text": (lambda whole: b"I am a text that is called a picture.\n" * 9, "not a picture"),
    "bomb": (lambda whole: bomb(), "40000x40000"),
    "checksum": (lambda whole: whole[:60] + bytes([whole[60] ^ 255]) + whole[61:], "damaged"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_output(evaluate, pictures, kind):
    spoil, word = DAMAGED[kind]
    victim = pictures / "out" / "fine" / "b.png"
    whole = victim.read_bytes()
    victim.write_bytes(spoil(whole))
    outcome = evaluate("--json", "--out", pictures / "run")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "failed: fine/b.png", "1 of 6 pictures failed")
    document = json.loads(outcome.out)
    (problem,) = document["problems"]
    assert problem["image"] == "fine/b.png"
    assert problem["metrics"] == "psnr-y,ssim-y"
    assert word in problem["problem"]
    found = values(outcome)
    assert found.pop("fine/b.png") is None
    assert len(found) == 5
    assert all(20 < value < 60 for value in found.values())
    fine = [row for row in document["summary"] if row["method"] == "fine"]
    assert all((row["n"], row["n_failed"]) == (2, 1) for row in fine)
    assert (pictures / "run" / "manifest.json").exists()


def test_damaged_reference_fails_its_outputs_alone(evaluate, pictures):
    (pictures / "hr" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    outcome = evaluate("--json")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "a.png", "2 of 6 pictures failed")
    found = values(outcome)
    assert [name for name, value in found.items() if value is None] == ["fine/a.png", "poor/a.png"]


def test_all_damaged(evaluate, pictures):
    for path in (pictures / "out").rglob("*.png"):
        path.write_bytes(b"no")
    outcome = evaluate()
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "6 of 6 pictures failed.")
    assert "the others" not in outcome.err


def test_quiet_still_says_why(evaluate, pictures):
    (pictures / "out" / "fine" / "b.png").write_bytes(b"")
    outcome = evaluate("--quiet")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "fine/b.png", "is empty (0 bytes)")


def test_unreadable_file(evaluate, pictures, ordinary_user):
    assert evaluate("--no-cache").code == 0
    (pictures / "out" / "fine" / "b.png").chmod(0)
    with ordinary_user():
        outcome = evaluate("--no-cache")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "you have no rights to it")


def test_one_pixel_is_not_applicable(evaluate, pictures):
    for place in ("hr", "out/fine", "out/poor"):
        write(pictures / place / "b.png", np.zeros((1, 1, 3), np.uint8))
    outcome = evaluate("--json")
    assert outcome.code == 0
    assert_one_sentence(outcome.err, "n/a: fine/b.png", "too small")
    found = values(outcome)
    assert found["fine/b.png"] is None
    assert sum(value is not None for value in found.values()) == 4
    assert json.loads(outcome.out)["problems"] == []


def test_one_pixel_uncropped_has_a_psnr(command, tmp_path):
    write(tmp_path / "hr" / "a.png", np.full((1, 1, 3), 100, np.uint8))
    write(tmp_path / "out" / "a.png", np.full((1, 1, 3), 101, np.uint8))
    outcome = command(
        "evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "-m", "psnr,ssim", "--json",
        "--protocol", "real",
    )  # fmt: skip
    assert outcome.code == 0
    assert values(outcome, "psnr")["a.png"] == pytest.approx(20 * np.log10(255), abs=1e-5)
    assert values(outcome, "ssim")["a.png"] is None
    assert "1x1 pixels is too small for ssim, which needs 11 a side" in outcome.err


def test_too_small_for_one_metric(evaluate):
    outcome = evaluate("-m", "psnr-y,ms-ssim-y", "--json")
    assert outcome.code == 0
    assert_one_sentence(outcome.err, "32x24 pixels after cutting 4 from each side is too small")
    assert set(values(outcome, "ms-ssim-y").values()) == {None}
    assert None not in values(outcome).values()
    table = evaluate("-m", "psnr-y,ms-ssim-y").out
    assert "n/a  3" in table


def test_no_table_without_a_value(command, tmp_path):
    """A picture too small for every metric, and one of the wrong size: a sentence each."""
    small, given = tmp_path / "small", ("-m", "ssim-y,lpips,niqe,brisque", "--scale", 1)
    write(small / "a.png", picture("a", 5, 6))
    outcome = command("evaluate", small, "--ref", small, *given)
    assert (outcome.code, outcome.out) == (0, "")
    assert len(outcome.err.splitlines()) == 4
    for needed in (11, 31, 96, 14):
        assert f"needs {needed} a side" in outcome.err
    assert command("evaluate", small, "--ref", small, *given, "--quiet").err == outcome.err
    hr = tmp_path / "hr"
    write(hr / "a.png", picture("a", 24, 32))
    given = ("-m", "psnr-y,ssim-y,dists", "--scale", 1)
    outcome = command("evaluate", small, "--ref", hr, *given)
    assert (outcome.code, outcome.out) == (5, "")
    assert "The output is 6x5 and the reference 32x24" in outcome.err
    assert "1 of 1 pictures failed." in outcome.err
    outcome = command("evaluate", small, "--ref", hr, *given, "--json")
    assert set(values(outcome, "dists").values()) == {None}


def test_a_method_that_fails_stands_beside_the_others(command, tmp_path):
    for place in ("hr", "out/right", "out/wrong"):
        write(tmp_path / place / "a.png", picture("a", 24, 20 if "wrong" in place else 32))
    outcome = command(
        "evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "-m", "ssim-y", "--scale", 1
    )
    assert outcome.code == 5
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["right", "1.0000", "1"] in lines
    assert ["wrong", "failed", "1"] in lines


def test_sizes_that_differ_by_the_remainder(evaluate, pictures):
    """The usual case: the reference was not cut to a multiple of the scale."""
    wide = picture("b", 34, 43)
    write(pictures / "hr" / "b.png", wide)
    for seed, method in enumerate(("fine", "poor")):
        write(pictures / "out" / method / "b.png", noisy(wide[:32, :40], 5, seed))
    outcome = evaluate("--json")
    assert outcome.code == 5
    assert_one_sentence(
        outcome.err,
        "The output is 40x32 and the reference 43x34",
        "--on-mismatch modcrop does it",
    )
    assert sum(value is None for value in values(outcome).values()) == 2
    mended = evaluate("--json", "--on-mismatch", "modcrop")
    assert mended.code == 0
    cropped = evaluate("--json", "--on-mismatch", "crop")
    assert values(mended) == values(cropped)
    write(pictures / "hr" / "b.png", wide[:32, :40])
    assert values(evaluate("--json")) == values(mended)


def test_sizes_that_modcrop_does_not_mend(evaluate, pictures):
    write(pictures / "hr" / "b.png", picture("b", 52, 60))
    outcome = evaluate("--on-mismatch", "modcrop")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "cutting to a multiple of 4 does not mend")


def test_modcrop_needs_a_whole_scale(command, pictures):
    write(pictures / "hr" / "b.png", picture("b", 33, 41))
    place = (pictures / "out", "--ref", pictures / "hr")
    for extra in ((), ("--scale", "1.5")):
        outcome = command("evaluate", *place, "--on-mismatch", "modcrop", *extra)
        assert outcome.code == 5
        assert_one_sentence(outcome.err, "--on-mismatch modcrop needs a whole scale of at least 2")


def test_the_input_given_for_the_output(evaluate, pictures):
    write(pictures / "out" / "fine" / "b.png", picture("b")[::4, ::4])
    outcome = evaluate()
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "looks like the low-resolution input (4 times smaller)")


def test_a_little_smaller_is_no_input(command, pictures):
    write(pictures / "hr" / "b.png", picture("b", 64, 64))
    write(pictures / "out" / "fine" / "b.png", picture("b", 60, 60))
    outcome = command("evaluate", pictures / "out" / "fine", "--ref", pictures / "hr")
    assert outcome.code == 5
    assert "low-resolution" not in outcome.err
    assert_one_sentence(outcome.err, "--on-mismatch crop compares the common top left part")


@pytest.mark.parametrize("side", ["reference", "output"])
def test_a_partner_is_missing(evaluate, pictures, side):
    gone = pictures / ("hr/b.png" if side == "reference" else "out/fine/b.png")
    gone.unlink()
    outcome = evaluate("--out", pictures / "run")
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "b.png", "--on-missing skip", "--pair")
    assert outcome.out == ""
    assert not (pictures / "run").exists()
    skipping = evaluate("--on-missing", "skip", "--json")
    assert skipping.code == 0
    assert len(values(skipping)) == (4 if side == "reference" else 5)
    skipped = json.loads(skipping.out)["manifest"]["skipped"]
    assert len(skipped) == (2 if side == "reference" else 1)


def test_sixteen_against_eight_bits(evaluate, pictures):
    eight = picture("b")
    write(pictures / "hr" / "b.png", eight.astype(np.uint16) * 257)
    write(pictures / "out" / "fine" / "b.png", eight)
    outcome = evaluate("--json")
    assert outcome.code == 0
    assert_one_sentence(outcome.err, "hold more than 8 bits", "--depth 16")
    assert values(outcome)["fine/b.png"] == "inf"
    deep = evaluate("--json", "--depth", "16")
    assert values(deep)["fine/b.png"] == "inf"  # 257 = 65535/255: nothing is lost


def test_grey_against_colour(evaluate, pictures):
    grey = picture("b")[..., 0]
    write(pictures / "hr" / "b.png", grey)
    write(pictures / "out" / "fine" / "b.png", np.stack([grey] * 3, axis=-1))
    outcome = evaluate("--json")
    assert outcome.code == 0
    assert_one_sentence(outcome.err, "greyscale; they count as R = G = B")
    assert values(outcome)["fine/b.png"] == "inf"


def test_alpha(evaluate, pictures):
    pixels = picture("b")
    alpha = np.full(pixels.shape[:2], 255, np.uint8)
    alpha[:4] = 0
    write(pictures / "out" / "fine" / "b.png", np.dstack([pixels, alpha]))
    refused = evaluate("--json")
    assert refused.code == 5
    assert_one_sentence(refused.err, "alpha", "fine/b.png")
    white = evaluate("--json", "--alpha", "white", "--protocol", "real")
    assert white.code == 0
    dropped = evaluate("--json", "--alpha", "drop", "--protocol", "real")
    assert values(dropped)["fine/b.png"] == "inf"
    assert values(white)["fine/b.png"] < 30


def test_nan_in_a_float_tiff(evaluate, pictures):
    plane = picture("b").astype(np.float32) / 255
    plane[3, 3] = np.nan
    (pictures / "out" / "fine" / "b.png").unlink()
    tifffile.imwrite(pictures / "out" / "fine" / "b.tif", plane, photometric="rgb")
    outcome = evaluate("--json")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "fine/b.tif", "NaN")
    assert sum(value is None for value in values(outcome).values()) == 1


def test_spaces_chinese_and_markup_in_names(command, tmp_path):
    contents = ("baby face", "图像 一", "50%_done [b]x[-b]", "a'b\"c")
    support.scene(tmp_path, contents, methods=("我的 方法", "[red]m&m"))
    arguments = ("evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "--scale", 4)
    outcome = command(*arguments, "--json", "--out", tmp_path / "结果 1")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert {row["content"] for row in document["images"]} == set(contents)
    assert {row["method"] for row in document["images"]} == {"我的 方法", "[red]m&m"}
    for kind in ("table", "markdown", "csv", "latex"):
        printed = command(*arguments, "--format", kind)
        assert printed.code == 0
        assert "我的 方法" in printed.out
    assert "[red]m&m" in command(*arguments).out
    assert command("compare", tmp_path / "结果 1").code == 0


def test_markup_in_the_name_of_a_dataset(command, tmp_path):
    """rich would read [/x] as markup and give up."""
    for dataset in ("[bold]a", "[x]b[-x]"):
        support.scene(tmp_path / "s", methods=("fine", "poor"))
        shutil.copytree(tmp_path / "s/hr", tmp_path / "hr" / dataset)
        for method in ("fine", "poor"):
            shutil.copytree(tmp_path / "s/out" / method, tmp_path / "out" / method / dataset)
    run = tmp_path / "run"
    place = (tmp_path / "out", "--ref", tmp_path / "hr", "--scale", 4)
    outcome = command("evaluate", *place, "--out", run)
    assert outcome.code == 0
    assert "[bold]a x4" in outcome.out
    assert "[bold]a x4" in command("compare", run).out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are text elsewhere")
def test_names_that_are_no_text(tmp_path):
    """Linux allows any bytes in names."""
    support.scene(tmp_path)
    for place in (b"hr", b"out/fine", b"out/poor"):
        folder = os.path.join(os.fsencode(tmp_path), place)  # noqa: PTH118
        os.rename(os.path.join(folder, b"b.png"), os.path.join(folder, b"caf\xe9.png"))  # noqa: PTH104, PTH118
    arguments = ("evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "--scale", "4")
    run = tmp_path / "run"
    outcome = support.srqa(*arguments, "-m", "psnr-y,ssim-y", "--json", "--out", run)
    assert outcome.returncode == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert "caf\\xe9" in {row["content"] for row in document["images"]}
    one = ("evaluate", tmp_path / "out" / "fine", *arguments[2:])
    table = support.srqa(*one, "-m", "ms-ssim-y")
    assert table.returncode == 0
    assert "caf\\xe9.png" in table.stderr
    assert support.srqa("compare", run).returncode == 0
    assert support.srqa("pairs", tmp_path / "out", "--ref", tmp_path / "hr").returncode == 0
    assert support.srqa(*arguments, "--out", run, "--overwrite").returncode == 0


def test_names_on_a_terminal_that_knows_only_ascii(tmp_path):
    support.scene(tmp_path, contents=("é", "中"))
    arguments = ("evaluate", tmp_path / "out", "--ref", tmp_path / "hr", "--scale", "4")
    ascii_only = support.environment() | {"PYTHONIOENCODING": "ascii"}
    table = support.srqa(*arguments, env=ascii_only)
    assert table.returncode == 0
    assert "psnr-y" in table.stdout
    document = support.srqa(*arguments, "--json", env=ascii_only)
    contents = [row["content"] for row in json.loads(document.stdout)["images"]]
    assert set(contents) == {"é", "中"}


def test_loops_of_links(evaluate, pictures):
    (pictures / "out" / "fine" / "again").symlink_to(pictures / "out", target_is_directory=True)
    (pictures / "out" / "poor" / "b.png").unlink()
    (pictures / "out" / "poor" / "b.png").symlink_to("b.png")
    outcome = evaluate("--json")
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "b.png", "leads back to itself")
    assert sum(value is not None for value in values(outcome).values()) == 5


def test_link_that_leads_nowhere(evaluate, pictures):
    victim = pictures / "out" / "fine" / "b.png"
    victim.unlink()
    victim.symlink_to(pictures / "gone.png")
    outcome = evaluate()
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "b.png", "is a link to a file that does not exist")


def test_duplicate_stems(evaluate, pictures):
    pixels = picture("b")
    (pictures / "out" / "fine" / "b.bmp").write_bytes(imagecodecs.bmp_encode(pixels))
    outcome = evaluate()
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "b.bmp", "b.png")


def test_empty_folders(command, pictures):
    empty = pictures / "empty"
    empty.mkdir()
    for arguments in ((empty, "--ref", pictures / "hr"), (pictures / "out", "--ref", empty)):
        outcome = command("evaluate", *arguments)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, f"no pictures in {empty}")


def test_folders_that_are_not_there(command, pictures):
    for arguments in (
        (pictures / "gone", "--ref", pictures / "hr"),
        (pictures / "out", "--ref", pictures / "gone"),
        (pictures / "out", "--ref", pictures / "hr", "--lr", pictures / "gone"),
    ):
        outcome = command("evaluate", *arguments)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "gone does not exist")


@pytest.mark.parametrize(
    ("given", "near"),
    [("pnsr-y", "psnr-y"), ("ssimm", "ssim"), ("SSIM-X", "ssim"), ("vfi", "vif")],
)
def test_unknown_metric_names_the_nearest(evaluate, given, near):
    outcome = evaluate("-m", f"psnr-y,{given}")
    assert outcome.code == 2
    assert_one_sentence(outcome.err, f"There is no metric {given!r}", near, "srqa metrics list")
    assert outcome.out == ""


@pytest.mark.parametrize("names", ["", ",", "psnr-y,", "psnr-y,,ssim-y", " ,psnr-y"])
def test_empty_name_of_a_metric(evaluate, names):
    outcome = evaluate("-m", names)
    assert outcome.code == 2
    assert_one_sentence(outcome.err, "The list of metrics has an empty name")


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "four"])
@pytest.mark.parametrize("subcommand", ["evaluate", "pairs"])
def test_bad_scale(command, pictures, scale, subcommand):
    place = (pictures / "out", "--ref", pictures / "hr")
    outcome = command(subcommand, *place, "--scale", scale)
    assert outcome.code == 2
    assert_one_sentence(outcome.err, "--scale")
    assert outcome.out == ""


CONTRADICTIONS = {
    "resume without --out": (["--resume"], "need --out"),
    "overwrite without --out": (["--overwrite"], "need --out"),
    "resume and overwrite": (["--resume", "--overwrite", "--out", "run"], "contradict"),
    "drop without baseline": (["--max-drop", "psnr-y=1"], "--max-drop needs --baseline"),
    "baseline without drop": (["--baseline", "run"], "--baseline needs --max-drop"),
    "condition": (["--fail-if", "psnr-y"], "is not a condition"),
    "condition on nothing": (["--fail-if", "vif<0.2"], "vif is not computed"),
    "drop on nothing": (["--baseline", "r", "--max-drop", "vif=1"], "vif is not computed"),
    "condition on no metric": (["--fail-if", "psnry2<0.2"], "no metric"),
    "half a bracket": (["--fail-if", "any(psnr-y<3"], "is not a condition"),
    "no number": (["--fail-if", "psnr-y<abc"], "'abc' is not a number"),
    "device": (["--device", "tpu"], "no device 'tpu'"),
    "gpu": (["--device", "cuda:99"], "--device cuda:99"),
    "batch": (["--batch-size", "0"], "--batch-size must be at least 1"),
    "workers": (["--workers", "-2"], "--workers must be at least 1"),
    "protocol": (["--protocol", "srr"], "Did you mean sr?"),
    "pair": (["--pair", "magic"], "magic"),
    "layout": (["--layout", "{method}/x.png"], "no {content}"),
    "lr metric without lr": (["-m", "lr-psnr"], "needs --lr"),
    "option": (["--metric", "psnr"], "--metric"),
    "format": (["--format", "xml"], "xml"),
    "depth": (["--depth", "12"], "12"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_wrong_options(evaluate, pictures, case, monkeypatch):
    monkeypatch.chdir(pictures)
    arguments, words = CONTRADICTIONS[case]
    outcome = evaluate(*arguments)
    assert outcome.code == 2
    assert_one_sentence(outcome.err, words)
    assert outcome.out == ""
    assert not (pictures / "run").exists()


def test_no_reference_for_the_default_metrics(command, pictures):
    outcome = command("evaluate", pictures / "out")
    assert outcome.code == 2
    assert_one_sentence(outcome.err, "The metric psnr-y needs --ref")


def test_output_in_the_way_of_a_file(evaluate, pictures):
    (pictures / "file").write_text("mine")
    for place in (pictures / "file", pictures / "file" / "below", "/dev/null/run"):
        outcome = evaluate("--out", place)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, str(place))
        assert outcome.out == ""
    assert (pictures / "file").read_text() == "mine"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_output_that_cannot_be_made(evaluate):
    outcome = evaluate("--out", "/proc/srqa-run")
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "/proc/srqa-run cannot be written")


def test_output_without_rights(evaluate, pictures, ordinary_user):
    assert evaluate("--no-cache", "--out", pictures / "run").code == 0
    (pictures / "locked").mkdir(mode=0o555)
    with ordinary_user():
        outcome = evaluate("--no-cache", "--out", pictures / "locked" / "run")
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "No rights to write")


def test_a_folder_that_is_no_run(command, pictures):
    for subcommand in ("compare", "report"):
        outcome = command(subcommand, pictures / "hr")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "is not a Run: it has no manifest.json")
        outcome = command(subcommand, pictures / "gone")
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "is not a Run")


@pytest.fixture
def run(evaluate, pictures):
    assert evaluate("--out", pictures / "run").code == 0
    return pictures / "run"


DAMAGES = {
    "cut": lambda run: (run / "scores.parquet").write_bytes(
        (run / "scores.parquet").read_bytes()[:700]
    ),
    "empty": lambda run: (run / "summary.parquet").write_bytes(b""),
    "another table": lambda run: shutil.copy(run / "files.parquet", run / "scores.parquet"),
    "gone": lambda run: (run / "files.parquet").unlink(),
    "flipped": lambda run: (run / "scores.parquet").write_bytes(
        bytes(b ^ 0x5A for b in (run / "scores.parquet").read_bytes())
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("subcommand", ["compare", "report"])
def test_damaged_tables(command, run, damage, subcommand):
    DAMAGES[damage](run)
    outcome = command(subcommand, run)
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "is missing or damaged")
    assert ".." not in outcome.err.split("damaged")[1]
    assert not (run / "report.html").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"metrics"', '{"a": 1}', "\udcff"])
def test_damaged_manifest(command, run, text):
    (run / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    for subcommand in ("compare", "report"):
        outcome = command(subcommand, run)
        assert outcome.code == 3
        assert_one_sentence(outcome.err, "manifest.json")


def test_standard_output_is_closed_early(pictures):
    """A reader that leaves does not change the exit code, and nobody sees a traceback."""
    base = [*support.SRQA, "evaluate", pictures / "out", "--ref", pictures / "hr", "--scale", "4",
            "-m", "psnr-y,ssim-y"]  # fmt: skip
    for extra, code in (
        ([], 0),
        (["--json"], 0),
        (["--format", "csv"], 0),
        (["--fail-if", "psnr-y<99"], 1),
    ):
        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "wb") as closed:  # noqa: PTH123
            ended = subprocess.run(
                [*base, *extra], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
            )
        assert ended.returncode == code, ended.stderr
        assert_one_sentence(ended.stderr)
        assert "BrokenPipe" not in ended.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["metrics", "list"], ["metrics", "list", "--json"]]
)
def test_listing_into_a_closed_pipe(arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as closed:  # noqa: PTH123
        ended = subprocess.run(
            [*support.SRQA, *arguments],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")


needs_dev_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110


@needs_dev_full
def test_standard_output_on_a_full_disk(pictures):
    base = [*support.SRQA, "evaluate", pictures / "out", "--ref", pictures / "hr", "--scale", "4",
            "-m", "psnr-y,ssim-y"]  # fmt: skip
    for extra in ([], ["--json"]):
        with open("/dev/full", "wb") as full:  # noqa: PTH123
            ended = subprocess.run(
                [*base, *extra], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert ended.returncode == 3
        assert_one_sentence(ended.stderr, "Standard output cannot be written: No space left")


@pytest.fixture
def small_disk(tmp_path_factory):
    """``small_disk(size)``: a folder on a disk of its own."""
    mounted = []

    def make(size):
        place = tmp_path_factory.mktemp("disk")
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
            capture_output=True,
            check=False,
        )
        if made.returncode:
            pytest.skip(f"no rights to mount a small disk: {made.stderr.decode().strip()}")
        mounted.append(place)
        return place

    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("free", [0, 4096, 8192, 12288, 20480])
def test_full_disk(evaluate, pictures, small_disk, free):
    """Full from the start, in the journal, or while the tables are written: never half a Run."""
    disk = small_disk("128k")
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            pass
    out = disk / "run"
    if free:
        os.truncate(filler, filler.stat().st_size - free)
    outcome = evaluate("--out", out)
    assert outcome.code == 3
    assert outcome.out == ""
    assert_one_sentence(outcome.err, "No space is left to write")
    left = sorted(path.name for path in out.iterdir()) if out.exists() else []
    assert "manifest.json" not in left
    assert not [name for name in left if name.endswith(".tmp") or name == ".lock"]
    filler.unlink()
    resumed = evaluate("--out", out, "--resume")
    assert resumed.code == 0
    assert {path.name for path in out.iterdir()} == {
        f"{table}.{kind}" for table in ("scores", "summary", "files") for kind in ("csv", "parquet")
    } | {"manifest.json"}


def test_bomb_as_low_resolution_input(command, pictures):
    """The scale is told from the headers of reference and input; a bomb must not stop it."""
    for content in "abc":
        write(pictures / "lr" / f"{content}.png", picture(content, 8, 10))
    (pictures / "lr" / "b.png").write_bytes(bomb())
    outcome = command(
        "evaluate", pictures / "out", "--ref", pictures / "hr", "--lr", pictures / "lr",
        "-m", "psnr-y,lr-psnr", "--json",
    )  # fmt: skip
    assert outcome.code == 5
    assert_one_sentence(outcome.err, "40000x40000")
    found = values(outcome, "lr-psnr")
    assert sorted(name for name, value in found.items() if value is None) == [
        "fine/b.png",
        "poor/b.png",
    ]
    assert None not in values(outcome).values()
