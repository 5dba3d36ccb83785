"""What a study keeps: each method is one short transaction on the database.

An answer is an insert that does nothing where the assignment has one already, committed before it
is acknowledged. Events are only ever added.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from srqa.errors import InputError
from srqa.study import tables as t
from srqa.study.assignment import Past
from srqa.study.database import Database

LEASE = timedelta(minutes=30)
COUNTED = ("active", "finished")
"""States of participants whose answers count."""
TEST_KINDS = ("test",)
DECISIONS = ("state", "forgotten", "expired", "stimuli", "definition", "imported")
"""Events after which more has changed than that answers were added."""


def utcnow() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an answer.

    Attributes:
        fate: "new", "earlier" (there was one; it stands), "void" (taken back), "closed" (the
            participant is excluded or has left), "unknown".
        left: trials of the block that are still to be answered.
        assignment: what was answered.
    """

    fate: str
    left: int = 0
    assignment: RowMapping | None = None


class Latest(NamedTuple):
    """How far a study is: numbers of the last answer and decision, and how many there are.

    Rows that were erased give their numbers to later ones, so that both are needed.

    Attributes:
        answer: number of the last answer.
        answers: how many count.
        decision: number of the last event that is a decision.
        decisions: how many there are.
    """

    answer: int
    answers: int
    decision: int
    decisions: int

    @property
    def decided(self) -> tuple[int, int]:
        """The part that tells of decisions."""
        return self.decision, self.decisions


