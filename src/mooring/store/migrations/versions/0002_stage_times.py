"""Roll-ups keep what each stage took. Rows of before have nothing to say of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; neither database writes a row for that."""
    what = "what each stage took; null in rows of before it was kept"
    op.add_column("rollups", sa.Column("stages", sa.LargeBinary(), nullable=True, comment=what))
