"""Every table, as the newest migration leaves it (a test compares the two).

Times are whole microseconds since 1970 and durations whole microseconds; words are the numbers of
codes.py. Results and roll-ups are clustered by time slot first and target second: a batch then lands
on the few pages of the current slot, roll-ups read a slot in one sweep, pruning drops whole ranges,
and one target's recent rows are one short seek per slot.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

HEAD = "0003"
"""The newest migration; a database at another one is upgraded or refused."""
SLOT = 600
"""Seconds in a slot of raw results, and in the finest roll-up."""

Id = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

targets = Table(
    "targets",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("settings", Text, nullable=False, comment="sealed"),
    Column("labels", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("origin", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # an id is never used again, so that no new target inherits old rows
)

results = Table(
    "results",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, primary_key=True, autoincrement=False),
    Column("region", Text, primary_key=True, comment="empty: local"),
    Column("status", SmallInteger, nullable=False),
    Column("trigger", SmallInteger, nullable=False),
    Column("reason", SmallInteger),
    Column("duration", BigInteger, nullable=False),
    Column("stages", LargeBinary, nullable=False),
    Column("note_id", BigInteger),
    Column("revision", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

notes = Table(
    "notes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, comment="hash of the body"),
    Column("used", Integer, nullable=False, comment="last day on which a result said this"),
    Column("body", Text, nullable=False),
    Index(None, "used"),
)

failure_days = Table(
    "failure_days",
    metadata,
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("region", Text, primary_key=True),
    Column("reason", SmallInteger, primary_key=True, autoincrement=False),
    Column("stage", SmallInteger, primary_key=True, autoincrement=False, comment="-1: none"),
    Column("code", Text, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("first_body", Text, nullable=False),
    Column("last_body", Text, nullable=False),
    sqlite_with_rowid=False,
)

health = Table(
    "health",
    metadata,
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("status", SmallInteger, nullable=False),
    Column("since", BigInteger),
    Column("confirming", Integer),
    Column("confirming_of", Integer),
    Column("verdicts", Text, nullable=False),
    Column("next_check_at", BigInteger),
    Column("last_started_at", BigInteger),
    Column("last_region", Text),
    Column("last_status", SmallInteger),
    Column("last_trigger", SmallInteger),
    Column("last_duration", BigInteger),
    Column("last_stages", LargeBinary),
    Column("revision", BigInteger, nullable=False),
)

observations = Table(
    "observations",
    metadata,
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    comment="what a target's last result said; apart, so that steady health stays small",
)

rollups = Table(
    "rollups",
    metadata,
    Column("seconds", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("checks", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("sum", BigInteger, nullable=False),
    Column("min", BigInteger, nullable=False),
    Column("max", BigInteger, nullable=False),
    Column("histogram", LargeBinary, nullable=False),
    Column("stages", LargeBinary, comment="what each stage took; null in rows of before it was kept"),
    sqlite_with_rowid=False,
)

pending = Table(
    "pending",
    metadata,
    Column("seconds", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("after_target", Id, nullable=False, comment="rolled up as far as this target"),
    comment="slots of the roll-ups that new results made incomplete",
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("target_id", Id, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("old", SmallInteger, nullable=False),
    Column("new", SmallInteger, nullable=False),
    Column("failure", Text),
    Column("note", Text),
    Column("revision", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Index(None, "target_id", "at", "old", "new", unique=True),
    Index(None, "revision"),
    Index(
        "ix_transitions_unclaimed",
        "id",
        sqlite_where=text("claimed_at IS NULL"),
        postgresql_where=text("claimed_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
    Column("value", BigInteger, nullable=False),
    Column("targets", BigInteger, nullable=False, comment="the revision that last changed a target"),
    Column("beat_at", BigInteger, comment="when a server last said that it lives"),
    Column("pruned", Integer, nullable=False, comment="slots before this hold no passing results"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("token_id", Id, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("token_id", Id, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("heard_at", BigInteger),
    Column("body", LargeBinary, nullable=False, comment="what its processes told last, packed"),
)

pool_samples = Table(
    "pool_samples",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("instances", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("size", Integer),
    Column("limit", Integer),
    Column("share", Float, comment="used of those that have a limit"),
    Column("waiting", Integer, nullable=False),
    Column("taken", BigInteger, nullable=False, comment="this and the next: since the sample before"),
    Column("timeouts", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

pool_rollups = Table(
    "pool_rollups",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("target_id", Id, primary_key=True, autoincrement=False),
    Column("samples", Integer, nullable=False),
    Column("instances", Integer, nullable=False, comment="this, peak, size, limit and waiting: the highest"),
    Column("used", BigInteger, nullable=False, comment="added up over the samples"),
    Column("used_max", Integer, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("size", Integer),
    Column("limit", Integer),
    Column("share", Float, comment="added up over the samples"),
    Column("share_max", Float),
    Column("waiting", Integer, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("timeouts", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
