"""What docs/findings.md says stands in the files that the studies made."""

from pathlib import Path

import pytest

from studies import tables
from studies.synthetic.conditions import BASE, CONDITIONS
from studies.synthetic.falls import Fall

ROOT = Path(__file__).parents[2]
DAT, REAL = "dat-light", "real-esrgan-x4plus"


@pytest.fixture(scope="module")
def rows():
    made = tables.read(ROOT / "studies/synthetic/falls.csv", Fall)
    return {(row.metric, row.condition, row.method): row for row in made}


def names(rows, chosen):
    return {row.condition for row in rows.values() if chosen(row)}


def test_all_conditions_and_twelve_contents_are_there(rows):
    assert {row.condition for row in rows.values()} == {c.name for c in CONDITIONS}
    assert {row.n for row in rows.values()} == {12}


def test_who_leads_on_bicubic_inputs_falls_deepest(rows):
    methods = {row.method for row in rows.values()}
    means = sorted(rows["psnr-y", BASE, method].mean for method in methods)
    assert means[-1] == rows["psnr-y", BASE, DAT].mean == pytest.approx(means[-2] + 2, abs=0.1)
    for condition in CONDITIONS[1:]:
        changes = {m: rows["psnr-y", condition.name, m].change for m in methods}
        assert min(changes, key=changes.get) == DAT
    told = {"area": -2.7, "blur-0.5": -7.3, "noise-10": -4.7, "jpeg-60": -5.1}
    for name, change in told.items():
        assert rows["psnr-y", name, DAT].change == pytest.approx(change, abs=0.05)
    for name in ("noise-10", "jpeg-60"):
        half = rows["psnr-y", name, "aplus"].change / rows["psnr-y", name, DAT].change
        assert 0.45 < half < 0.6


def test_where_interpolation_is_better(rows):
    psnr = {key: row for key, row in rows.items() if key[0] == "psnr-y" and key[2] == DAT}
    below = names(psnr, lambda row: row.gain < 0)
    assert below == {"blur-0.5", "blur-1", "noise-10", "noise-25", "jpeg-60", "jpeg-30",
                     "camera", "real-esrgan"}  # fmt: skip
    certain = names(psnr, lambda row: row.gain_high < 0)
    assert certain == {"blur-0.5", "noise-25", "jpeg-30"}


def test_what_was_trained_on_bad_inputs_hardly_notices_them(rows):
    for name in ("noise-3", "noise-10", "jpeg-90", "jpeg-60", *(c.name for c in CONDITIONS
                 if c.family == "blur")):  # fmt: skip
        assert abs(rows["lpips", name, REAL].change) < 0.0305
    for name in ("blur-2.4", "noise-10", "jpeg-60"):
        assert 0.425 < rows["lpips", name, DAT].mean < 0.475
        assert 0.235 < rows["lpips", name, REAL].mean < 0.275


def test_psnr_does_not_show_that(rows):
    psnr = {key: row for key, row in rows.items() if key[0] == "psnr-y"}
    base = {key[2]: row.mean for key, row in psnr.items() if key[1] == BASE}
    assert min(base, key=base.get) == REAL
    assert base[DAT] - base[REAL] > 5
    real = {key: row for key, row in psnr.items() if key[2] == REAL}
    assert names(real, lambda row: row.gain > 0) == {"blur-2.4", "blur-3.2"}


@pytest.fixture(scope="module")
def losses():
    made = tables.read(ROOT / "studies/losses/losses.csv", tables.Difference)
    return {(row.metric, row.method): row for row in made}


def certain(row):
    """Whether a difference is told from 0."""
    return row.low > 0 or row.high < 0


ADVERSARIAL = ("gan", "lsgan", "wgan-gp", "ragan")


def test_all_losses_were_trained(losses):
    from studies.losses import jobs

    named = {loss.name for loss in jobs.losses()} | {"bicubic"}
    assert {method for _, method in losses} == named
    assert {row.n for row in losses.values()} == {12}


def test_no_loss_buys_perception_for_nothing(losses):
    methods = {method for _, method in losses}
    assert max(methods, key=lambda m: losses["psnr-y", m].mean) == "l2"
    bought = {m for m in methods if losses["lpips", m].mean < losses["lpips", "l2"].mean}
    assert bought == {"texture", "gan", "wgan-gp", "ragan"}
    assert all(losses["psnr-y", m].high < 0 for m in bought)


