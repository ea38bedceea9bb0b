"""Settings: every mistake is reported at once, and unsafe combinations do not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwa.settings import TABLE, Settings, SettingsError, settings_from, settings_table


def problems_of(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings_from(environ)
    return refused.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from({}) == Settings()


def test_an_empty_variable_means_its_default() -> None:
    assert settings_from({"TROSKEL_ZONE": " ", "PORT": ""}) == Settings()


def test_every_variable_of_the_table_is_read_into_its_field(tmp_path: Path) -> None:
    environ = {
        "TROSKEL_DATA": str(tmp_path), "PORT": "8123", "TROSKEL_HOST": "0.0.0.0",
        "TROSKEL_PUBLIC_URL": "https://Visits.example/", "TROSKEL_ZONE": "Europe/Helsinki",
        "TROSKEL_SESSION_HOURS": "12", "TROSKEL_WINDOW_BACK_DAYS": "1",
        "TROSKEL_WINDOW_AHEAD_DAYS": "2", "TROSKEL_VISIT_WITHIN_DAYS": "3",
        "TROSKEL_NEW_TENANCY_DAYS": "4", "TROSKEL_LANGUAGES": "sv, ar,sv", "TROSKEL_THREADS": "5",
        "TROSKEL_PROXIES": "1", "TROSKEL_BACKUP": "external", "TROSKEL_KEEP_SENT_DAYS": "6",
    }  # fmt: skip
    settings = settings_from(environ)
    assert {row.name for row in TABLE} == set(environ)
    assert settings == Settings(
        tmp_path, 8123, "0.0.0.0", "https://visits.example", "Europe/Helsinki",
        12, 1, 2, 3, 4, ("sv", "ar"), 5, 1, "external", 6,
    )  # fmt: skip


def test_all_mistakes_are_reported_at_once() -> None:
    problems = problems_of(TROSKEL_TYPO="1", PORT="x", TROSKEL_ZONE="Mars/Base", HOME="/root")
    assert len(problems) == 3
    assert "TROSKEL_TYPO is not a setting" in problems[0]
    assert "PORT is 'x'" in problems[1]
    assert "TROSKEL_ZONE" in problems[2]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٨٠٠٠"),
        ("TROSKEL_HOST", "http://127.0.0.1"),
        ("TROSKEL_HOST", "127.0.0.1:80"),
        ("TROSKEL_PUBLIC_URL", "http://visits.example"),
        ("TROSKEL_PUBLIC_URL", "https://visits.example/troskel"),
        ("TROSKEL_PUBLIC_URL", "visits.example"),
        ("TROSKEL_ZONE", "../etc/passwd"),
        ("TROSKEL_SESSION_HOURS", "0"),
        ("TROSKEL_LANGUAGES", "sv,xx"),
        ("TROSKEL_LANGUAGES", "ar"),
        ("TROSKEL_BACKUP", "none"),
        ("TROSKEL_KEEP_SENT_DAYS", "15"),
    ],
)
def test_an_impossible_value_stops_the_start(variable: str, value: str) -> None:
    assert variable in problems_of(**{variable: value})[0]


def test_a_host_that_others_can_reach_needs_https() -> None:
    assert "TROSKEL_PUBLIC_URL is empty" in problems_of(TROSKEL_HOST="0.0.0.0")[0]
    with pytest.raises(SettingsError):
        Settings(host="10.0.0.1")


def test_an_override_beats_the_environment(tmp_path: Path) -> None:
    settings = settings_from({"PORT": "1", "TROSKEL_DATA": "/nowhere"}, port=2, data=tmp_path)
    assert (settings.port, settings.data) == (2, tmp_path)


def test_the_table_shows_every_setting_and_its_value() -> None:
    table = settings_table(Settings(port=4711))
    assert table.count("\n") == len(TABLE) - 1
    assert all(row.name in table for row in TABLE)
    assert "4711" in table
