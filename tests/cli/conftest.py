"""The command line, called in process."""

from dataclasses import dataclass

import pytest
import support

from srqa.cli import run


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys):
    """``command("evaluate", ...)`` runs srqa's command line as a terminal would."""

    def call(*arguments):
        capsys.readouterr()
        try:
            code = run([str(a) for a in arguments])
        except SystemExit as end:
            code = end.code
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def pictures(tmp_path):
    """Three references, and two methods of which "poor" is noisier."""
    return support.scene(tmp_path)


@pytest.fixture
def evaluate(command, pictures):
    """``srqa evaluate out/ --ref hr/ --scale 4`` on `pictures`, and what else is given."""

    def call(*arguments):
        return command(
            "evaluate", pictures / "out", "--ref", pictures / "hr", "--scale", 4, *arguments
        )

    return call


@pytest.fixture(autouse=True)
def two_metrics(monkeypatch):
    """Tests that name no metric are about other things; test_defaults.py is about the defaults."""
    monkeypatch.setattr("srqa.engine.choice.DEFAULT_METRICS", ("psnr-y", "ssim-y"))
