"""Alembic's environment: migrates the registry on the connection that the caller gives."""

from alembic import context

from schemas.registry import METADATA, ZONES

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    include_schemas=True,
    include_name=lambda name, kind, _: kind != "schema" or name in ZONES,
)
with context.begin_transaction():
    context.run_migrations()
