"""The first version of the tables."""

import sqlalchemy as sa
from alembic import op

from srqa.study.tables import Moment

revision = "0001"
down_revision = None

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("passphrase", sa.Text(), nullable=True),
        sa.Column("created", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_study"),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("study", sa.String(length=200), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("external_hash", sa.String(length=64), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("consent", sa.String(length=64), nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("created", Moment(), nullable=False),
        sa.Column("consented", Moment(), nullable=True),
        sa.Column("started", Moment(), nullable=True),
        sa.Column("finished", Moment(), nullable=True),
        sa.Column("seen", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["study.name"], name="fk_participant_study", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_participant"),
        sa.UniqueConstraint("study", "external_hash", name="uq_participant_study_external_hash"),
        sa.UniqueConstraint("token_hash", name="uq_participant_token_hash"),
    )
    op.create_index("ix_participant_study_state", "participant", ["study", "state"], unique=False)
    op.create_table(
        "stimulus",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study", sa.String(length=200), nullable=False),
        sa.Column("opaque", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("scale", sa.Float(), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("crop", sa.JSON(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study"], ["study.name"], name="fk_stimulus_study", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stimulus"),
        sa.UniqueConstraint("opaque", name="uq_stimulus_opaque"),
        sa.UniqueConstraint("study", "name", name="uq_stimulus_study_name"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=True),
        sa.Column("swapped", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lease", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["first"], ["stimulus.id"], name="fk_assignment_first"),
        sa.ForeignKeyConstraint(
            ["participant"],
            ["participant.id"],
            name="fk_assignment_participant",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["second"], ["stimulus.id"], name="fk_assignment_second"),
        sa.PrimaryKeyConstraint("id", name="pk_assignment"),
    )
    op.create_index(
        "ix_assignment_participant_position",
        "assignment",
        ["participant", "position"],
        unique=False,
    )
    op.create_index("ix_assignment_unit_state", "assignment", ["unit", "state"], unique=False)
    op.create_table(
        "device",
        sa.Column("id", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("pixel_ratio", sa.Float(), nullable=True),
        sa.Column("viewport", sa.String(length=16), nullable=True),
        sa.Column("screen", sa.String(length=16), nullable=True),
        sa.Column("touch", sa.Boolean(), nullable=True),
        sa.Column("mobile", sa.Boolean(), nullable=True),
        sa.Column("pixel_exact", sa.Boolean(), nullable=True),
        sa.Column("browser", sa.String(length=80), nullable=True),
        sa.Column("system", sa.String(length=80), nullable=True),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_device_participant", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
    )
    op.create_index("ix_device_participant", "device", ["participant"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", LONG, nullable=False),
        sa.Column("study", sa.String(length=200), nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_event_participant", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study"], ["study.name"], name="fk_event_study", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_participant", "event", ["participant"], unique=False)
    op.create_index("ix_event_study_at", "event", ["study", "at"], unique=False)
    op.create_table(
        "metric_value",
        sa.Column("stimulus", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stimulus"], ["stimulus.id"], name="fk_metric_value_stimulus", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("stimulus", "metric", name="uq_metric_value_stimulus_metric"),
    )
    op.create_table(
        "reply",
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_reply_participant", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("participant", "question", name="uq_reply_participant_question"),
    )
    op.create_table(
        "screening",
        sa.Column("id", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("test", sa.String(length=24), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_screening_participant", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_screening"),
    )
    op.create_index("ix_screening_participant", "screening", ["participant"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started", Moment(), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_session_participant", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("participant", "number", name="uq_session_participant_number"),
    )
    op.create_table(
        "quality_flag",
        sa.Column("id", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("assignment", LONG, nullable=True),
        sa.Column("check", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment"], ["assignment.id"], name="fk_quality_flag_assignment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["participant"],
            ["participant.id"],
            name="fk_quality_flag_participant",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quality_flag"),
    )
    op.create_index("ix_quality_flag_participant", "quality_flag", ["participant"], unique=False)
    op.create_table(
        "response",
        sa.Column("id", LONG, nullable=False),
        sa.Column("assignment", LONG, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("choice", sa.String(length=8), nullable=True),
        sa.Column("response_ms", sa.Float(), nullable=False),
        sa.Column("shown_ms", sa.Float(), nullable=True),
        sa.Column("zoom", sa.Float(), nullable=True),
        sa.Column("pan", sa.Integer(), nullable=True),
        sa.Column("toggles", sa.Integer(), nullable=True),
        sa.Column("pixel_exact", sa.Boolean(), nullable=True),
        sa.Column("pixel_ratio", sa.Float(), nullable=True),
        sa.Column("viewport", sa.String(length=16), nullable=True),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment"], ["assignment.id"], name="fk_response_assignment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name="fk_response_participant", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_response"),
        sa.UniqueConstraint("assignment", name="uq_response_assignment"),
    )
    op.create_index("ix_response_participant", "response", ["participant"], unique=False)
