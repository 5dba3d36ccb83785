import dataclasses

import pytest

import srqa
from srqa.errors import UsageError
from srqa.metrics import api, licences, registry
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


@pytest.fixture(autouse=True)
def _not_accepted(monkeypatch):
    monkeypatch.delenv("SRQA_ACCEPT_LICENCE", raising=False)


@pytest.mark.parametrize(
    ("licence", "permissive", "strict"),
    [
        ("MIT", True, False),
        ("BSD-2-Clause AND BSD-3-Clause", True, False),
        ("GPL-3.0-or-later OR MIT", True, False),
        ("MIT AND GPL-3.0-or-later", False, False),
        ("GPL-3.0-or-later", False, False),
        ("NOASSERTION", False, False),
        ("CC-BY-NC-4.0", False, True),
        ("CC-BY-NC-SA-4.0", False, True),
        ("PolyForm-Noncommercial-1.0.0", False, True),
        ("LicenseRef-Non-Commercial-Research", False, True),
        ("MIT AND CC-BY-NC-4.0", False, True),
    ],
)
def test_licences(licence, permissive, strict):
    assert licences.is_permissive(licence) is permissive
    assert licences.forbids_commerce(licence) is strict


def test_licences_of_weights_come_from_the_manifest():
    assert licences.weights_licences(SPECS["arniqa"]) == ("CC-BY-NC-4.0",)
    assert licences.weights_licences(SPECS["clip-iqa"]) == ("MIT",)
    assert licences.weights_licences(SPECS["psnr"]) == ()
    both = dataclasses.replace(SPECS["lpips-squeeze"], weights_licence="MIT")
    assert licences.weights_licences(both) == ("BSD-3-Clause", "BSD-2-Clause", "MIT")


def test_only_arniqa_of_srqas_own_must_be_accepted():
    assert [s.name for s in CATALOG if licences.needs_acceptance(s)] == ["arniqa"]


def test_nothing_is_asked_of_permissive_metrics():
    licences.check_accepted([s for s in CATALOG if s.name != "arniqa"], False)


def test_what_must_be_accepted_is_named():
    with pytest.raises(UsageError, match=r"^arniqa .*CC-BY-NC-4\.0\.$") as error:
        licences.check_accepted([SPECS["psnr"], SPECS["arniqa"]], False)
    assert error.value.exit_code == 2
    for way in ("--accept-licence", "accept_licence=True", "SRQA_ACCEPT_LICENCE=1"):
        assert way in error.value.hint
    licences.check_accepted([SPECS["arniqa"]], True)


@pytest.mark.parametrize("value", ["1", "yes", "0", ""])
def test_the_environment_accepts(value, monkeypatch):
    monkeypatch.setenv("SRQA_ACCEPT_LICENCE", value)
    if value in ("1", "yes"):
        licences.check_accepted([SPECS["arniqa"]], False)
        assert srqa.metric("arniqa").name == "arniqa"
    else:
        with pytest.raises(UsageError):
            srqa.metric("arniqa")


def test_code_and_weights_are_both_named():
    spec = dataclasses.replace(
        SPECS["arniqa"], code_licence="PolyForm-Noncommercial-1.0.0", provider="somebody"
    )
    said = licences.restrictions(spec)
    assert "the code of somebody stands under PolyForm-Noncommercial-1.0.0" in said
    assert "trained weights stand under CC-BY-NC-4.0" in said
    assert licences.restrictions(SPECS["psnr"]) == ""


def test_select_looks_at_code_and_weights(monkeypatch):
    strict = dataclasses.replace(SPECS["psnr"], name="strict", code_licence="GPL-3.0-only")
    monkeypatch.setattr(registry, "specs", lambda: (*CATALOG, strict))
    free = [spec.name for spec in api.select(licence="permissive")]
    assert {s.name for s in CATALOG} - set(free) == {"arniqa"}
    assert "strict" not in free
    assert "arniqa" in [spec.name for spec in api.select()]
