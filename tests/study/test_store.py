"""What is kept: on SQLite, and (slow) on a real PostgreSQL server."""

import sqlite3
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from srqa.errors import SrqaError, UsageError
from srqa.study import flow, planning, privacy, tokens
from srqa.study import tables as t
from srqa.study.database import Database, DatabaseError
from srqa.study.store import LEASE, utcnow


def test_migrations_make_the_tables_that_the_code_knows(database):
    base = Database(database)
    base.upgrade()
    base.upgrade()
    with base.reading() as c:
        context = MigrationContext.configure(c, opts={"compare_type": True})
        assert compare_metadata(context, t.metadata) == []
    base.close()


def test_two_processes_may_upgrade_at_once(database):
    bases = [Database(database) for _ in range(4)]
    failures = []

    def upgrade(base):
        try:
            base.upgrade()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade, args=(base,)) for base in bases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for base in bases:
        base.close()


def test_a_newer_database_is_refused(database):
    base = Database(database)
    base.upgrade()
    with base.writing() as c:
        c.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer srqa"):
        base.upgrade()
    base.close()


def test_odd_databases_are_told_in_words(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="SQLite or PostgreSQL, not mysql"):
        Database("mysql://host/name")
    with pytest.raises(UsageError, match="cannot be understood"):
        Database("nonsense://:::")
    (tmp_path / "text.sqlite").write_text("this is no database, but a text of some length" * 50)
    with pytest.raises(DatabaseError, match="cannot be used: file is not a database"):
        Database(tmp_path / "text.sqlite").upgrade()
    nobody = Database("postgresql://user:secret@127.0.0.1:1/name")
    with pytest.raises(DatabaseError) as caught:
        nobody.upgrade()
    assert "secret" not in str(caught.value)


def test_sqlite_keeps_every_commit(make_study):
    study = make_study()
    with study.store.database.reading() as c:
        pragmas = {
            name: c.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1,
                       "secure_delete": 1}  # fmt: skip


def test_moments_come_back_in_utc(make_study, database, visit):
    study = make_study(database=database)
    before = utcnow()
    visit(study)
    row = study.store.participants()[0]
    assert before - timedelta(seconds=1) <= row["created"] <= utcnow()
    assert row["created"].utcoffset() == timedelta(0)


def test_an_answer_is_kept_once(make_study, database, visit):
    study = make_study(database=database)
    guest = visit(study)
    trial = guest.to("trials").payload["trials"][0]
    first = guest.answer(trial, 4).json()
    again = guest.answer(trial, 2).json()
    assert (first["kept"], again["kept"]) == ("new", "earlier")
    assert first["left"] == again["left"]
    rows = study.store.rows(t.response)
    assert [(row["value"], row["session"]) for row in rows] == [(4.0, 1)]


