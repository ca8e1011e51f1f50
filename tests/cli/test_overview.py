"""The overview of a host whose data goes to more than one place."""

import pytest

from emily_infra.cli.overview import overview
from tests.hosts import pebble
from tests.render.test_host_json import ALL


def test_the_overview_names_every_copy_and_every_second_host(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")

    overview(pebble(ALL))

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["tank/home", "/srv/home", "128KiB", "daily", "shed,", "barn"] in rows
    assert [
        "barn",
        "to",
        "barn.example.org",
        "backup/pebble",
        "hourly",
        "as",
        "said",
        "there",
    ] in rows
    assert any(row[:4] == ["ember", "from", "ember", "tank/ember"] for row in rows)
