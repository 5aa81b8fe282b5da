"""The command `nutgraf`: its commands, in the order of its help."""

import os

# isort: off
from search.commands import store_commands  # noqa: F401  # each adds its commands to the app
from search.commands import question_commands  # noqa: F401
from search.commands import batch_commands  # noqa: F401
from search.commands import cite_commands  # noqa: F401
from search.commands import related_commands  # noqa: F401
from search.commands import story_commands  # noqa: F401
from search.commands import saved_search_commands  # noqa: F401
from search.commands import collection_commands  # noqa: F401
from search.commands import service_commands  # noqa: F401
from search.commands import backup_commands  # noqa: F401
from search.commands import care_commands  # noqa: F401
from search.commands import key_commands  # noqa: F401

# isort: on
from search.commands.command import app


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    # We have none, and to look through all that is installed takes 15 ms a command.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    app(prog_name="nutgraf")
