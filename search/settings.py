"""What can be set from outside: one model, read from `NUTGRAF_*` and an optional TOML file.

A command-line option wins over the environment, the environment over the file, the file over the
default. Below this module everything takes plain arguments.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from index.errors import SettingsError
from search.keys import Key, is_secret

ENV_PREFIX = "NUTGRAF_"
CONFIG_VARIABLE = "NUTGRAF_CONFIG"

# A scheme, a host in lower case, a port or none, and nothing behind it (RFC 6454).
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.ASCII)


class Settings(BaseSettings):
    """Every setting, its default and what it does; the table in README.md is made from this."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    store: Path = Field(
        Path("nutgraf-store"), description="The store's folder, seen from where the command runs."
    )
    model: str | None = Field(
        None,
        min_length=1,
        description="Embedding model: a sentence-transformers name or a folder. "
        "Not set: the store's own, for a new store all-MiniLM-L6-v2.",
    )
    device: str = Field(
        "cpu",
        pattern=r"^(cpu|(cuda|xpu)(:\d+)?|mps)$",
        description="What passages are embedded on, as torch names it: `cpu`, or where there is "
        "a GPU `cuda`, `cuda:1`, `mps` or `xpu`. Questions are always embedded on the processor.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address that `serve` listens on.")
    port: int = Field(
        8000, ge=0, le=65535, description="Port that `serve` listens on; 0: any free one."
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Keys that `serve` takes, each as SCOPE:SHA256HEX; `nutgraf key` makes one. "
        "Separated by commas; in the file a list. None: only this machine may write.",
    )
    key: SecretStr | None = Field(
        None, description="The key that commands with `--server` send, as `nutgraf key` printed it."
    )
    rate_per_minute: int = Field(
        600,
        ge=0,
        le=1_000_000,
        description="Requests a minute that `serve` takes with one key, and from one other "
        "machine without; 0: no limit.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Sites whose scripts may ask `serve` from a browser, as https://HOST; "
        "separated by commas; in the file a list. None: its own pages only.",
    )
    log_queries: bool = Field(
        False, description="The log of `serve` says what was asked: path and question."
    )
    deadline_s: float = Field(
        10.0,
        gt=0,
        le=3_600,
        description="Longest that `serve` works on one question, or on the next piece of a long "
        "answer, in seconds.",
    )
    max_body_mb: int = Field(
        64, gt=0, le=4096, description="Largest request body that `serve` takes, in MiB."
    )
    read_only: bool = Field(False, description="`serve` answers questions and takes no articles.")
    mapped_vectors: bool = Field(
        False,
        description="The vectors of a large archive stay in their files, and the system keeps in "
        "memory what is asked for often: for an archive that is larger than the memory.",
    )

    @field_validator("api_keys", "cors_origins", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part for part in (part.strip() for part in value.split(",")) if part]
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_hashes_of_keys(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Key.read(entry).entry for entry in entries)

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not is_secret(key.get_secret_value()):
            raise ValueError("this is no key as `nutgraf key` prints it: ng_ and 43 characters")
        return key

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is no origin; write it as a browser sends it, such as "
                    "https://news.example or http://localhost:3000"
                )
        return origins

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that a server takes."""
        return tuple(map(Key.read, self.api_keys))

    @property
    def key_to_send(self) -> str | None:
        """The key that a server is asked with, as a plain string."""
        return self.key.get_secret_value() if self.key else None


def load_settings(config: Path | None = None, **given: object) -> Settings:
    """The settings: `given` (None: not given) over the environment over the file.

    Args:
        config: a TOML file; None: the one that NUTGRAF_CONFIG names, if any.

    Raises:
        SettingsError: the file cannot be read, or a value is not allowed; the message names the
            setting and what was expected, never the value of a key.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    path = config or (Path(named) if named else None)
    from_file = _read_toml(path) if path else {}

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(from_file))

    explicit: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        return Layered(**explicit)
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _read_toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror or error}; name a TOML file with --config or "
            f"{CONFIG_VARIABLE}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: this is no TOML: {error}; correct the file") from None


def _explain(error: ValidationError, path: Path | None) -> str:
    # The input is left out on purpose: it may be a key.
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0])
        known = name in Settings.model_fields
        variable = f"{ENV_PREFIX}{name.upper()}"
        where = f"{name} ({variable})" if known else f"{name} in {path}"
        reason = (
            problem["msg"].removeprefix("Value error, ") if known else "there is no such setting"
        )
        advice = "" if known else "; known are " + ", ".join(Settings.model_fields)
        lines.append(f"setting {where}: {reason}{advice}")
    return "\n".join(lines)
