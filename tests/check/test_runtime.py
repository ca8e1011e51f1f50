"""Where the runtime is served, and whether it fits."""

import pytest

from emily_infra.findings import dotted
from emily_infra.spec.host import Host
from tests.hosts import codes, findings, over, pebble, shipped

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


def asked(order: str, provider: str) -> Host:
    provider = f"{{ model: m, price: {{ read: 1, written: 1 }}, {provider} }}"
    return pebble(runtime(f"order: [{order}], providers: {{ openai: {provider} }}"))


def said(host: Host, code: str) -> list[tuple[str, str, str]]:
    """Where a rule speaks, what it says, and what it tells to do."""
    return [
        (dotted(found.place), found.message, found.hint)
        for found in findings(host)
        if found.code == code
    ]


def test_who_is_asked_and_not_described_is_named_where_it_stands() -> None:
    host = pebble(runtime("order: [anthropic, offline]"))

    ((place, message, hint),) = said(host, "RUN004")

    assert place == "runtime.order[0]"
    assert message == "anthropic is not under runtime.providers"
    assert "key: secret:anthropic" in hint


def test_nobody_is_asked_twice() -> None:
    assert "RUN004" in codes(asked("openai, offline, openai", "key: secret:token"))


@pytest.mark.parametrize(
    ("order", "fires"), [("openai", False), ("openai, offline", False), ("offline, openai", True)]
)
def test_whoever_stands_behind_offline_is_never_asked(order: str, fires: bool) -> None:  # noqa: FBT001
    assert ("RUN005" in codes(asked(order, "key: secret:token"))) is fires


@pytest.mark.parametrize(
    ("provider", "place"),
    [
        ("key: secret:token", None),
        ("url: 'https://models.example.org/v1'", "runtime.providers.openai"),
        ("url: 'http://10.30.0.5:8000/v1'", None),
        ("url: 'http://localhost:8000/v1'", None),
        ("url: 'http://10.30.0.5:8000/v1', key: secret:token", None),
        ("url: 'http://[fd00::5]:8000', key: secret:token", None),
        ("url: 'http://8.8.8.8/v1', key: secret:token", "runtime.providers.openai.url"),
        ("url: 'http://models.example.org', key: secret:token", "runtime.providers.openai.url"),
    ],
)
def test_a_key_is_there_and_crosses_no_network_in_the_clear(
    provider: str, place: str | None
) -> None:
    found = said(asked("openai, offline", provider), "RUN006")

    assert [where for where, _, _ in found] == ([place] if place else [])


def test_a_flag_of_somebody_unknown_says_who_could_answer_for_it() -> None:
    host = pebble(runtime("flags: { tree: { owner: colt, since: 2026-11-01 } }"))

    ((place, message, hint),) = said(host, "RUN008")

    assert place == "runtime.flags.tree.owner"
    assert message == "colt, who answers for tree, is not one of system.admins"
    assert hint == "write one of them: colter"


@pytest.mark.parametrize(
    ("rungs", "at"),
    [("[5, 15, 30, 50]", []), ("[5, 5, 30, 20]", [1, 3]), ("[9, 8, 7, 6]", [1, 2, 3])],
)
def test_every_step_of_pressure_is_above_the_one_before(rungs: str, at: list[int]) -> None:
    found = said(pebble(runtime(f"pressure: {{ rungs: {rungs} }}")), "RUN009")

    assert [place for place, _, _ in found] == [f"runtime.pressure.rungs[{n}]" for n in at]


@pytest.mark.parametrize(
    ("program", "part"),
    [
        ("grafana", "runtime: { port: 3000, zone: management }"),
        ("sshd", "system: { ssh: { port: 8470 } }"),
    ],
)
def test_its_port_is_nobody_elses(program: str, part: str) -> None:
    ((_, message, _),) = said(over(EMBER, part), "NET001")

    assert program in message
    assert "emily-runtime" in message


def test_a_database_password_that_nobody_declared_is_missed() -> None:
    host = pebble(runtime("postgresql: { password: secret:database }"))

    ((place, message, hint),) = said(host, "SEC002")

    assert place == "runtime.postgresql.password"
    assert "secret:database" in message
    assert hint == "add under secrets: database: {}"
