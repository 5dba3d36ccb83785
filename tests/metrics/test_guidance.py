"""What the catalog says of its metrics: licences, guidance, agreement with people, tiles."""

import re
from importlib.resources import files

import numpy as np
import pytest

from srqa import weights
from srqa.images.colour import luma
from srqa.metrics import agreement, licences
from srqa.metrics.api import list_metrics
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}
ADDITIVE = [spec for spec in CATALOG if spec.additive]
SPDX = re.compile(r"[A-Za-z0-9.+-]+( AND [A-Za-z0-9.+-]+)*")


def each(specs):
    return pytest.mark.parametrize("spec", specs, ids=lambda s: s.name)


# ---------------------------------------------------------------------------------- the words


@each(CATALOG)
def test_every_metric_is_described(spec):
    assert spec.settings
    assert spec.paper or spec.name in {"psnr", "psnr-y", "mse", "rmse"}
    assert not re.search(r"[.;]$", spec.settings + spec.paper + spec.summary + spec.whole)
    assert 80 <= len(spec.guidance) <= 520
    assert re.search(r"\b(19|20)\d\d\b", spec.paper or "1974")
    for text in (spec.settings, spec.paper, spec.guidance, spec.summary, spec.whole):
        assert "  " not in text
        assert text == text.strip()


@each(CATALOG)
def test_licences_are_named(spec):
    terms = [spec.code_licence, *licences.weights_licences(spec)]
    assert all(SPDX.fullmatch(term) for term in terms)
    assert "NOASSERTION" not in terms
    for name in spec.weights:
        assert weights.get(name).licence
    if spec.extra:
        assert spec.provider


@pytest.mark.parametrize("name", ["niqe", "niqe-gray", "brisque", "pi"])
def test_what_is_measured_of_niqe_and_brisque_is_said(name):
    text = SPECS[name].guidance
    assert (
        "Between outputs of modern generative SR networks it agrees with people no better" in text
    )
    assert "than a coin: 46 to 48 %" in text
    assert "Laplacian variance has 62 to 66 and the ceiling is 64 to 65." in text
    assert "LIVE" in str(licences.weights_licences(SPECS[name]))


def test_what_is_measured_of_lpips_is_said():
    assert "agrees with people about 76 %" in SPECS["lpips"].guidance
    assert "76 %" not in SPECS["lpips-vgg"].guidance


# ------------------------------------------------------------------------ agreement with people


@each([spec for spec in CATALOG if spec.agreement])
def test_agreement_is_in_range_and_has_data_and_source(spec):
    for entry in spec.agreement:
        low, high = agreement.BOUNDS[entry.measure]
        assert low < entry.value < high
        assert entry.ceiling is None or low < entry.ceiling <= high
        assert entry.data
        assert re.search(r"(19|20)\d\d|srqa's authors|piq", entry.source)
        assert agreement.MEANINGS[entry.measure]


def test_every_published_figure_reaches_its_metric():
    missing = {
        name
        for name, published in agreement.PUBLISHED.items()
        if name in SPECS and SPECS[name].agreement != published
    }
    assert not missing


def test_monotone_functions_of_one_error_agree_alike():
    assert SPECS["psnr"].agreement == SPECS["mse"].agreement == SPECS["rmse"].agreement


def test_choices_on_bapps_are_those_of_table_5():
    """Column "Superres" of Zhang et al. 2018, copied a second time; "lin", not "scratch"."""
    table = {"psnr": 64.7, "ssim": 65.1, "fsimc": 68.1, "lpips": 71.5, "lpips-vgg": 70.5,
             "lpips-squeeze": 71.1}  # fmt: skip
    for name, percent in table.items():
        (entry,) = (a for a in SPECS[name].agreement if a.data.startswith("BAPPS"))
        assert (100 * entry.value, 100 * entry.ceiling) == pytest.approx((percent, 73.4))