class Store:
    """A study's rows in a database."""

    def __init__(self, database: Database, study: str) -> None:
        self.database = database
        self.study = study

    # --- the study -------------------------------------------------------------------------

    def create(self, definition: str, seed: str | None) -> RowMapping:
        """The study's row; made if it is not there."""
        with self.database.writing("study") as c:
            found = self._row(c)
            if found is None:
                c.execute(
                    t.study.insert().values(
                        name=self.study,
                        definition=definition,
                        seed=seed or secrets.token_hex(16),
                        state="open",
                        created=utcnow(),
                    )
                )
                self._add_event(c, "created", {})
                found = self._row(c)
        if found is None:
            raise InputError(f"The study {self.study} could not be made.")
        return found

    def row(self) -> RowMapping:
        """The study's row."""
        with self.database.reading() as c:
            found = self._row(c)
        if found is None:
            raise InputError(f"The database holds no study {self.study}.")
        return found

    def change(self, what: str, detail: Mapping[str, Any], **values: Any) -> None:
        """Change the study's row and note it as an event."""
        with self.database.writing("study") as c:
            c.execute(t.study.update().where(t.study.c.name == self.study).values(**values))
            self._add_event(c, what, detail)

    def _row(self, c: Connection) -> RowMapping | None:
        return c.execute(sa.select(t.study).where(t.study.c.name == self.study)).mappings().first()

    # --- stimuli ---------------------------------------------------------------------------

    def stimuli(self, retired: bool = False) -> list[RowMapping]:
        """Rows of the stimuli, in the order of their names."""
        wanted = sa.select(t.stimulus).where(t.stimulus.c.study == self.study)
        if not retired:
            wanted = wanted.where(t.stimulus.c.retired.is_(False))
        with self.database.reading() as c:
            return list(c.execute(wanted.order_by(t.stimulus.c.name, t.stimulus.c.id)).mappings())

    def replace_stimuli(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add or renew stimuli by name; those that are not among them retire."""
        with self.database.writing("stimuli") as c:
            old = {row["name"]: row for row in self._all_stimuli(c)}
            names = set()
            for row in rows:
                names.add(row["name"])
                values = {**row, "study": self.study, "retired": False}
                if row["name"] in old:
                    c.execute(
                        t.stimulus.update()
                        .where(t.stimulus.c.id == old[row["name"]]["id"])
                        .values(**values)
                    )
                else:
                    c.execute(t.stimulus.insert().values(**values))
            for name in old.keys() - names:
                c.execute(
                    t.stimulus.update()
                    .where(t.stimulus.c.id == old[name]["id"])
                    .values(retired=True)
                )
            self._add_event(c, "stimuli", {"number": len(rows)})

    def _all_stimuli(self, c: Connection) -> list[RowMapping]:
        wanted = sa.select(t.stimulus).where(t.stimulus.c.study == self.study)
        return list(c.execute(wanted).mappings())

    # --- participants ----------------------------------------------------------------------

    def add_participant(
        self, id_: str, token_hash: str, external_hash: str | None, most: int | None, **values: Any
    ) -> str:
        """A new participant: "new", "known" (somebody with this external id is there) or "full"."""
        now = utcnow()
        with self.database.writing("participants") as c:
            if external_hash is not None and self._by_external(c, external_hash) is not None:
                return "known"
            if most is not None and self._taking_part(c, now) >= most:
                return "full"
            row = {
                "id": id_,
                "study": self.study,
                "token_hash": token_hash,
                "external_hash": external_hash,
                "state": "active",
                "step": "",
                "synthetic": False,
                "created": now,
                "seen": now,
                **values,
            }
            c.execute(t.participant.insert().values(**row))
            c.execute(t.session.insert().values(participant=id_, number=1, started=now))
            self._add_event(c, "entered", {}, id_)
        return "new"

    def participant(
        self, *, token_hash: str = "", id_: str = "", external_hash: str = ""
    ) -> RowMapping | None:
        """A participant by hash of the token, id, or hash of the external id."""
        with self.database.reading() as c:
            if external_hash:
                return self._by_external(c, external_hash)
            p = t.participant
            match = p.c.token_hash == token_hash if token_hash else p.c.id == id_
            wanted = sa.select(p).where(p.c.study == self.study, match)
            return c.execute(wanted).mappings().first()

    def participants(self) -> list[RowMapping]:
        """All participants, the first to come first."""
        p = t.participant
        wanted = sa.select(p).where(p.c.study == self.study).order_by(p.c.created, p.c.id)
        with self.database.reading() as c:
            return list(c.execute(wanted).mappings())

    def update_participant(self, id_: str, expected_step: str | None = None, **values: Any) -> bool:
        """Change a participant; with `expected_step` only if that is where they are."""
        p = t.participant
        with self.database.writing() as c:
            match = p.update().where(p.c.id == id_)
            if expected_step is not None:
                match = match.where(p.c.step == expected_step)
            changed = c.execute(match.values(seen=utcnow(), **values)).rowcount
            if changed and "step" in values:
                self._add_event(c, "step", {"step": values["step"]}, id_)
            elif changed and "state" in values:
                detail = {"state": values["state"], "reason": values.get("reason")}
                self._add_event(c, "state", detail, id_)
        return bool(changed)

    def new_token(self, id_: str, token_hash: str) -> None:
        """Another token for a participant; the old one stops working."""
        with self.database.writing() as c:
            p = t.participant
            c.execute(p.update().where(p.c.id == id_).values(token_hash=token_hash))

    def _by_external(self, c: Connection, external_hash: str) -> RowMapping | None:
        p = t.participant
        wanted = sa.select(p).where(p.c.study == self.study, p.c.external_hash == external_hash)
        return c.execute(wanted).mappings().first()

    def _taking_part(self, c: Connection, now: datetime) -> int:
        """Participants who finished, or were seen within the lease."""
        p = t.participant
        there = sa.or_(
            p.c.state == "finished", sa.and_(p.c.state == "active", p.c.seen > now - LEASE)
        )
        wanted = sa.select(sa.func.count()).select_from(p).where(p.c.study == self.study, there)
        return int(c.execute(wanted).scalar_one())

    # --- facts about participants ----------------------------------------------------------

    def add(self, table: sa.Table, **values: Any) -> None:
        """Add a row to device, screening, session or quality_flag."""
        with self.database.writing() as c:
            c.execute(table.insert().values(at=utcnow(), **values))

    def add_replies(self, participant: str, answers: Mapping[str, str]) -> None:
        """Keep answers to the questions at the end; the first ones stand."""
        with self.database.writing() as c:
            for question, answer in answers.items():
                self._insert(
                    c,
                    t.reply,
                    {
                        "participant": participant,
                        "question": question,
                        "answer": answer,
                        "at": utcnow(),
                    },
                    ["participant", "question"],
                )

    def rows(self, table: sa.Table, participant: str | None = None) -> list[RowMapping]:
        """Rows of a participant's table, or those of all participants of the study."""
        wanted = sa.select(table)
        if participant is not None:
            wanted = wanted.where(table.c.participant == participant)
        else:
            p = t.participant
            own = sa.select(p.c.id).where(p.c.study == self.study)
            wanted = wanted.where(table.c.participant.in_(own))
        if "id" in table.c:
            wanted = wanted.order_by(table.c.id)
        with self.database.reading() as c:
            return list(c.execute(wanted).mappings())

    def _sitting(self, c: Connection, participant: str, now: datetime, ip: str | None) -> int:
        """The number of the session that a participant is in; a new one after a long pause."""
        p, s = t.participant, t.session
        seen = c.execute(sa.select(p.c.seen).where(p.c.id == participant)).scalar_one()
        wanted = sa.select(s.c.number, s.c.ip).where(s.c.participant == participant)
        last = c.execute(wanted.order_by(s.c.number.desc()).limit(1)).first()
        number = last.number if last else 0
        if last is None or now - seen > LEASE:
            number += 1
            c.execute(s.insert().values(participant=participant, number=number, started=now, ip=ip))
            self._add_event(c, "session", {"number": number}, participant)
        elif ip and last.ip is None:
            mine = sa.and_(s.c.participant == participant, s.c.number == number)
            c.execute(s.update().where(mine).values(ip=ip))
        return int(number)

    # --- assignments -----------------------------------------------------------------------

    def past(self, c: Connection, participant: str, now: datetime) -> Past:
        """How often each unit was asked, inside of a transaction that plans."""
        a, p = t.assignment, t.participant
        held = sa.or_(a.c.state == "done", sa.and_(a.c.state != "void", a.c.lease > now))
        there = (
            sa.select(a.c.unit, sa.func.count(), sa.func.sum(a.c.swapped))
            .select_from(a.join(p, a.c.participant == p.c.id))
            .where(p.c.study == self.study, p.c.state.in_(COUNTED), a.c.kind.in_(TEST_KINDS), held)
            .group_by(a.c.unit)
        )
        found = c.execute(there).all()
        mine = c.execute(
            sa.select(a.c.unit).where(
                a.c.participant == participant,
                a.c.kind.in_(TEST_KINDS),
                a.c.state != "void",
            )
        ).scalars()
        return Past(
            counts={unit: int(n) for unit, n, _ in found},
            swaps={unit: int(n) - 2 * int(swapped or 0) for unit, n, swapped in found},
            mine=frozenset(mine),
        )

    def rows_to_plan(self, c: Connection, participant: str) -> list[RowMapping]:
        """A participant's assignments that were not taken back, inside of a transaction."""
        a = t.assignment
        wanted = sa.select(a).where(a.c.participant == participant, a.c.state != "void")
        return list(c.execute(wanted.order_by(a.c.position)).mappings())

    def add_plan(
        self,
        c: Connection,
        participant: str,
        rows: Iterable[Mapping[str, Any]],
        now: datetime,
        detail: Mapping[str, Any],
    ) -> None:
        """Insert a plan's assignments, leased from now on."""
        values = [
            {"participant": participant, "state": "pending", "lease": now + LEASE, **row}
            for row in rows
        ]
        if values:
            c.execute(t.assignment.insert(), values)
        self._add_event(c, "planned", detail, participant)

    def give_back(self, c: Connection, participant: str) -> int:
        """Take back what a participant has not answered; returns how many."""
        a = t.assignment
        open_ = sa.and_(a.c.participant == participant, a.c.state.in_(("pending", "served")))
        return int(c.execute(a.update().where(open_).values(state="void")).rowcount)

    def assignments(self, participant: str, void: bool = False) -> list[RowMapping]:
        """A participant's assignments in their order."""
        a = t.assignment
        wanted = sa.select(a).where(a.c.participant == participant)
        if not void:
            wanted = wanted.where(a.c.state != "void")
        with self.database.reading() as c:
            return list(c.execute(wanted.order_by(a.c.position, a.c.id)).mappings())

    def serve(self, participant: str, block: int) -> None:
        """Note that a block's trials are on a participant's screen, and renew the leases."""
        a = t.assignment
        own = sa.and_(a.c.participant == participant, a.c.state.in_(("pending", "served")))
        with self.database.writing() as c:
            c.execute(a.update().where(own).values(lease=utcnow() + LEASE))
            c.execute(a.update().where(own, a.c.block == block).values(state="served"))

    def answer(
        self,
        participant: str,
        assignment: int,
        values: Mapping[str, Any],
        ip: str | None = None,
    ) -> Kept:
        """Keep an answer, if the assignment has none.

        Args:
            participant: who answers.
            assignment: what.
            values: columns of `response`.
            ip: to be kept with the session.
        """
        a, p, now = t.assignment, t.participant, utcnow()
        wanted = (
            sa.select(a, p.c.state.label("person"))
            .select_from(a.join(p, a.c.participant == p.c.id))
            .where(a.c.id == assignment, a.c.participant == participant, p.c.study == self.study)
        )
        with self.database.writing() as c:
            row = c.execute(wanted).mappings().first()
            if row is None:
                return Kept("unknown")
            if row["person"] not in COUNTED:
                return Kept("closed", assignment=row)
            if row["state"] == "void":
                return Kept("void", assignment=row)
            fate = "earlier"
            if row["state"] != "done":
                given = {
                    "assignment": assignment,
                    "participant": participant,
                    "at": now,
                    "session": self._sitting(c, participant, now, ip),
                    **values,
                }
                if self._insert(c, t.response, given, ["assignment"]):
                    fate = "new"
                c.execute(a.update().where(a.c.id == assignment).values(state="done"))
                own = sa.and_(a.c.participant == participant, a.c.state.in_(("pending", "served")))
                c.execute(a.update().where(own).values(lease=now + LEASE))
                c.execute(p.update().where(p.c.id == participant).values(seen=now))
            left = c.execute(
                sa.select(sa.func.count()).where(
                    a.c.participant == participant,
                    a.c.block == row["block"],
                    a.c.state.in_(("pending", "served")),
                )
            ).scalar_one()
        return Kept(fate, int(left), row)

    def answer_of(self, assignment: int) -> RowMapping | None:
        """The answer to an assignment."""
        r = t.response
        with self.database.reading() as c:
            return c.execute(sa.select(r).where(r.c.assignment == assignment)).mappings().first()

    def answers(self, states: Sequence[str] = COUNTED, after: int = 0) -> list[RowMapping]:
        """Answers of participants in these states, with their assignments, in order of arrival.

        Args:
            states: of the participants.
            after: the number of an answer; only later ones are given.
        """
        a, p, r = t.assignment, t.participant, t.response
        wanted = (
            sa.select(
                r,
                a.c.kind,
                a.c.unit,
                a.c.first,
                a.c.second,
                a.c.swapped,
                a.c.payload,
                a.c.position,
                a.c.block,
                p.c.state.label("participant_state"),
            )
            .select_from(r.join(a, r.c.assignment == a.c.id).join(p, r.c.participant == p.c.id))
            .where(p.c.study == self.study, p.c.state.in_(states), r.c.id > after)
            .order_by(r.c.id)
        )
        with self.database.reading() as c:
            return list(c.execute(wanted).mappings())

    def latest(self) -> Latest:
        """How far the study is, by which caches know that they are old."""
        p, r, e = t.participant, t.response, t.event
        own = sa.select(p.c.id).where(p.c.study == self.study)
        counted = own.where(p.c.state.in_(COUNTED))
        answers = sa.select(sa.func.count()).where(r.c.participant.in_(counted))
        last = sa.select(sa.func.max(r.c.id)).where(r.c.participant.in_(own))
        decided = sa.select(sa.func.max(e.c.id), sa.func.count()).where(
            e.c.study == self.study, e.c.what.in_(DECISIONS)
        )
        with self.database.reading() as c:
            decision, decisions = c.execute(decided).one()
            return Latest(
                answer=int(c.execute(last).scalar() or 0),
                answers=int(c.execute(answers).scalar_one()),
                decision=int(decision or 0),
                decisions=int(decisions),
            )

    # --- events ----------------------------------------------------------------------------

    def note(self, what: str, detail: Mapping[str, Any], participant: str | None = None) -> None:
        """Add an event."""
        with self.database.writing() as c:
            self._add_event(c, what, detail, participant)

    def events(self, participant: str | None = None, what: str = "") -> list[RowMapping]:
        """Events of the study, or of a participant, in their order."""
        e = t.event
        wanted = sa.select(e).where(e.c.study == self.study).order_by(e.c.id)
        if participant is not None:
            wanted = wanted.where(e.c.participant == participant)
        if what:
            wanted = wanted.where(e.c.what == what)
        with self.database.reading() as c:
            return list(c.execute(wanted).mappings())

    def _add_event(
        self, c: Connection, what: str, detail: Mapping[str, Any], participant: str | None = None
    ) -> None:
        plain = json.loads(json.dumps(detail, default=str))
        c.execute(
            t.event.insert().values(
                study=self.study, participant=participant, at=utcnow(), what=what, detail=plain
            )
        )

    def _insert(
        self, c: Connection, table: sa.Table, values: Mapping[str, Any], unique: Sequence[str]
    ) -> bool:
        """Insert unless a row with the same unique columns is there; tells whether it was new."""
        make = sqlite.insert if self.database.is_sqlite else postgresql.insert
        statement: Any = make(table).values(**values)
        statement = statement.on_conflict_do_nothing(index_elements=list(unique))
        return c.execute(statement.returning(table.c[unique[0]])).first() is not None
