"""The first tables."""

from alembic import op

from mooring.store import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    schema.metadata.create_all(op.get_bind())
    op.bulk_insert(schema.revision, [{"id": 1, "value": 0, "targets": 0, "beat_at": None, "pruned": 0}])
