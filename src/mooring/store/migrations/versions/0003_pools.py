"""Pools that programs report: what their processes told last, samples, and roll-ups of ten minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "pools",
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="what its processes told last, packed"),
        sa.PrimaryKeyConstraint("target_id", name="pk_pools"),
    )
    _samples()
    _rollups()


def _samples() -> None:
    since = "this and the next: since the sample before"
    op.create_table(
        "pool_samples",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("limit", sa.Integer(), nullable=True),
        sa.Column("share", sa.Float(), nullable=True, comment="used of those that have a limit"),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False, comment=since),
        sa.Column("timeouts", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "target_id", "at", name="pk_pool_samples"),
        sqlite_with_rowid=False,
    )


def _rollups() -> None:
    highest = "this, peak, size, limit and waiting: the highest"
    op.create_table(
        "pool_rollups",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("target_id", _ID, autoincrement=False, nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False, comment=highest),
        sa.Column("used", sa.BigInteger(), nullable=False, comment="added up over the samples"),
        sa.Column("used_max", sa.Integer(), nullable=False),
        sa.Column("peak", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("limit", sa.Integer(), nullable=True),
        sa.Column("share", sa.Float(), nullable=True, comment="added up over the samples"),
        sa.Column("share_max", sa.Float(), nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("timeouts", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "target_id", name="pk_pool_rollups"),
        sqlite_with_rowid=False,
    )
