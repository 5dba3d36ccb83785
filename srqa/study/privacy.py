"""Erasing people: from the database, from results and exports of the study, and by age."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

import sqlalchemy as sa

from srqa.errors import UsageError
from srqa.study import tables as t
from srqa.study.admin import person
from srqa.study.store import utcnow
from srqa.study.study import Study

DERIVED = ("results", "exports", "bundles")
"""Folders below a study's data that hold what was made of answers."""


def forget(study: Study, participant: str) -> list[str]:
    """Erase a participant without a trace in the database, results, exports and bundles.

    All that was derived from the answers is removed, to be made anew from what is left; the event
    log keeps only that somebody was erased.

    Args:
        study: the study.
        participant: the id.

    Returns:
        Names of the folders that were removed.

    Raises:
        InputError: there is no such participant.
        UsageError: the definition does not allow erasure.
    """
    if not study.definition.privacy.erase:
        raise UsageError(
            "The definition does not allow to erase participants (privacy.erase).",
            hint="Set it to true, if the consent allows it.",
        )
    person(study, participant)
    return _erase(study, [participant], "forgotten")


def expire(study: Study, now: datetime | None = None) -> int:
    """Erase participants whose records are older than `privacy.retain_days`; returns how many."""
    days = study.definition.privacy.retain_days
    if not days:
        return 0
    limit = (now or utcnow()) - timedelta(days=days)
    old = [row["id"] for row in study.store.participants() if row["seen"] < limit]
    if old:
        _erase(study, old, "expired")
    return len(old)


def _erase(study: Study, people: list[str], what: str) -> list[str]:
    with study.store.database.writing("participants") as c:
        assignments = sa.select(t.assignment.c.id).where(t.assignment.c.participant.in_(people))
        c.execute(t.response.delete().where(t.response.c.assignment.in_(assignments)))
        for table in (
            t.quality_flag, t.reply, t.screening, t.device, t.session, t.event, t.assignment
        ):  # fmt: skip
            c.execute(table.delete().where(table.c.participant.in_(people)))
        c.execute(t.participant.delete().where(t.participant.c.id.in_(people)))
    study.store.note(what, {"participants": len(people)})
    study.store.database.vacuum()
    study.caches.clear()
    removed = []
    for name in DERIVED:
        folder = study.data / name
        if folder.is_dir():
            shutil.rmtree(folder)
            removed.append(str(folder))
    return removed
