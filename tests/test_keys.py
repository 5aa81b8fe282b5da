import hashlib
import json
import re

import pytest
from api_keys import ADMIN, ADMIN_KEY, API_KEYS, FEED, KEYS, READ, READ_KEY, UNKNOWN_KEY
from conftest import Run

from search.keys import Key, Scope, is_secret, known, new_key
from search.settings import load_settings


def test_each_scope_lets_do_what_those_before_it_do() -> None:
    lets = [[has.lets(needed) for needed in Scope] for has in Scope]
    assert lets == [[True, False, False], [True, True, False], [True, True, True]]


def test_a_new_key_has_256_random_bits_and_is_known_by_its_hash_alone() -> None:
    secret, key = new_key(Scope.FEED)
    assert re.fullmatch(r"ng_[A-Za-z0-9_-]{43}", secret)
    assert is_secret(secret)
    assert key.digest == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(key)
    assert Key.read(key.entry) == key
    assert key.entry.startswith(f"feed:{key.name}")
    assert new_key(Scope.FEED)[0] != secret


def test_a_key_is_found_among_all() -> None:
    assert [known(READ_KEY, KEYS), known(ADMIN_KEY, KEYS)] == [READ, ADMIN]
    assert known(ADMIN_KEY, (READ, FEED)) is None


@pytest.mark.parametrize(
    "sent",
    [
        UNKNOWN_KEY,
        READ_KEY[:-1],
        f"{READ_KEY}x",
        f"{READ_KEY}\n",
        READ_KEY.upper(),
        READ.digest.hex(),  # what the server is told is not what opens it
        READ.entry,
        "",
        "é" * 46,
        "\udcff",
    ],
)
def test_anything_else_is_no_key(sent: str) -> None:
    assert known(sent, KEYS) is None


def test_a_password_that_a_person_chose_is_no_key_even_when_its_hash_is_set() -> None:
    chosen = Key(Scope.ADMIN, hashlib.sha256(b"correct-horse-battery-staple").digest())
    assert known("correct-horse-battery-staple", (chosen,)) is None


@pytest.mark.parametrize(
    "entry", ["", READ_KEY, f"read:{READ_KEY}", "write:" + "0" * 64, "read:" + "0" * 63]
)
def test_an_entry_that_is_none_is_refused_without_being_repeated(entry: str) -> None:
    with pytest.raises(ValueError, match="nutgraf key --scope") as refused:
        Key.read(entry)
    assert not entry or entry not in str(refused.value)


def test_the_command_prints_a_key_once_and_the_line_for_the_server(
    nutgraf: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nutgraf("key", "--scope", "admin")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.splitlines()[0]
    name, _, value = made.stdout.splitlines()[-1].partition("=")
    monkeypatch.setenv(name, f"{API_KEYS},{value}")
    keys = load_settings().keys
    assert known(secret, keys) == keys[-1] == Key.read(value)
    assert keys[-1].scope is Scope.ADMIN


def test_the_command_gives_the_least_scope_and_json_where_asked(nutgraf: Run) -> None:
    made = json.loads(nutgraf("key", "--json").stdout)
    assert known(made["key"], (Key.read(made["entry"]),)) == Key.read(made["entry"])
    assert made["entry"].startswith("read:")
    refused = nutgraf("key", "--scope", "root")
    assert refused.returncode == 2
    assert "read, feed or admin" in refused.stderr