def test_what_perceptual_and_adversarial_terms_buy(losses):
    assert losses["psnr-y", "texture"].change == pytest.approx(-0.19, abs=0.01)
    assert losses["psnr-y", "content"].change == pytest.approx(-0.19, abs=0.01)
    ratio = losses["lpips", "content"].change / losses["lpips", "texture"].change
    assert ratio == pytest.approx(0.25, abs=0.03)
    dists = sorted((row.mean, m) for (metric, m), row in losses.items() if metric == "dists")
    assert {m for _, m in dists[:2]} == {"content", "texture"}
    told = {"gan": (-0.059, -0.8), "wgan-gp": (-0.042, -1.0), "ragan": (-0.052, -1.6)}
    for name, (lpips, psnr) in told.items():
        assert losses["lpips", name].change == pytest.approx(lpips, abs=0.001)
        assert losses["psnr-y", name].change == pytest.approx(psnr, abs=0.05)
    assert not certain(losses["lpips", "ragan"])
    for name in ADVERSARIAL:
        assert not certain(losses["dists", name])
        assert -0.0015 < losses["dists", name].change < 0.0145


def test_without_the_reference_no_perceptual_term_gains(losses):
    scored = {m: row for (metric, m), row in losses.items() if metric == "srqa-nr"}
    assert max(scored, key=lambda m: scored[m].mean) == "l2"
    for name, mean in {"l2": 65.1, "l1": 64.3, "bicubic": 55.9}.items():
        assert scored[name].mean == pytest.approx(mean, abs=0.05)
    for name, change in {"texture": -2.6, "content": -1.1, "ragan": -4.4}.items():
        assert scored[name].change == pytest.approx(change, abs=0.05)
        assert scored[name].high < 0
    assert not any(scored[name].low > 0 for name in ("content", "texture", *ADVERSARIAL))
    assert not certain(scored["gan"])
    assert scored["gan"].change == pytest.approx(-0.2, abs=0.05)


def test_how_smooth_losses_are(losses):
    from studies.losses.spectra import Power, Slope

    slopes = {s.method: s.ratio for s in tables.read(ROOT / "studies/losses/gradients.csv", Slope)}
    assert slopes["l2"] == pytest.approx(0.69, abs=0.006)
    assert slopes["l1"] == pytest.approx(0.66, abs=0.006)
    assert slopes["tv"] == pytest.approx(0.63, abs=0.006)
    assert losses["psnr-y", "l2"].change == pytest.approx(0.08, abs=0.005)
    rows = tables.read(ROOT / "studies/losses/spectra.csv", Power)
    powers = {(r.method, round(r.frequency, 2)): r.ratio for r in rows}
    assert powers["l2", 0.20] - powers["l1", 0.20] == pytest.approx(2, abs=0.2)
    assert powers["wgan-gp", 0.20] > -1
    assert powers["l1", 0.20] == pytest.approx(-10.8, abs=0.1)
    assert powers["texture", 0.39] - powers["l1", 0.39] > 10


def test_what_batch_normalisation_costs():
    from studies.batchnorm import measuring
    from studies.batchnorm.jobs import NORMALISED, PLAIN, kind_of

    folder = ROOT / "studies/batchnorm"
    scores = {
        (r.metric, r.method): r for r in tables.read(folder / "scores.csv", tables.Difference)
    }
    psnr = scores["psnr-y", NORMALISED]
    assert (psnr.change, psnr.n) == (pytest.approx(-0.24, abs=0.005), 12)
    assert psnr.high < 0
    assert abs(scores["lpips", NORMALISED].change) < 0.0015

    def mean(rows, kind, field):
        return measuring.mean_of([row for row in rows if kind_of(row.name) == kind], field)

    costs = tables.read(folder / "costs.csv", measuring.Cost)
    kept = [mean(costs, kind, "kept") for kind in (PLAIN, NORMALISED)]
    assert kept[1] / kept[0] == pytest.approx(1.6, abs=0.02)
    seconds = [mean(costs, kind, "seconds") for kind in (PLAIN, NORMALISED)]
    assert seconds[1] / seconds[0] == pytest.approx(1.2, abs=0.05)
    contrasts = tables.read(folder / "contrasts.csv", measuring.Contrast)
    lost = {}
    for kind in (PLAIN, NORMALISED):
        whole, least = (
            [row for row in contrasts if kind_of(row.name) == kind and row.contrast == contrast]
            for contrast in (1, 0.125)
        )
        lost[kind] = measuring.mean_of(whole, "psnr") - measuring.mean_of(least, "psnr")
        spread = measuring.mean_of(least, "spread") / measuring.mean_of(whole, "spread")
        assert spread == pytest.approx(1, abs=0.004)
    assert lost[PLAIN] == pytest.approx(0.2, abs=0.01)
    assert lost[NORMALISED] == pytest.approx(0.06, abs=0.005)
    ends = {
        k: [r.psnr for r in contrasts if kind_of(r.name) == k and r.contrast == 1] for k in lost
    }
    assert max(ends[NORMALISED]) < min(ends[PLAIN])
    flats = tables.read(folder / "flats.csv", measuring.Flat)
    assert max(row.pattern for row in flats) < 0.1
    assert max(row.worst for row in flats) < 1
