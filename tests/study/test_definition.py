"""study.yaml: what is refused, in which words, with which line."""

import json
from textwrap import dedent

import jsonschema
import pytest
import yaml

from srqa import assets
from srqa.errors import InputError, UsageError
from srqa.study.loading import (
    SCHEMA,
    DefinitionError,
    definition_of,
    load_definition,
    schema_text,
    secret,
)
from srqa.study.methods import METHODS

HEAD = "version: 1\ntitle: T\nmethod: {}\nstimuli: {{root: out, reference: {{root: hr}}}}\n"


def problems(text):
    with pytest.raises(DefinitionError) as caught:
        definition_of(dedent(text), "study.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_values_and_words(method):
    given = definition_of(HEAD.format(method))
    assert len(METHODS[method].values(given.scale.points)) >= 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scale:\n  points: 6\n", "study.yaml:6: scale.points must be 5, 7, 9 or 11, not 6."),
        ("scale: {labls: itu}\n", "study.yaml:5: scale.labls is not known; did you mean labels."),
        ("trainig: []\n", "study.yaml:5: trainig is not known; did you mean training."),
        ("session:\n  repeats: -1\n", "study.yaml:6: session.repeats must be greater than or"),
        ("display: {background: grey}\n", "study.yaml:5: display.background must match pattern"),
        ("title: again\n", "study.yaml:5: title stands here a second time (first in line 2)."),
        ("scale: {keys: '1234'}\n", "study.yaml:5: scale.keys must be 5 different keys."),
        ("scale: {keys: abcde}\n", "study.yaml:5: scale.keys must have neither C nor R"),
        ("scale: {labels: [a, b]}\n", "study.yaml:5: scale.labels must be 5 labels, not 2."),
        ("pairs: {design: full}\n", "study.yaml:5: pairs are for the methods pair and pair_tie."),
        ("training:\n- {}\n", "study.yaml:6: training.0 must have either `stimulus` or `pair`."),
        ("checks: {identical_pairs: 1}\n", "study.yaml:5: checks.identical_pairs are for choices"),
        ("questions:\n- {id: A, text: x}\n", "study.yaml:6: questions.0.id must match pattern"),
    ],
)
def test_a_mistake_is_told_with_its_line(text, said):
    told = problems(HEAD.format("acr") + text)
    assert len(told) == 1
    assert told[0].startswith(said)


def test_all_mistakes_are_told_at_once_in_order():
    told = problems("version: 2\nmethod: mos\nstimuli: {}\n")
    assert [line.split(" ")[0] for line in told] == sorted(line.split(" ")[0] for line in told)
    assert any("title is missing" in line for line in told)
    assert any("method must be 'acr', 'acr_hr'" in line for line in told)
    assert any("stimuli.root is missing" in line for line in told)


def test_methods_against_a_reference_need_one():
    text = "version: 1\ntitle: T\nmethod: acr_hr\nstimuli: {root: out}\n"
    assert "stimuli.reference is missing, but acr_hr needs" in problems(text)[0]


@pytest.mark.parametrize("text", ["", "- a\n", "x: [", "\tx: 1"])
def test_what_is_no_definition_is_told(text):
    with pytest.raises(DefinitionError):
        definition_of(text)


def test_missing_and_odd_files(tmp_path):
    with pytest.raises(InputError, match="no study definition"):
        load_definition(tmp_path)
    (tmp_path / "study.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        load_definition(tmp_path)


def test_the_schema_file_is_current():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "srqa study schema > " + str(SCHEMA)


@pytest.mark.parametrize("name", ["demo", "demo-pairs"])
def test_shipped_studies_fit_the_published_schema(name):
    text = assets.path(f"studies/{name}/study.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json.loads(SCHEMA.read_text(encoding="utf-8")))
    definition_of(text)


def test_secrets_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("SRQA_CODE", "C0DE")
    assert secret("env:SRQA_CODE") == "C0DE"
    assert secret("plain") == "plain"
    assert secret(None) is None
    monkeypatch.delenv("SRQA_CODE")
    with pytest.raises(UsageError, match="SRQA_CODE is not set"):
        secret("env:SRQA_CODE")


def test_platforms_bring_their_parameters():
    text = HEAD.format("acr") + "participants: {platform: {name: prolific}}\n"
    platform = definition_of(text).participants.platform
    assert platform.parameters == ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"]
    assert platform.person == "PROLIFIC_PID"
