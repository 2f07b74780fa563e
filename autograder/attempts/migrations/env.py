"""Alembic runs this file to migrate the database of the attempt service."""

from __future__ import annotations

from alembic import context

from autograder.attempts.schema import metadata

# A table of versions of its own: the gradebook, which has Alembic's usual table, may be in the same
# database.
VERSION_TABLE = "attempt_service_version"

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
