"""What README and docs say is run: commands, Python blocks, generated pages, links."""

import importlib.util
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


def blocks(page, language):
    return [body for name, body in _BLOCK.findall(page.read_text("utf-8")) if name == language]


def readme_commands():
    lines = [line for block in blocks(ROOT / "README.md", "bash") for line in block.splitlines()]
    return [line for line in lines if line.strip()]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """The folders that the README speaks of, holding real pictures."""
    pytest.importorskip("skimage")
    import cv2

    from srqa.demo import photographs
    from srqa.images.read import read
    from srqa.images.resize import imresize

    folder = tmp_path_factory.mktemp("readme")
    kernels = {"swinir": "lanczos3", "hat": "bicubic", "bicubic": "bilinear"}
    scores = ["content,method,mos"]
    for i, source in enumerate(photographs()[:4]):
        hr = read(source).pixels[:192, :192]
        pictures = {"hr": hr}
        for method, kernel in kernels.items():
            pictures[method] = imresize(imresize(hr, 0.25), 4, kernel=kernel)
            pictures[f"outputs/{method}"] = pictures[method]
        for place, pixels in pictures.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(folder / place / source.name), np.flip(pixels, -1))
        scores += [f"{source.stem},{m},{3 + j / 2 + i / 9}" for j, m in enumerate(kernels)]
    (folder / "mos.csv").write_text("\n".join(scores))
    return folder


def serve_a_moment(command, folder):
    """Start a server as the README says, on a free port; see its page; press Ctrl-C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [port if word == "8501" else word for word in command]
    log = folder / "server.log"
    with log.open("w") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as run:
        try:
            for _ in range(600):
                with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                    assert page.status == 200
                    break
                assert run.poll() is None, log.read_text()
                time.sleep(0.2)
            else:
                pytest.fail(log.read_text())
        finally:
            run.send_signal(signal.SIGINT)
        assert run.wait(60) in (0, 130), log.read_text()


def test_readme_commands_run(workplace):
    """In order, in one folder, with the options as they stand."""
    ran = 0
    for line in readme_commands():
        words = shlex.split(line, comments=True)
        if words[0] != "srqa":
            continue
        command = [sys.executable, "-c", "from srqa.cli import main; main()", *words[1:]]
        ran += 1
        if words[1:3] == ["study", "serve"]:
            serve_a_moment(command, workplace)
            continue
        done = subprocess.run(
            command, cwd=workplace, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert ran >= 15
    assert (workplace / "runs/x4/report.html").stat().st_size > 50_000


def srqa_command(line):
    return [sys.executable, "-c", "from srqa.cli import main; main()", *shlex.split(line)[1:]]


def ran(line, folder):
    done = subprocess.run(
        srqa_command(line), cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def answers_to(folder):
    """Answers of ten people to the pairs of a study; they like the first pictures better."""
    import pandas as pd

    pairs = pd.read_csv(folder / "studies/who-is-right/disagreements.csv")["pair"]
    rows = [(f"o{k}", f"first/{pair}.png", f"second/{pair}.png", "left" if k else "right")
            for k in range(10) for pair in pairs]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["observer", "left", "right", "choice"])
    frame.to_csv(folder / "answers.csv", index=False)


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """What docs/correlation.md and docs/explorer.md speak of: Runs, and people who rated them."""
    pytest.importorskip("skimage")
    import shutil

    import pandas as pd

    from srqa.correlation.example import make_pictures

    folder = tmp_path_factory.mktemp("rated")
    make_pictures(folder)
    kept = sorted(path.name for path in (folder / "hr").iterdir())[:12]
    for path in folder.rglob("*.png"):
        if path.name not in kept:
            path.unlink()
    for method in ("bilinear", "lanczos", "overdone"):
        shutil.rmtree(folder / "outputs" / method)
    ran("srqa evaluate outputs --ref hr --scale 4 -m psnr-y,lpips,dists --out runs/x4", folder)
    for name in ("old", "new"):
        shutil.copytree(folder / "runs/x4", folder / "runs" / name)
    ran("srqa study init my-study --images outputs --ref hr", folder)
    ran("srqa study simulate my-study --observers 14 --quality runs/x4:dists --out results", folder)
    mos = pd.read_csv(folder / "results/mos.csv")
    mos[["content", "method", "mos", "ci_low", "ci_high"]].to_csv(folder / "mos.csv", index=False)
    rng = np.random.default_rng(0)
    votes = pd.DataFrame([
        (f"o{k}", name, int(np.clip(round(score + rng.normal(0, 0.6)), 1, 5)))
        for k in range(12) for name, score in zip(mos["stimulus"], mos["mos"], strict=True)
    ], columns=["observer", "stimulus", "value"])  # fmt: skip
    votes.to_csv(folder / "votes.csv", index=False)
    ran("srqa study import my-study votes.csv", folder)
    scores = pd.read_parquet(folder / "runs/x4/scores.parquet")
    wide = scores.pivot(index=["content", "method"], columns="metric", values="value")
    wide.reset_index().to_csv(folder / "scores.csv", index=False)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", ["correlation.md", "explorer.md"])
def test_commands_of_the_pages_about_people_run(page, rated):
    """In order, in one folder; servers are looked at and ended."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    commands = [line for line in "\n".join(blocks(ROOT / "docs" / page, "")).splitlines()
                if line.startswith("srqa ")]  # fmt: skip
    commands += re.findall(r"`(srqa [^`]*(?:--|-m )[^`]*)`", text)
    assert len(commands) >= 4, commands
    for line in commands:
        words = shlex.split(line, comments=True)
        line = shlex.join(words)
        if "runs/fsrcnn" in words:
            continue  # trainings: tests/report
        if words[1] == "explore" or words[1:3] == ["study", "serve"]:
            port = ["--port", "8501"] if "--port" not in words else []
            command = ["8501" if w == "8600" else w for w in (*srqa_command(line), *port)]
            serve_a_moment(command, rated)
        elif words[1:] == ["demo", "correlate"]:
            continue  # test_the_demonstration
        else:
            if "--answers" in words:
                answers_to(rated)
            said = ran(line, rated)
            if words[1] == "correlate":
                assert said.startswith("dists agrees best with people"), said


