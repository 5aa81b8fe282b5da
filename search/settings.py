"""What can be set from outside: one model, read from `NUTGRAF_*` and an optional TOML file.

A command-line option wins over the environment, the environment over the file, the file over the
default. Below this module everything takes plain arguments.
"""

import ipaddress
import os
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

ENV_PREFIX = "NUTGRAF_"
CONFIG_VARIABLE = "NUTGRAF_CONFIG"

# Below this a key can be guessed over HTTP; `secrets.token_urlsafe()` gives 43 characters.
LEAST_KEY_LENGTH = 16
NEW_KEY_ADVICE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe())"'


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
    host: str = Field("127.0.0.1", min_length=1, description="Address that `serve` listens on.")
    port: int = Field(
        8000, ge=0, le=65535, description="Port that `serve` listens on; 0: any free one."
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys that may write (`Authorization: Bearer KEY`), separated by commas; in "
        "the file a list. None: only this machine may write.",
    )
    max_body_mb: int = Field(
        64, gt=0, le=4096, description="Largest request body that `serve` takes, in MiB."
    )
    read_only: bool = Field(False, description="`serve` answers questions and takes no articles.")

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [key for key in (part.strip() for part in value.split(",")) if key]
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_hard_to_guess(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            secret = key.get_secret_value()
            # A header carries visible ASCII; anything else could never match.
            if len(secret) < LEAST_KEY_LENGTH or not (secret.isascii() and secret.isprintable()):
                raise ValueError(
                    f"a key needs {LEAST_KEY_LENGTH} or more plain ASCII characters; "
                    f"{NEW_KEY_ADVICE}"
                )
        return keys

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys as plain strings."""
        return tuple(key.get_secret_value() for key in self.api_keys)


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
