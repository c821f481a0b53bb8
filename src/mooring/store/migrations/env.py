"""Alembic's entry: runs inside the transaction that `upgrade.migrate` opened."""

from alembic import context

from mooring.store.schema import metadata
from mooring.store.upgrade import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # Alembic doubts SQLite here; our connections begin transactions themselves
)
with context.begin_transaction():
    context.run_migrations()
