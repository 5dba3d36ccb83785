"""The tables of a study's database: one schema for SQLite and PostgreSQL. Times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """A moment, always with its time zone, UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """What the database is given; SQLite keeps no time zones."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """What the database gave."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Long = BigInteger().with_variant(Integer, "sqlite")
"""A counted key; SQLite counts only INTEGER."""


def _id() -> Column[int]:
    return Column("id", Long, primary_key=True)


def _at() -> Column[datetime]:
    return Column("at", Moment, nullable=False)


def _study() -> Column[str]:
    return Column(
        "study", String(200), ForeignKey("study.name", ondelete="CASCADE"), nullable=False
    )


def _participant(nullable: bool = False) -> Column[str]:
    key = ForeignKey("participant.id", ondelete="CASCADE")
    return Column("participant", String(32), key, nullable=nullable)


study = Table(
    "study",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("definition", Text, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # open, paused
    Column("reason", Text),
    Column("passphrase", Text),
    Column("created", Moment, nullable=False),
)

stimulus = Table(
    "stimulus",
    metadata,
    Column("id", Integer, primary_key=True),
    _study(),
    Column("opaque", String(64), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("scale", Float),
    Column("role", String(16), nullable=False),  # test, reference, gold, training
    Column("reference", Text, nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("crop", JSON),
    Column("retired", Boolean, nullable=False),
    UniqueConstraint("study", "name"),
)

participant = Table(
    "participant",
    metadata,
    Column("id", String(32), primary_key=True),
    _study(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("external_hash", String(64)),
    Column("locale", String(16)),
    Column("state", String(16), nullable=False),  # active, finished, excluded, declined, void
    Column("reason", Text),
    Column("step", String(24), nullable=False),
    Column("consent", String(64)),
    Column("synthetic", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
    Column("consented", Moment),
    Column("started", Moment),
    Column("finished", Moment),
    Column("seen", Moment, nullable=False),
    UniqueConstraint("study", "external_hash"),
    Index(None, "study", "state"),
)

device = Table(
    "device",
    metadata,
    _id(),
    _participant(),
    _at(),
    Column("pixel_ratio", Float),
    Column("viewport", String(16)),
    Column("screen", String(16)),
    Column("touch", Boolean),
    Column("mobile", Boolean),
    Column("pixel_exact", Boolean),
    Column("browser", String(80)),
    Column("system", String(80)),
    Column("problems", Text, nullable=False),
    Index(None, "participant"),
)

screening = Table(
    "screening",
    metadata,
    _id(),
    _participant(),
    _at(),
    Column("test", String(24), nullable=False),
    Column("passed", Boolean),
    Column("figures", JSON, nullable=False),
    Index(None, "participant"),
)

session = Table(
    "session",
    metadata,
    _id(),
    _participant(),
    Column("number", Integer, nullable=False),
    Column("started", Moment, nullable=False),
    Column("ip", String(64)),
    UniqueConstraint("participant", "number"),
)

assignment = Table(
    "assignment",
    metadata,
    _id(),
    _participant(),
    Column("position", Integer, nullable=False),
    Column("block", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # test, repeat, gold, trap, identical, training
    Column("unit", String(64), nullable=False),
    Column("first", Integer, ForeignKey("stimulus.id"), nullable=False),
    Column("second", Integer, ForeignKey("stimulus.id")),
    Column("swapped", Integer, nullable=False),  # 1: the second stands left, or comes first
    Column("payload", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # pending, served, done, void
    Column("lease", Moment, nullable=False),
    Index(None, "participant", "position"),
    Index(None, "unit", "state"),
)

response = Table(
    "response",
    metadata,
    _id(),
    Column(
        "assignment",
        Long,
        ForeignKey("assignment.id", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    _participant(),
    _at(),
    Column("value", Float),
    Column("choice", String(8)),
    Column("response_ms", Float, nullable=False),
    Column("shown_ms", Float),
    Column("zoom", Float),
    Column("pan", Integer),
    Column("toggles", Integer),
    Column("pixel_exact", Boolean),
    Column("pixel_ratio", Float),
    Column("viewport", String(16)),
    Column("session", Integer, nullable=False),
    Index(None, "participant"),
)

reply = Table(
    "reply",
    metadata,
    _participant(),
    Column("question", String(40), nullable=False),
    Column("answer", Text, nullable=False),
    _at(),
    UniqueConstraint("participant", "question"),
)

quality_flag = Table(
    "quality_flag",
    metadata,
    _id(),
    _participant(),
    Column("assignment", Long, ForeignKey("assignment.id", ondelete="CASCADE")),
    Column("check", String(24), nullable=False),
    Column("reason", Text, nullable=False),
    _at(),
    Index(None, "participant"),
)

metric_value = Table(
    "metric_value",
    metadata,
    Column("stimulus", Integer, ForeignKey("stimulus.id", ondelete="CASCADE"), nullable=False),
    Column("metric", String(80), nullable=False),
    Column("value", Float),
    Column("signature", Text, nullable=False),
    UniqueConstraint("stimulus", "metric"),
)

event = Table(
    "event",
    metadata,
    _id(),
    _study(),
    _participant(nullable=True),
    _at(),
    Column("what", String(32), nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "participant"),
    Index(None, "study", "at"),
)
