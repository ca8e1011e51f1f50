"""The option checker reports what is wrong and nothing else."""

import json
from pathlib import Path

from tests.nixos import HERE, checker


def test_each_wrong_setting_is_reported_and_no_right_one() -> None:
    case = json.loads((HERE / "selftest.json").read_text())

    found = {path: code for path, code, _ in checker().check(case["module"])}

    assert found == case["wrong"]


def test_options_are_counted_where_they_are_declared() -> None:
    module = {
        "networking": {"hostId": "8425e349", "nftables": {"enable": True, "tables": {"a": {}}}}
    }

    assert checker().count(module) == 3


def test_the_schema_is_that_of_one_release() -> None:
    release = json.loads(Path(HERE / "options.json").read_text())["release"]

    assert "26.11" in release
