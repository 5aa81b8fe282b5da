"""`python -m search` is the command `nutgraf`."""

from search.cli import main

main()
