"""The command `nutgraf`: its commands, in the order of its help."""

# isort: off
from search import store_commands  # noqa: F401  # each adds its commands to the app
from search import question_commands  # noqa: F401
from search import batch_commands  # noqa: F401
from search import cite_commands  # noqa: F401
from search import related_commands  # noqa: F401
from search import story_commands  # noqa: F401
from search import saved_search_commands  # noqa: F401
from search import collection_commands  # noqa: F401
from search import service_commands  # noqa: F401

# isort: on
from search.command import app


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    app(prog_name="nutgraf")
