"""`srqa metrics list` and `srqa metrics show`."""

import io
import json
from importlib.resources import files

import jsonschema
import pytest
from rich.console import Console

from srqa.metrics import licences, registry
from srqa.metrics.spec import Agreement, MetricSpec


@pytest.fixture(scope="module")
def schema():
    return json.loads(files("srqa.report").joinpath("schemas/metrics.schema.json").read_text())


@pytest.fixture
def terminal(command, monkeypatch):
    """``terminal(width, "metrics", "list")``: the lines that a terminal of that width shows."""

    def call(width, *arguments):
        page = io.StringIO()
        console = Console(file=page, width=width, highlight=False)
        monkeypatch.setattr("srqa.cli.metrics.out", lambda: console)
        assert command(*arguments).code == 0
        return page.getvalue().splitlines()

    return call


@pytest.fixture
def restricted(monkeypatch):
    """A metric whose numbers are not free, and whose provider is not installed."""
    spec = MetricSpec(
        name="theirs",
        function=lambda planes: 0.0,
        summary="somebody's",
        kind="nr",
        provider="no-such-distribution",
        extra="theirs",
        weights_licence="CC-BY-NC-4.0",
        settings="none",
        guidance="Good for naps.",
        given="ma",
        alert=(3.0, "something is wrong."),
        agreement=(Agreement("SROCC", 0.5, "some data", "somebody, 2020"),),
    )
    monkeypatch.setattr(registry, "_registry", lambda: registry._OWN | {spec.name: spec})
    return spec


def names(lines):
    return [line.split()[0] for line in lines[1:] if line[:1].strip()]


# ------------------------------------------------------------------------------------- list


@pytest.mark.parametrize("width", [80, 100, 200])
def test_list_fits_the_terminal(terminal, width):
    lines = terminal(width, "metrics", "list")
    assert names(lines) == registry.names()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    assert ("weights" in lines[0]) == (width == 200)


def test_list_in_a_pipe_has_a_line_a_metric(command):
    lines = command("metrics", "list").out.splitlines()
    assert len(lines) == 1 + len(registry.names())
    assert "BSD-2-Clause" in next(line for line in lines if line.startswith("lpips "))


@pytest.mark.parametrize("kind", ["fr", "nr", "lr"])
@pytest.mark.parametrize("level", ["image", "set"])
def test_list_of_some(command, kind, level):
    out = command("metrics", "list", "--kind", kind, "--level", level).out
    wanted = [s.name for s in registry.specs() if (s.kind, s.level) == (kind, level)]
    if wanted:
        assert names(out.splitlines()) == wanted
    else:
        assert out == "No metric is of this kind.\n"


def test_list_of_what_is_free(command, restricted):
    shown = names(command("metrics", "list", "--licence", "permissive").out.splitlines())
    assert shown == [s.name for s in registry.specs() if licences.permissive(s)]
    assert "theirs" not in shown
    line = command("metrics", "list").out.splitlines()[-1].split()
    assert (line[0], line[3]) == ("theirs", "no")


# ------------------------------------------------------------------------------------- JSON


def test_json_is_complete_and_as_its_schema_says(command, schema, restricted):
    text = command("metrics", "list", "--json").out
    document = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    jsonschema.validate(document, schema)
    assert [item["name"] for item in document] == registry.names()
    for item in document:
        spec = registry.get(item["name"])
        assert len(item["agreement"]) == len(spec.agreement)
        assert [w["name"] for w in item["weights"]] == list(spec.weights)
        assert (item["whole"], item["permissive"]) == (spec.whole, licences.permissive(spec))
    assert document[-1]["alert"] == {"beyond": 3.0, "meaning": "something is wrong."}
    assert document[-1]["permissive"] is False


def test_json_of_one_is_an_item_of_the_list(command, schema):
    one = json.loads(command("metrics", "show", "lpips", "--json").out)
    jsonschema.validate([one], schema)
    assert one in json.loads(command("metrics", "list", "--json").out)


def test_the_schema_refuses_what_is_wrong(command, schema):
    one = json.loads(command("metrics", "show", "lpips", "--json").out)
    for change in ({"kind": "xr"}, {"bounds": [0]}, {"extra_field": 1}, {"agreement": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([one | change], schema)


# ------------------------------------------------------------------------------------- show


def test_show_says_what_a_metric_is_and_what_people_say(command):
    shown = command("metrics", "show", "lpips").out
    for part in (
        "full reference, a value per image",
        "lpips-alex (BSD-2-Clause AND BSD-3-Clause, 9.9 MB)",
        "Apache-2.0",
        "large pictures in parts, with the same value",
        "agrees with people about 76 %",
        "71.5 %  73.4 %  BAPPS",
        "Zhang et al., CVPR 2018, table 5",
    ):
        assert part in shown


def test_show_says_how_to_get_weights(command, monkeypatch, tmp_path):
    from srqa import weights

    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(weights, "available", lambda name: False)
    assert "get it: srqa weights pull lpips-vgg" in command("metrics", "show", "lpips-vgg").out
    monkeypatch.setattr(weights, "available", lambda name: True)
    assert "9.9 MB), here" in command("metrics", "show", "lpips").out


def test_show_says_why_a_picture_is_not_cut(command):
    assert (
        "no: the phase of the whole picture's spectrum" in command("metrics", "show", "shift").out
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [("ssim", "-1 to 1"), ("psnr", "0 dB and above"), ("ssimulacra2", "100 and below"),
     ("brisque", "unbounded")],
)  # fmt: skip
def test_show_says_the_range(command, name, said):
    lines = command("metrics", "show", name).out.splitlines()
    assert (
        next(line for line in lines if line.startswith("range")).split(maxsplit=1)[1].strip()
        == said
    )


def test_show_of_numbers_inside_srqa(command):
    assert "LicenseRef-LIVE, inside srqa, see NOTICE" in command("metrics", "show", "niqe").out


def test_show_of_what_is_missing_or_not_free(command, restricted):
    shown = command("metrics", "show", "theirs").out
    assert "no-such-distribution, which is not installed: pip install 'srqa[theirs]'" in shown
    assert "CC-BY-NC-4.0, got by no-such-distribution" in shown
    assert "--accept-licence" in shown
    assert "a number that you supply for each output: --ma FILE" in shown
    assert "somebody, 2020" in shown


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", ["brisque", "lpips", "psnr-y", "shift", "kid-patch"])
def test_show_fits_the_terminal(terminal, width, name):
    lines = terminal(width, "metrics", "show", name)
    assert lines[0] == name
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
