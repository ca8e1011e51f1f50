"""host.yaml as a whole."""

import pytest

from emily_infra.spec.load import parse
from tests.hosts import ROOT


@pytest.mark.parametrize("version", ["true", "1.0", "2", "'1'", "null"])
def test_only_the_number_1_is_a_version(version: str) -> None:
    text = (ROOT / "hosts/pebble/host.yaml").read_text().replace("emily: 1", f"emily: {version}")

    host, found = parse("pebble", "host.yaml", text.encode())

    assert host is None
    assert [finding.place for finding in found] == [("emily",)]
