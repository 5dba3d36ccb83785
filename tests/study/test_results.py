"""From the store to results: answers as a table, analysis, exports, imports, bundles, admin."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from srqa.errors import InputError, UsageError
from srqa.ratings import tables as ratings_tables
from srqa.report.study import render, write_study_report
from srqa.study import admin, passphrase
from srqa.study.analysis import analyze_study, retest_of
from srqa.study.answers import collect, numbered
from srqa.study.bundling import bundle, verify
from srqa.study.exporting import export_answers
from srqa.study.importing import import_answers
from srqa.study.lint import lint
from srqa.study.methods import METHODS
from srqa.study.observers import Observer, People
from srqa.study.outlook import outlook
from srqa.study.values import compute_metrics, metric_table

SESSION = {"trials": 16, "repeats": 2, "min_gap_same_content": 1}
QUALITY = {"one": 4.3, "two": 3.5, "three": 2.6, "four": 1.8, "reference": 4.8,
           "reference-spoilt": 0.6}  # fmt: skip


def fill(study, visit, people=8, seed=0):
    """Answers of people who see what they are shown."""
    scale = study.method.rating_scale(study.definition.scale.points)
    rows = {row["opaque"]: row for row in study.stimuli.values()}
    for person in range(people):
        who = Observer(People(lapses=0), study.method, scale, seed * 1000 + person)
        guest = visit(study)
        guest.to("trials")
        while guest.screen.name in ("trials", "break"):
            for trial in guest.screen.payload.get("trials", ()):
                shown = [QUALITY[rows[i["id"]]["method"]] for i in trial["images"]]
                values = trial["scale"].get("values", ())
                if study.definition.is_paired:
                    value = who.choose(*shown, values)
                elif study.definition.method == "ccr":
                    value = who.rate(shown[1] - shown[0])
                else:
                    unit = (scale.high - scale.low) / 4
                    value = who.rate(scale.low + unit * (shown[-1] - 1))
                if trial["instruct"]:
                    labels = trial["scale"].get("labels") or trial["scale"]["ends"]
                    options = values or [0, 100]
                    words = dict(zip(labels, options, strict=True))
                    told = [v for w, v in words.items() if f"“{w}”" in trial["instruct"]]
                    value = told[0]
                assert guest.answer(trial, value).status_code == 200
            guest.submit()


@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_analysed(make_study, visit, method):
    study = make_study(
        method=method,
        session=SESSION,
        checks={"gold": 2, "traps": 1},
        analysis={"screening": ["trap"] if method.startswith("pair") else ["trap", "gold"]},
    )
    fill(study, visit, 8)
    found = analyze_study(study)
    assert found.choices.method == METHODS[method].analysis
    order = [name for name in found.standings.names if name in QUALITY]
    assert [name for name in order if name != "reference"] == ["one", "two", "three", "four"]
    given = found.given
    assert given.has_flag("trap" if not study.definition.is_paired else "training").any()
    scored = found.screened.answers
    assert not any(name.startswith(("gold", "trap")) for name in scored.names)
    assert not scored.has_flag("repeat").any()
    assert all(o.startswith("o0") for o in scored.observers)
    assert len(admin.flags(study)) == 0 or set(admin.flags(study)["check"]) <= {"gold", "failed"}


def test_gold_and_traps_screen_who_does_not_look(make_study, visit):
    study = make_study(session=SESSION, checks={"gold": 4, "traps": 2},
                       analysis={"screening": ["trap", "gold"]})  # fmt: skip
    fill(study, visit, 5)
    lazy = visit(study)
    lazy.to("trials")
    for trial in lazy.screen.payload["trials"]:
        lazy.answer(trial, 3)
    lazy.submit()
    names = numbered(study)
    who = names[study.store.participants()[-1]["id"]]
    assert who in analyze_study(study).screened.removed_observers
    assert set(admin.flags(study)["check"]) >= {"gold"}


def test_repeats_tell_how_people_agree_with_themselves(make_study, visit):
    study = make_study(session=SESSION)
    fill(study, visit, 6)
    again = retest_of(study)
    assert again.pairs == 12
    assert 0 <= again.mean_difference < 1.5
    found = collect(study)
    assert int(found.answers.has_flag("repeat").sum()) == 12
    assert sorted(set(found.answers.repetition.tolist())) == [0, 1]


@pytest.mark.parametrize("method", ["acr", "ccr", "pair_tie", "slider"])
def test_answers_go_out_and_come_in_again(make_study, visit, method, tmp_path):
    checks = {"identical_pairs": 1} if method == "pair_tie" else {"gold": 1}
    study = make_study(method=method, session=SESSION, checks=checks)
    fill(study, visit, 4)
    file = tmp_path / "answers.csv"
    number, _ = export_answers(study, file)
    assert number == len(study.store.answers())
    frame = pd.read_csv(file)
    assert set(frame["observer"]) == {"o001", "o002", "o003", "o004"}
    assert not set(frame.columns) - set(ratings_tables.COLUMNS)
    ids = {row["id"] for row in study.store.participants()}
    assert not any(one in file.read_text() for one in ids)
    if method == "acr":
        frame = frame[~frame["flags"].fillna("").str.contains("gold")]
        frame.to_csv(file, index=False)
    if method == "ccr":
        frame[~frame["flags"].fillna("").str.contains("gold")].to_csv(file, index=False)
    other = make_study("other", method=method, session=SESSION, checks=checks)
    if method == "slider":
        frame[~frame["flags"].fillna("").str.contains("gold")].to_csv(file, index=False)
    people, added = import_answers(other, file)
    assert people == 4
    first = analyze_study(study).standings.names
    assert analyze_study(other).standings.names == first
    assert added == len(other.store.answers())
    with pytest.raises(InputError, match="imported before"):
        import_answers(other, file)
    assert len(other.store.participants()) == 4


def test_other_formats(make_study, visit, tmp_path):
    study = make_study(session={"min_gap_same_content": 1, "repeats": 1}, checks={"traps": 1})
    fill(study, visit, 3)
    for form, name in (("wide", "w.csv"), ("avt", "a.csv"), ("sureal", "s.py"),
                       ("parquet", "t.parquet")):  # fmt: skip
        number, notes = export_answers(study, tmp_path / name, form)
        assert (tmp_path / name).stat().st_size > 100
        assert number == (3 * 24 if form != "parquet" else 3 * 26)
        assert bool(notes) == (form != "parquet")
    with pytest.raises(InputError):
        export_answers(study, tmp_path / "p.csv", "pwcmp")


def test_a_bundle_is_verified_and_changes_are_found(make_study, visit, tmp_path):
    study = make_study(session=SESSION, checks={"gold": 1, "traps": 1},
                       analysis={"screening": ["trap", "gold"]})  # fmt: skip
    fill(study, visit, 6)
    compute_metrics(study)
    file = bundle(study, analyze_study(study), tmp_path / "b.zip")
    checks = verify(file)
    assert all(check.passed for check in checks), checks
    assert {check.what for check in checks} >= {"mos computed anew", "standings computed anew"}
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert {"definition.yaml", "stimuli.csv", "answers.csv", "metrics.csv", "versions.json",
            "README.txt", "results/mos.csv"} <= set(parts)  # fmt: skip
    everything = b"".join(parts.values()).decode()
    for row in study.store.participants():
        assert row["id"] not in everything
    assert str(tmp_path) not in everything
    again = bundle(study, analyze_study(study), tmp_path / "again" / "b.zip")
    assert again.read_bytes() == file.read_bytes()

    def rewritten(name, change, fix_hash):
        changed = dict(parts)
        changed[name] = change(changed[name])
        if fix_hash:
            import hashlib

            manifest = json.loads(changed["manifest.json"])
            manifest["files"][name] = hashlib.sha256(changed[name]).hexdigest()
            changed["manifest.json"] = json.dumps(manifest).encode()
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for one, data in changed.items():
                archive.writestr(one, data)
        return verify(tmp_path / "x.zip")

    better = rewritten("results/mos.csv", lambda d: d.replace(b"4.", b"4.9", 1), False)
    assert not better[0].passed
    forged = rewritten("results/mos.csv", lambda d: d.replace(b",4.", b",4.9", 1), True)
    assert forged[0].passed
    assert not all(check.passed for check in forged)
    (tmp_path / "no.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="no bundle"):
        verify(tmp_path / "no.zip")


def test_the_report_holds_everything(make_study, visit, tmp_path):
    study = make_study(session=SESSION, title="Pictures <b>of</b> cats")
    fill(study, visit, 5)
    compute_metrics(study)
    page = render(study, analyze_study(study))
    assert "Pictures &lt;b&gt;of&lt;/b&gt; cats" in page
    assert "psnr-y" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    file = write_study_report(study, analyze_study(study), tmp_path / "r" / "report.html")
    assert file.stat().st_size > 10_000


def test_metrics_see_what_people_saw(make_study):
    study = make_study()
    assert compute_metrics(study) == 48
    assert compute_metrics(study) == 0
    frame = metric_table(study)
    mean = frame[frame["metric"] == "psnr-y"].groupby("method")["value"].mean()
    assert mean.sort_values(ascending=False).index.tolist() == ["one", "two", "three", "four"]
    with pytest.raises(UsageError, match="There is no metric"):
        compute_metrics(study, ["nonsense"])


def test_the_admin_sees_progress(make_study, visit):
    study = make_study(session=SESSION, participants={"max": 10},
                       stop={"ci_half_width": 3, "min_votes": 2})  # fmt: skip
    empty = admin.progress(study)
    assert empty.answers == 0
    assert not empty.stop.met
    assert admin.analysis(study) is None
    assert len(admin.methods(study)) == 0
    fill(study, visit, 5)
    study.caches.clear()
    found = admin.progress(study)
    assert found.participants == {"finished": 5}
    assert found.answers == 80
    assert found.expected == 160
    assert found.stop.votes >= 2
    assert found.stop.met
    assert dict(admin.funnel(study)) == {
        "consent": 5, "device": 5, "instructions": 5, "trials": 5, "done": 5,
    }  # fmt: skip
    frame = admin.stimuli(study)
    assert len(frame) == 24
    assert (frame["ci_low"] <= frame["score"]).all()
    compute_metrics(study)
    study.caches.clear()
    frame = admin.correlations(study).set_index("metric")
    assert frame.loc["psnr-y", "srocc"] > 0.7
    assert frame.loc["psnr-y", "ci_low"] < frame.loc["psnr-y", "srocc"]
    assert len(admin.scatter(study, "psnr-y")) == 24


def test_voiding_takes_answers_out_and_restoring_brings_them_back(make_study, visit):
    study = make_study(session=SESSION)
    fill(study, visit, 4)
    who = study.store.participants()[0]["id"]
    before = len(collect(study).answers)
    admin.void(study, who, "talked on the phone")
    assert len(collect(study).answers) == before - 18
    assert admin.participants(study).set_index("participant").loc[who, "state"] == "void"
    with pytest.raises(InputError, match="left out already"):
        admin.void(study, who, "again")
    admin.restore(study, who, "it was the neighbour")
    assert len(collect(study).answers) == before
    events = [row["what"] for row in study.store.events(who)]
    assert events[-4:] == ["void", "state", "restored", "state"]
    frame = admin.timeline(study, who)
    assert (frame["what"] == "answer").sum() == 18
    assert frame["at"].is_monotonic_increasing
    with pytest.raises(InputError, match="no participant"):
        admin.void(study, "nobody", "x")


def test_voided_slots_are_given_to_others(make_study, visit):
    study = make_study(session={"trials": 8, "min_gap_same_content": 0})
    fill(study, visit, 3)
    admin.void(study, study.store.participants()[0]["id"], "x")
    fill(study, visit, 1, seed=1)
    votes = admin.stimuli(study)["votes"]
    assert (votes == 1).all()


def test_the_passphrase_is_kept_hashed(make_study):
    study = make_study(prepare=False)
    assert not passphrase.is_set(study)
    with pytest.raises(UsageError, match="at least"):
        passphrase.set_(study, "short")
    passphrase.set_(study, "correct horse battery")
    assert "horse" not in str(dict(study.store.row()))
    assert all(passphrase.check(study, "correct horse battery") for _ in range(8))
    results = [passphrase.check(study, "wrong") for _ in range(6)]
    assert not any(results)
    assert not passphrase.check(study, "correct horse battery"), "tries are limited"


def test_lint_and_outlook_speak(make_study, scene):
    import shutil

    shutil.copy(scene / "out/one/a.png", scene / "out/two/a.png")
    study = make_study(
        title="Is two better than one?",
        session={"trials": 12, "max_minutes": 1, "min_gap_same_content": 9},
        participants={"max": 4, "platform": {"name": "x", "completion_code": "env:NOT_SET_X"}},
    )
    found = lint(study)
    text = "\n".join(f"{one.level} {one.message}" for one in found)
    assert found[0].level == "error"
    assert "NOT_SET_X is not set" in text
    assert "two/a.png and one/a.png show the very same pixels" in text or "one/a.png" in text
    assert "The method two is named" in text
    study = make_study(
        session={"trials": 12, "max_minutes": 1, "min_gap_same_content": 9},
        participants={"max": 4},
        training=[{"stimulus": "one/a.png", "expect": [1, 5]},
                  {"stimulus": "four/a.png", "expect": [1, 4]}],
    )  # fmt: skip
    text = "\n".join(one.message for one in lint(study))
    assert "praises every answer to one/a.png" in text
    assert "every answer to four" not in text
    assert "minutes, more than session.max_minutes" in text
    assert "can be kept only" in text
    assert "gives 2.0 votes a question, fewer than stop.min_votes" in text
    ahead = outlook(study, 48)
    assert ahead.votes == 24
    assert ahead.questions == 24
    assert 0.2 < ahead.half_width < 0.6


def test_lint_finds_unreadable_pictures(make_study, scene):
    (scene / "out/one/a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (scene / "out/two/b.png").write_bytes(b"")
    study = make_study(prepare=False)
    errors = [one.message for one in lint(study) if one.level == "error"]
    assert len(errors) == 2
    assert any("one/a.png" in text for text in errors)


def test_active_pairs_ask_what_is_not_known(make_study, visit):
    study = make_study(
        method="pair", session={"trials": 12, "min_gap_same_content": 1},
        pairs={"design": "active"},
    )  # fmt: skip
    fill(study, visit, 10)
    counts = {}
    for row in study.store.answers():
        if row["kind"] == "test":
            counts[row["unit"]] = counts.get(row["unit"], 0) + 1
    assert sum(counts.values()) == 120
    names = {row["id"]: row["method"] for row in study.stimuli.values()}
    near, far = [], []
    for unit, number in counts.items():
        pair = {names[int(k)] for k in unit.split("-")}
        (far if pair == {"one", "four"} else near).append(number)
    assert np.mean(far) < np.mean(near)
    per_person = [
        row["unit"] for row in study.store.assignments(study.store.participants()[0]["id"])
    ]
    assert len(per_person) == len(set(per_person)) == 12


def test_random_pairs_and_references_among_them(make_study, visit):
    study = make_study(
        method="pair", session={"trials": 20, "min_gap_same_content": 0},
        pairs={"design": "random", "reference": True},
    )  # fmt: skip
    fill(study, visit, 6)
    found = analyze_study(study)
    assert "reference" in found.standings.names