def test_the_same_answer_from_many_threads_is_kept_once(make_study, database, visit):
    study = make_study(database=database)
    guest = visit(study)
    trial = guest.to("trials").payload["trials"][0]
    person = study.store.participants()[0]["id"]
    fates = []

    def send(value):
        values = {"value": value, "choice": None, "response_ms": 1.0}
        fates.append(study.store.answer(person, int(trial["id"]), values).fate)

    threads = [threading.Thread(target=send, args=(float(k % 5 + 1),)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fates) == ["earlier"] * 11 + ["new"]
    assert len(study.store.rows(t.response)) == 1


def test_people_who_come_at_the_same_time_share_the_work(make_study, database, visit):
    study = make_study(database=database, session={"trials": 8, "min_gap_same_content": 1})
    guests = [visit(study) for _ in range(12)]
    for guest in guests:
        guest.to("instructions")
    people = [row["id"] for row in study.store.participants()]
    threads = [threading.Thread(target=planning.plan_session, args=(study, who)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with study.store.database.reading() as c:
        counts = study.store.past(c, "", utcnow()).counts
    assert len(counts) == 24
    assert set(counts.values()) == {4}


def test_slots_come_back_when_somebody_leaves(make_study, database, visit):
    study = make_study(database=database, session={"trials": 8, "min_gap_same_content": 0})
    leaver = visit(study)
    leaver.to("trials")
    for trial in leaver.screen.payload["trials"][:3]:
        leaver.answer(trial)
    who = study.store.participants()[0]["id"]
    now = utcnow()

    def asked(moment):
        with study.store.database.reading() as c:
            return sum(study.store.past(c, "", moment).counts.values())

    assert asked(now) == 8
    assert asked(now + LEASE + timedelta(minutes=1)) == 3
    assert planning.plan_session(study, who, now + timedelta(minutes=10)) == 0
    late = now + LEASE + timedelta(minutes=5)
    assert planning.plan_session(study, who, late) == 5
    rows = study.store.assignments(who)
    assert [row["state"] for row in rows].count("done") == 3
    assert len(rows) == len({row["unit"] for row in rows}) == 8
    assert asked(late) == 8


def test_an_answer_that_comes_after_a_pause_counts_and_opens_a_session(make_study, database, visit):
    study = make_study(database=database)
    guest = visit(study)
    trials = guest.to("trials").payload["trials"]
    guest.answer(trials[0])
    with study.store.database.writing() as c:
        c.execute(t.participant.update().values(seen=utcnow() - timedelta(days=1)))
    assert guest.answer(trials[1]).json()["kept"] == "new"
    assert [row["session"] for row in study.store.rows(t.response)] == [1, 2]
    assert [row["number"] for row in study.store.rows(t.session)] == [1, 2]


def test_no_more_people_than_allowed_and_leavers_make_room(make_study, database, visit):
    study = make_study(database=database, participants={"max": 2})
    visit(study)
    visit(study)
    assert visit(study).ended == "full"
    with study.store.database.writing() as c:
        c.execute(t.participant.update().values(seen=utcnow() - 2 * LEASE))
    assert visit(study).ended == ""


def test_an_external_id_takes_part_once_and_is_not_kept(make_study, database, visit):
    study = make_study(database=database, participants={"platform": {"name": "prolific"}})
    assert visit(study, {}).ended == "missing"
    first = visit(study, {"PROLIFIC_PID": "5f2b6c"})
    second = visit(study, {"PROLIFIC_PID": "5f2b6c"})
    other = visit(study, {"PROLIFIC_PID": "5f2b6d"})
    people = study.store.participants()
    assert len(people) == 2
    assert first.token == second.token != other.token, "windows that are open go on"
    assert flow.next(study, second.token).name == flow.next(study, other.token).name
    assert first.token not in str([dict(row) for row in people])
    assert people[0]["external_hash"] == tokens.keyed(study.key, "external", "5f2b6c")
    dump = "".join(str(dict(row)) for row in people)
    assert "5f2b6c" not in dump.replace(people[0]["external_hash"], "")


def test_erasing_leaves_no_trace(make_study, database, visit):
    study = make_study(database=database, questions=[{"id": "age", "text": "Age?", "kind": "text"}])
    gone, stays = visit(study), visit(study)
    for guest in (gone, stays):
        guest.to("questions")
        guest.submit({"answers": {"age": "forty-two-and-a-half"}})
    first, second = (row["id"] for row in study.store.participants())
    kept_hash = study.store.participants()[0]["token_hash"]
    exports = study.data / "exports"
    exports.mkdir()
    (exports / "answers.csv").write_text(first)
    privacy.forget(study, first)
    assert [row["id"] for row in study.store.participants()] == [second]
    with study.store.database.reading() as c:
        for table in t.metadata.sorted_tables:
            for row in c.execute(sa.select(table)).mappings():
                assert first not in str(dict(row))
    assert not exports.exists()
    assert [row["what"] for row in study.store.events(what="forgotten")] == ["forgotten"]
    if study.store.database.is_sqlite:
        for file in study.store.database.file.parent.glob("study.sqlite*"):
            data = file.read_bytes()
            assert first.encode() not in data
            assert kept_hash.encode() not in data
            assert data.count(b"forty-two") <= 2
    with pytest.raises(SrqaError, match="no participant"):
        privacy.forget(study, first)


def test_records_expire(make_study, database, visit):
    study = make_study(database=database, privacy={"retain_days": 30})
    visit(study).to("done")
    assert privacy.expire(study) == 0
    assert privacy.expire(study, utcnow() + timedelta(days=31)) == 1
    assert study.store.participants() == []


def test_a_changed_definition_is_noted_or_refused(make_study, database, visit):
    study = make_study(database=database)
    changed = make_study(database=database, title="Other")
    assert [row["detail"] for row in changed.store.events(what="definition")] == [
        {"changed": ["title"]}
    ]
    visit(study).to("done")
    with pytest.raises(UsageError, match="method changed, but there are answers"):
        make_study(database=database, method="slider")


def test_two_studies_share_a_database(make_study, database, visit):
    one, two = make_study("one", database), make_study("two", database)
    visit(one).to("done")
    assert len(one.store.participants()) == 1
    assert two.store.participants() == []
    assert {r["opaque"] for r in one.stimuli.values()}.isdisjoint(
        r["opaque"] for r in two.stimuli.values()
    )


def test_a_locked_or_read_only_file_is_told(make_study, ordinary_user):
    study = make_study()
    file = study.store.database.file
    study.store.database.close()
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    other = Database(file)
    with other.engine.connect() as c:
        c.exec_driver_sql("PRAGMA busy_timeout=50")
    with pytest.raises(DatabaseError, match="locked"), other.writing() as c:
        c.exec_driver_sql("SELECT 1")
    blocker.execute("ROLLBACK")
    blocker.close()
    other.close()
