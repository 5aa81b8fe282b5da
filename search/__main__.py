"""`python -m search` is the command `nutgraf`."""

from search.cli import main

if __name__ == "__main__":  # a spawned child imports this file, too
    main()