def test_choices_on_one_set_have_one_ceiling():
    found = {
        (entry.data, entry.ceiling)
        for spec in CATALOG
        for entry in spec.agreement
        if entry.measure == "2AFC"
    }
    assert len({data for data, _ in found}) == len(found)
    assert all(ceiling is not None for _, ceiling in found)


@pytest.mark.parametrize(
    ("value", "measure", "text"),
    [(0.715, "2AFC", "71.5 %"), (0.8, "2AFC", "80 %"), (0.6, "SROCC", "0.60"),
     (0.407, "SROCC", "0.407"), (1.0, "PLCC", "1.00")],
)  # fmt: skip
def test_figures_are_written_as_people_write_them(value, measure, text):
    assert agreement.figure(value, measure) == text


# -------------------------------------------------------------------------------- whole or tiles


@each([spec for spec in CATALOG if spec.level == "image"])
def test_a_metric_says_why_it_is_not_cut_or_can_be(spec):
    """Those on network maps are cut in test_features, the additive ones below."""
    assert bool(spec.whole) != bool(spec.additive or spec.features)


@each(ADDITIVE)
@pytest.mark.parametrize("core", [(64, 80), (37, 53)], ids=str)
def test_tiles_add_up_to_the_whole(spec, core, photograph, rng):
    sharp = photograph("coffee", 150, 170)
    rough = np.clip(sharp + rng.normal(0, 0.05, sharp.shape), 0, 1).astype(np.float32)
    planes = [luma(x) if spec.input == "y" else x for x in (rough, sharp)]
    height, width = (side - 2 * spec.halo for side in sharp.shape[-2:])
    total, count = 0.0, 0
    for top in range(0, height, core[0]):
        for left in range(0, width, core[1]):
            rows = slice(top, min(top + core[0], height) + 2 * spec.halo)
            columns = slice(left, min(left + core[1], width) + 2 * spec.halo)
            sums = spec.function(*(np.ascontiguousarray(p[:, rows, columns]) for p in planes))
            total, count = total + sums[0], count + sums[1]
    mean = total / count
    assert (spec.finish(mean) if spec.finish else mean) == pytest.approx(spec(*planes), rel=1e-5)


# ------------------------------------------------------------------------------------ what is free


def test_permissive_looks_at_code_and_weights():
    free = set(list_metrics(licence="permissive"))
    assert {"psnr-y", "lpips", "dists", "niqe", "brisque"} <= free
    for spec in CATALOG:
        terms = [spec.code_licence, *licences.weights_licences(spec)]
        assert (spec.name in free) == (not any("NC" in term or "GPL" in term for term in terms))


def test_levels_and_kinds_together_are_all():
    assert set(list_metrics(level="set")) | set(list_metrics(level="image")) == set(list_metrics())
    assert not set(list_metrics(level="set")) & set(list_metrics(level="image"))
    assert set(list_metrics("nr", level="image")) <= set(list_metrics("nr"))


# ------------------------------------------------------------------------------------ notices


def test_what_is_carried_has_its_notice():
    """Every file of trained numbers inside the package stands in NOTICE and with its origin."""
    package = files("srqa")
    suffixes = {".npz", ".npy", ".pt", ".pth", ".safetensors", ".bin", ".ckpt", ".onnx", ".mat"}
    carried = [path for path in package.rglob("*") if path.suffix in suffixes]
    assert {path.name for path in carried} >= {"niqe.npz", "brisque.npz"}
    root = package.parent
    if not (root / "NOTICE").exists():
        pytest.skip("NOTICE lies beside the package in a checkout only")
    notice = (root / "NOTICE").read_text("utf-8")
    places = ("metrics", "models/classical", "models/networks")
    for path in carried:
        assert path.parent in {package / place / "data" for place in places}
        assert f"\n{path.name}: " in notice
        assert f"`{path.name}`" in (path.parent / "README.md").read_text("utf-8")
    assert notice.count("COPYRIGHT NOTICE STARTS WITH THIS LINE") == 2
    for cited in ("NIQE Software Release", "BRISQUE Software Release"):
        assert cited in notice
