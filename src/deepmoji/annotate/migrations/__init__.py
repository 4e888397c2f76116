"""The database's revisions: bringing an older one up to date, and refusing a newer one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from deepmoji.errors import InputError

_FOLDER = Path(__file__).parent


def upgrade(connection: Connection, shown: str) -> None:
    """Bring a database, empty or older, to the revision of this version.

    Args:
        connection: in a transaction that writes.
        shown: the database's place, for messages.

    Raises:
        InputError: if a newer version made it.
    """
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_heads()
    if strange := [revision for revision in current if revision not in known]:
        raise InputError(
            f"{shown} was made by a newer deepmoji (revision {', '.join(strange)}, this version "
            f"knows {script.get_current_head()} and older); run: pip install --upgrade deepmoji"
        )
    if set(current) != set(script.get_heads()):
        command.upgrade(config, "head")
