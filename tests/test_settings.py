import os
from pathlib import Path

import pytest
from api_keys import ADMIN, FEED, READ, READ_KEY

from index.errors import SettingsError
from search.settings import Settings, is_loopback, load_settings


def _file(folder: Path, text: str) -> Path:
    path = folder / "nutgraf.toml"
    path.write_text(text, "utf-8")
    return path


def test_every_setting_says_what_it_does() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _file(tmp_path, 'store = "of-the-file"\nport = 1111\nhost = "::1"\n')
    monkeypatch.setenv("NUTGRAF_STORE", "of-the-environment")
    monkeypatch.setenv("NUTGRAF_PORT", "2222")
    settings = load_settings(file, port=3333, store=None)
    assert (settings.host, str(settings.store), settings.port) == (
        "::1",
        "of-the-environment",
        3333,
    )


def test_the_file_is_found_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUTGRAF_CONFIG", str(_file(tmp_path, "port = 1111\n")))
    assert load_settings().port == 1111


def test_without_anything_given_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.store, settings.host, settings.keys) == (
        Path("nutgraf-store"),
        "127.0.0.1",
        (),
    )


def test_keys_come_as_a_list_in_the_file_and_with_commas_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _file(tmp_path, f'api_keys = ["{READ.entry}", "{FEED.entry}"]\n')
    assert load_settings(file).keys == (READ, FEED)
    monkeypatch.setenv(
        "NUTGRAF_API_KEYS",
        f"{FEED.entry}, admin:{ADMIN.digest.hex().upper()},",
    )
    assert load_settings(file).keys == (FEED, ADMIN)


@pytest.mark.parametrize("entry", [READ_KEY, "correct-horse-battery", f"read:{READ_KEY}"])
def test_a_key_itself_is_refused_with_advice_and_not_repeated(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUTGRAF_API_KEYS", f"{READ.entry},{entry}")
    with pytest.raises(SettingsError, match=r"NUTGRAF_API_KEYS.*nutgraf key --scope") as refused:
        load_settings()
    assert entry not in str(refused.value)


def test_the_key_to_send_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUTGRAF_KEY", READ_KEY)
    assert load_settings().key_to_send == READ_KEY
    assert READ_KEY not in repr(load_settings())
    monkeypatch.setenv("NUTGRAF_KEY", "guess-me")
    with pytest.raises(SettingsError, match=r"NUTGRAF_KEY.*nutgraf key") as refused:
        load_settings()
    assert "guess-me" not in str(refused.value)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "news.example",
        "https://news.example/",
        "https://News.example",
        "ftp://x.example",
    ],
)
def test_what_a_browser_never_sends_as_its_origin_is_refused(
    origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "NUTGRAF_CORS_ORIGINS", f"https://news.example,http://localhost:3000,{origin}"
    )
    with pytest.raises(SettingsError, match=r"NUTGRAF_CORS_ORIGINS.*no origin"):
        load_settings()


def test_a_wrong_value_names_the_setting_and_what_it_must_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NUTGRAF_PORT", "70000")
    with pytest.raises(SettingsError, match=r"setting port \(NUTGRAF_PORT\).*65535"):
        load_settings()


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cuda:0 ", ""])
def test_what_torch_does_not_call_a_device_is_refused(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUTGRAF_DEVICE", device)
    with pytest.raises(SettingsError, match=r"setting device \(NUTGRAF_DEVICE\).*cuda"):
        load_settings()


def test_an_unknown_setting_in_the_file_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"prot in .*nutgraf.toml.*known are store, model"):
        load_settings(_file(tmp_path, "prot = 80\n"))


@pytest.mark.parametrize(("text", "reason"), [("port =", "no TOML"), (None, "No such file")])
def test_a_file_that_cannot_be_read_is_named(text: str | None, reason: str, tmp_path: Path) -> None:
    path = _file(tmp_path, text) if text else tmp_path / "absent.toml"
    with pytest.raises(SettingsError, match=f"{path.name}.*{reason}"):
        load_settings(path)


def test_variables_of_other_programs_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUTGRAF_DATA", "/somewhere")
    monkeypatch.setenv("PORT", "1")
    assert load_settings().port == 8000
    assert os.environ["PORT"] == "1"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_only_what_this_machine_alone_reaches_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
