"""Everything Nutgraf raises on purpose.

NutgrafError
├── BadArticleError       one record cannot be read; the batch goes on
├── BadQueryError         the question or a filter is wrong
├── BadCollectionError    a folder of judged questions cannot be used
├── NotFoundError         no article or passage has this id
├── ExpiredCursorError    the snapshot that a cursor belongs to is gone
├── ConflictError         an idempotency key was used before, for other content
├── DeadlineError         a question took too long, or nobody waits for it any more
├── SettingsError         a setting is wrong
├── ServerError           a Nutgraf server cannot be reached, or refuses
├── OutputError           a file that was asked for cannot be written
├── NotInstalledError     a package that only some need is not installed
├── ModelError            the embedding model cannot be used
│   └── ModelMismatchError    the store's vectors come from another model
└── StoreError            the store cannot be used
    ├── StoreLockedError      another writer is at work
    ├── StoreFormatError      the store was written by a newer Nutgraf, or is none
    ├── StoreCorruptError     a file is not what its commit says
    ├── StoreUnreadableError  the disk does not give what is on it, just now
    ├── StoreFullError        no space left to write; reading goes on
    └── StoreReadOnlyError    an earlier write failed; reading goes on

Each message says what is wrong and what to do. `exit_code` is what the command line ends with.
"""

from typing import ClassVar


class NutgrafError(Exception):
    """The root: `except NutgrafError` catches what we raise on purpose and nothing else."""

    exit_code: ClassVar[int] = 1


class BadArticleError(NutgrafError):
    """One record cannot be read; the rest of the batch goes on."""

    exit_code = 3

    def __init__(self, path: str, line: int, reason: str, advice: str) -> None:
        super().__init__(f"{path}:{line}: {reason}; {advice}")
        self.path, self.line, self.reason, self.advice = path, line, reason, advice


class BadQueryError(NutgrafError):
    """The question or a filter is wrong; `field` names the parameter.

    `position` says where in the question, in code points from 0; None: not in one place.
    """

    exit_code = 2

    def __init__(
        self, field: str, reason: str, advice: str, *, position: int | None = None
    ) -> None:
        super().__init__(f"{field}: {reason}; {advice}")
        self.field, self.reason, self.advice, self.position = field, reason, advice, position


class BadCollectionError(NutgrafError):
    """A folder of judged questions lacks a file, or a line of one cannot be read."""

    exit_code = 2


class NotFoundError(NutgrafError):
    """No live article or passage has this id."""


class ExpiredCursorError(NutgrafError):
    """The snapshot that a cursor belongs to is no longer held."""


class ConflictError(NutgrafError):
    """An idempotency key was used before, for other content."""


class DeadlineError(NutgrafError):
    """A question took longer than it may, or nobody waits for its answer any more."""


class SettingsError(NutgrafError):
    """A setting from the command line, the environment or the file is wrong."""

    exit_code = 2


class ServerError(NutgrafError):
    """The Nutgraf server that was named cannot be reached, or refuses the request."""


class OutputError(NutgrafError):
    """A file that was asked for cannot be written."""


class NotInstalledError(NutgrafError):
    """What was asked for needs a package that only some need, and it is not installed."""


class ModelError(NutgrafError):
    """The embedding model cannot be loaded, or gave a vector that is none."""


class ModelMismatchError(ModelError):
    """The store's vectors come from another model than the one asked for."""


class StoreError(NutgrafError):
    """The store cannot be used."""


class StoreLockedError(StoreError):
    """Another process writes to this store; `holder` says which."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class StoreFormatError(StoreError):
    """The folder is no store, or one that a newer Nutgraf wrote."""


class StoreCorruptError(StoreError):
    """A file is not what the commit that published it says."""


class StoreUnreadableError(StoreError):
    """Reading failed; the store may be whole all the same, and asking again may succeed."""


class StoreFullError(StoreError):
    """No space is left on the device; what was acknowledged is safe and reading goes on."""


class StoreReadOnlyError(StoreError):
    """An earlier write failed in a way that must not be retried on the same handle."""
