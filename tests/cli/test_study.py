"""`srqa study`: what users type, and what they are told."""

import json

import pytest
from support import picture as made_picture
from support import scene, write

from srqa.study.loading import schema_text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SRQA_DATABASE", raising=False)
    monkeypatch.delenv("SRQA_STUDIES", raising=False)
    return scene(tmp_path, contents=("a", "b", "c", "d"), methods=("fine", "poor"), side=64)


def test_from_pictures_to_a_simulated_study(command, folder):
    done = command("study", "init", "mine", "--images", "out", "--ref", "hr")
    assert done.code == 0, done.err
    file = folder / "studies/mine/study.yaml"
    assert "../../out" in file.read_text()
    again = command("study", "init", "mine", "--images", "out")
    assert again.code == 3
    assert "is there already" in again.err
    lint = command("study", "lint", "mine")
    assert lint.code == 0, lint.out
    assert "8 stimuli, 8 questions" in lint.out
    plan = json.loads(command("study", "plan", "mine", "--participants", "24", "--json").out)
    assert plan["votes"] == 24
    assert plan["stimuli"] == 8
    tried = command("study", "simulate", "mine", "--observers", "6", "-q", "--json")
    assert tried.code == 0, tried.err
    record = json.loads(tried.out)
    assert record["observers"] + record["left"] == 6
    assert set(record["method_order"][0]) == {"fine", "poor"}
    status = command("study", "status", "mine")
    assert status.code == 0
    assert "nobody yet" in status.out
    for name in ("analyze", "export", "bundle"):
        empty = command("study", name, "mine")
        assert empty.code == 3
        assert "has no answers yet" in empty.err


@pytest.mark.parametrize("method", ["acr_hr", "dcr", "ccr", "slider", "pair", "pair_tie"])
def test_init_writes_a_study_that_lints_for_every_method(command, folder, method):
    made = command("study", "init", method, "--images", "out", "--ref", "hr", "--method", method)
    assert made.code == 0, made.err
    lint = command("study", "lint", method)
    assert lint.code == 0, lint.out


def test_mistakes_are_told(command, folder):
    assert "no study nowhere" in command("study", "status", "nowhere").err
    unknown = command("study", "serv", "demo")
    assert unknown.code == 2
    assert "Did you mean serve?" in unknown.err
    assert command("study", "init", "a b", "--images", "out").code == 2
    assert command("study", "init", "x", "--images", "nowhere").code == 3
    refused = command("study", "init", "x", "--images", "out", "--method", "dcr")
    assert refused.code == 2
    assert "needs references" in refused.err
    command("study", "init", "mine", "--images", "out")
    file = folder / "studies/mine/study.yaml"
    file.write_text(file.read_text().replace("method: acr", "method: arc"))
    wrong = command("study", "lint", "mine")
    assert wrong.code == 2
    assert "study.yaml:12: method must be" in wrong.err
    (folder / "x.zip").write_text("no zip")
    assert command("study", "verify", "x.zip").code == 3
    assert command("study", "forget", "mine").code == 2


def test_a_picture_that_differs_in_size_fails_lint(command, folder):
    command("study", "init", "mine", "--images", "out", "--ref", "hr")
    write(folder / "out/poor/b.png", made_picture("b", 32, 32))
    lint = command("study", "lint", "mine", "--json")
    assert lint.code == 3
    assert any("differ in size" in one["message"] for one in json.loads(lint.out))


def test_the_schema_is_printed(command):
    assert command("study", "schema").out == schema_text()


def test_help_names_every_command(command):
    text = command("study", "--help").out
    for name in ("init", "lint", "plan", "simulate", "serve", "admin", "status", "analyze",
                 "report", "export", "import", "bundle", "verify", "forget"):  # fmt: skip
        assert f"  {name} " in text
        assert command("study", name, "--help").code == 0
    assert "study" in command("demo", "--help").out
