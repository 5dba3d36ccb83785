"""The researcher's frames on a large study: what is read and computed again, and when."""

import itertools
from time import thread_time

import numpy as np
import pytest
import sqlalchemy as sa

from srqa.study import admin, privacy
from srqa.study import tables as t
from srqa.study.live import live
from srqa.study.store import utcnow
from srqa.study.study import open_study

CONTENTS, METHODS = 120, 5


class Large:
    """A study of 600 pictures whose answers are put into the database as they come."""

    def __init__(self, study, people, each=60):
        self.study, self.each = study, each
        self.rng = np.random.default_rng(5)
        self.numbers = itertools.count()
        study.store.replace_stimuli([self._stimulus(k) for k in range(CONTENTS * METHODS)])
        self.stimuli = [row["id"] for row in study.store.stimuli()]
        self.add(people)

    def _stimulus(self, k):
        content, method = f"c{k // METHODS:03}", f"m{k % METHODS}"
        name = f"{method}/{content}.png"
        return {
            "opaque": f"{k:022}", "name": name, "source": name, "dataset": "", "content": content,
            "method": method, "scale": 4.0, "role": "test", "reference": "", "source_sha256": "",
            "sha256": "", "width": 64, "height": 64, "crop": None,
        }  # fmt: skip

    def add(self, people):
        """People who answer everything they are asked."""
        now = utcnow()
        with self.study.store.database.writing() as c:
            for _ in range(people):
                number = next(self.numbers)
                who = f"{number:032x}"
                c.execute(t.participant.insert().values(
                    id=who, study=self.study.store.study, token_hash=who, state="finished",
                    step="done", synthetic=True, created=now, started=now, seen=now, finished=now,
                ))  # fmt: skip
                first = number * self.each
                asked = [self.stimuli[(first + k) % len(self.stimuli)] for k in range(self.each)]
                c.execute(t.assignment.insert(), [
                    {"participant": who, "position": k, "block": 0, "kind": "test", "unit": str(s),
                     "first": s, "swapped": 0, "payload": {}, "state": "done", "lease": now}
                    for k, s in enumerate(asked)
                ])  # fmt: skip
                ids = c.execute(
                    sa.select(t.assignment.c.id).where(t.assignment.c.participant == who)
                ).scalars().all()  # fmt: skip
                c.execute(t.response.insert(), [
                    {"assignment": i, "participant": who, "at": now, "session": 1,
                     "response_ms": 900.0, "pixel_exact": True,
                     "value": float(np.clip(5 - s % METHODS + self.rng.integers(-1, 2), 1, 5))}
                    for i, s in zip(ids, asked, strict=True)
                ])  # fmt: skip


@pytest.fixture
def large(make_study):
    return Large(make_study(analysis={"recover": "none"}), people=20)


@pytest.fixture
def analyses(monkeypatch):
    """How many answers each analysis held, as they are made."""
    found = []
    real = admin.analyze_study

    def told(study, collected):
        found.append(len(collected.answers))
        return real(study, collected=collected)

    monkeypatch.setattr(admin, "analyze_study", told)
    return found


def look(study):
    """All that the pages ask for."""
    admin.stimuli(study)
    admin.methods(study)
    admin.participants(study)
    admin.correlations(study)
    return admin.progress(study)


def test_only_what_is_new_is_read_and_computed(large, analyses):
    study, each = large.study, large.each
    assert look(study).answers == 20 * each
    frames = live(study)
    assert (frames.reads, analyses) == (20 * each, [20 * each])
    for _ in range(3):
        look(study)
    assert (frames.reads, analyses) == (20 * each, [20 * each])
    large.add(1)
    assert look(study).answers == 21 * each
    assert (frames.reads, analyses) == (21 * each, [20 * each, 21 * each])
    assert admin.stimuli(study)["votes"].sum() == 21 * each
    assert admin.behind(study) == 0


def test_a_decision_reads_everything_again(large, analyses):
    study, each = large.study, large.each
    look(study)
    who = study.store.participants()[3]["id"]
    admin.void(study, who, "asleep")
    assert look(study).answers == 19 * each
    admin.restore(study, who, "awake")
    assert look(study).answers == 20 * each
    assert analyses == [20 * each, 19 * each, 20 * each]


def test_an_answer_that_is_committed_late_is_found(large):
    study = large.study
    r = t.response
    with study.store.database.writing() as c:
        late = dict(c.execute(sa.select(r).order_by(r.c.id).limit(1)).mappings().one())
        c.execute(r.delete().where(r.c.id == late["id"]))
    before = look(study).answers
    with study.store.database.writing() as c:
        c.execute(r.insert().values(**late))
    assert look(study).answers == before + 1
    assert live(study).answers()[0]["id"] == late["id"]


def test_after_an_erasure_nobody_sees_the_erased(large):
    """The event of the erasure takes the number of an event that was erased, and so on."""
    study = large.study
    who = study.store.participants()[-1]["id"]
    admin.void(study, who, "x")
    admin.restore(study, who, "y")
    look(study)
    elsewhere = open_study(study.folder)  # as `srqa study forget` beside the page
    privacy.forget(elsewhere, who)
    elsewhere.store.database.close()
    assert look(study).answers == 19 * large.each
    assert who not in set(admin.participants(study)["participant"])


def test_slow_frames_are_renewed_beside_the_page(large, analyses, monkeypatch):
    monkeypatch.setattr("srqa.study.live.SLOW", 0.0)
    study, each, frames = large.study, large.each, live(large.study)
    look(study)
    frames.wait()
    large.add(1)
    assert admin.analysis(study) is not None
    frames.wait()
    assert analyses == [20 * each], "it rests for nine times as long as it took"
    assert admin.behind(study) == each
    admin.void(study, study.store.participants()[0]["id"], "x")
    admin.analysis(study)  # what was decided is seen at once
    frames.wait()
    assert analyses == [20 * each, 20 * each]
    assert admin.behind(study) == 0
    monkeypatch.setattr("srqa.study.live.monotonic", lambda: float("inf"))
    large.add(1)
    admin.analysis(study)
    frames.wait()
    assert analyses[-1] == 21 * each
    assert admin.behind(study) == 0


@pytest.mark.slow
def test_a_page_of_a_large_study_is_quick_while_answers_come(make_study):
    study = make_study()
    large = Large(study, people=300)
    look(study)
    large.add(1)
    begun = thread_time()
    now = look(study)
    assert thread_time() - begun < 4, "of processor time; the analysis alone takes ten times that"
    assert now.answers == 301 * 60
    live(study).wait()
