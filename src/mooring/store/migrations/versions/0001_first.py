"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    _targets()
    _health()
    _transitions()
    _results()
    _rollups()
    _access()
    op.execute("INSERT INTO revision (id, value, targets, beat_at, pruned) VALUES (1, 0, 0, NULL, 0)")


def _targets() -> None:
    """Make what is watched."""
    op.create_table(
        "targets",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_targets"),
        sa.UniqueConstraint("name", name="uq_targets_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="always 1"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column(
            "targets", sa.BigInteger(), nullable=False, comment="the revision that last changed a target"
        ),
        sa.Column("beat_at", sa.BigInteger(), nullable=True, comment="when a server last said that it lives"),
        sa.Column(
            "pruned", sa.Integer(), nullable=False, comment="slots before this hold no passing results"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
    )


def _health() -> None:
    """Make where it stands."""
    op.create_table(
        "health",
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("confirming", sa.Integer(), nullable=True),
        sa.Column("confirming_of", sa.Integer(), nullable=True),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.Column("next_check_at", sa.BigInteger(), nullable=True),
        sa.Column("last_started_at", sa.BigInteger(), nullable=True),
        sa.Column("last_region", sa.Text(), nullable=True),
        sa.Column("last_status", sa.SmallInteger(), nullable=True),
        sa.Column("last_trigger", sa.SmallInteger(), nullable=True),
        sa.Column("last_duration", sa.BigInteger(), nullable=True),
        sa.Column("last_stages", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target_id", name="pk_health"),
    )
    op.create_table(
        "observations",
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("target_id", name="pk_observations"),
        comment="what a target's last result said; apart, so that steady health stays small",
    )


def _transitions() -> None:
    """Make the changes of that."""
    op.create_table(
        "transitions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("target_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("old", sa.SmallInteger(), nullable=False),
        sa.Column("new", sa.SmallInteger(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transitions_revision", "transitions", ["revision"], unique=False)
    op.create_index(
        "ix_transitions_target_id_at_old_new", "transitions", ["target_id", "at", "old", "new"], unique=True
    )
    op.create_index(
        "ix_transitions_unclaimed",
        "transitions",
        ["id"],
        unique=False,
        sqlite_where=sa.text("claimed_at IS NULL"),
        postgresql_where=sa.text("claimed_at IS NULL"),
    )


def _results() -> None:
    """Make what is kept for hours and for a day."""
    op.create_table(
        "results",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("region", sa.Text(), nullable=False, comment="empty: local"),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("trigger", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.Column("stages", sa.LargeBinary(), nullable=False),
        sa.Column("note_id", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "target_id", "started_at", "region", name="pk_results"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notes",
        sa.Column("id", _ID, autoincrement=False, nullable=False, comment="hash of the body"),
        sa.Column("used", sa.Integer(), nullable=False, comment="last day on which a result said this"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
    op.create_index("ix_notes_used", "notes", ["used"], unique=False)
    op.create_table(
        "failure_days",
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.SmallInteger(), autoincrement=False, nullable=False, comment="-1: none"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("first_body", sa.Text(), nullable=False),
        sa.Column("last_body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "target_id", "day", "region", "reason", "stage", "code", name="pk_failure_days"
        ),
        sqlite_with_rowid=False,
    )


def _rollups() -> None:
    """Make what is kept for longer."""
    op.create_table(
        "pending",
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after_target", _ID, nullable=False, comment="rolled up as far as this target"),
        sa.PrimaryKeyConstraint("seconds", "slot", name="pk_pending"),
        comment="slots of the roll-ups that new results made incomplete",
    )
    op.create_table(
        "rollups",
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("sum", sa.BigInteger(), nullable=False),
        sa.Column("min", sa.BigInteger(), nullable=False),
        sa.Column("max", sa.BigInteger(), nullable=False),
        sa.Column("histogram", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seconds", "slot", "target_id", name="pk_rollups"),
        sqlite_with_rowid=False,
    )


def _access() -> None:
    """Make who may look."""
    op.create_table(
        "tokens",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sign_ins"),
    )
