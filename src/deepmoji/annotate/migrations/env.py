"""What alembic runs for each upgrade; the connection comes from the caller."""

from alembic import context

from deepmoji.annotate.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