def test_other_readme_commands_are_run_by_ci():
    other = {shlex.split(line, comments=True)[0] for line in readme_commands()} - {"srqa"}
    assert other == {"make", "pip"}
    ci = (ROOT / ".ci/run").read_text()
    makes = [line.split()[1] for line in readme_commands() if line.startswith("make")]
    assert all(f"make {target}" in ci for target in makes)
    assert "pip install --quiet --disable-pip-version-check -e" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_blocks_run(page, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    pixels = np.zeros((32, 32, 3), np.uint8)
    for body in blocks(page, "python"):
        if "my_package" in body or "hat" in body:
            continue  # tested as a package in test_entry_point; needs folders of its own name
        exec(compile(body, str(page), "exec"), {"sr": pixels, "hr": pixels})


def test_the_folders_example_runs(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    (body,) = [b for b in blocks(ROOT / "docs/python.md", "python") if "hat" in b]
    exec(compile(body.replace("runs/x4", "runs/python"), "docs/python.md", "exec"), {})


def test_the_metric_of_ones_own_runs():
    (body,) = [b for b in blocks(ROOT / "docs/python.md", "python") if "my_package" in b]
    space = {}
    exec(compile(body, "docs/python.md", "exec"), space)
    ramp = np.linspace(0, 1, 11, dtype=np.float32)[None, None, :].repeat(5, 1)
    assert space["SPEC"](ramp) == pytest.approx(0.1)


def test_generated_pages_are_current():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {path.name for path in module.PAGES} == {
        "metrics.md",
        "weights.md",
        "choosing.md",
        "models.md",
        "findings.md",
        "srqa-nr.md",
    }
    for path, made in module.PAGES.items():
        assert path.read_text("utf-8") == made(), f"{path.name}: run `python docs/generate.py`"


def test_metrics_that_pages_name_exist():
    """On the page that gives advice: every name in code marks is a metric or something to type."""
    from fnmatch import filter as matching

    from srqa.metrics import registry

    text = (ROOT / "docs/choosing.md").read_text("utf-8")
    for name in re.findall(r"`([^`]+)`", text):
        known = matching(registry.names(), name) or name.startswith(("--", "srqa "))
        assert known, name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#][^)]*)\)", page.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target.split("#")[0]).exists(), target


def test_protocol_example_is_valid(tmp_path):
    from srqa.engine.protocol import get_protocol

    (body,) = blocks(ROOT / "docs/protocols.md", "toml")
    path = tmp_path / "aim.toml"
    path.write_text(body)
    protocol = get_protocol(str(path))
    assert (protocol.name, protocol.crop, protocol.y_rounded) == ("aim", 6, True)
