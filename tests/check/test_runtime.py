"""Where the runtime is served, and whether it fits."""

import pytest

from tests.hosts import codes, over, pebble, shipped

EMBER = shipped("ember")
TOKEN = "secrets: { token: {} }\n"


def runtime(settings: str) -> str:
    return f"{TOKEN}runtime: {{ token: secret:token, {settings} }}"


@pytest.mark.parametrize(
    ("memory", "fires"), [("511MiB", True), ("512MiB", False), ("512MB", True), ("1GB", False)]
)
def test_half_a_gibibyte_is_the_least(memory: str, fires: bool) -> None:  # noqa: FBT001
    assert ("RUN003" in codes(pebble(runtime(f"memory: {memory}")))) is fires


def test_on_loopback_nobody_has_to_be_let_in() -> None:
    assert not {"RUN001", "RUN002"} & codes(pebble(runtime("language: ko")))


def test_a_dangling_zone_is_said_once() -> None:
    found = codes(pebble(runtime("zone: attic")))

    assert "RUN001" in found
    assert "RUN002" not in found


def test_the_line_must_come_from_the_zone_it_is_served_in() -> None:
    line = "{ from: data, to: host, services: [runtime] }"

    assert "RUN002" in codes(over(EMBER, f"network: {{ allow: [{line}] }}"))


def test_the_service_named_runtime_follows_the_port() -> None:
    assert "RUN002" not in codes(over(EMBER, "runtime: { port: 9000 }"))


def test_the_host_that_ships_serves_those_who_need_it() -> None:
    assert not {code for code in codes(EMBER) if code.startswith("RUN")}
