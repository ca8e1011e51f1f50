"""What host.yaml says of the runtime arrives in the service, which reads it with its own eyes."""

from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import pytest

from emily_infra.spec.host import Host
from emily_runtime.config import Config, read
from emily_runtime.flags.table import from_config
from emily_runtime.mind.runtime import Runtime
from emily_runtime.nerves.clock import VirtualClock
from tests.hosts import over, pebble, shipped
from tests.render.evaluated import module

EMBER = shipped("ember")
ALONE = "runtime: { token: secret:token }\nsecrets: { token: {} }\n"
MODELS = """
runtime:
  order: [openai, anthropic]
  providers:
    anthropic: { key: secret:a, model: claude-sonnet-4-5, price: { read: 3, written: 15 } }
    openai: { url: "http://127.0.0.1:8000/v1", model: q/tiny.8b, price: { read: 0, written: 0 } }
  budget: { hour: 2.5, day: 20 }
  limits: { rate: 50, concurrency: 8, tokens: 900, patience: 1500ms }
"""
DATABASE = """
runtime:
  postgresql: { url: "postgresql://emily@10.30.0.5:5433/emily?sslmode=require", password: secret:p }
"""


def settings(host: Host, folder: Path) -> Config:
    file = folder / "runtime.toml"
    file.write_text(module(host, "runtime")["environment"]["etc"]["emily/runtime.toml"]["text"])
    return read(file)


def credentials(host: Host) -> dict[str, str]:
    unit = module(host, "runtime")["systemd"]["services"]["emily-runtime@"]["serviceConfig"]
    return dict(line.split(":", 1) for line in unit["LoadCredential"])


def test_what_is_left_out_is_as_the_service_has_it(tmp_path: Path) -> None:
    found = settings(pebble(ALONE), tmp_path)

    assert found == Config(file=found.file)


def test_models_are_asked_in_the_order_that_is_written(tmp_path: Path) -> None:
    host = over(EMBER, MODELS)

    llm = settings(host, tmp_path).llm

    assert llm.order == ("openai", "anthropic")
    assert (llm.openai_url, llm.openai_model) == ("http://127.0.0.1:8000/v1", "q/tiny.8b")
    assert llm.anthropic_model == "claude-sonnet-4-5"
    assert (llm.hourly_dollars, llm.daily_dollars) == (2.5, 20)
    assert llm.prices == {"claude-sonnet-4-5": (3, 15), "q/tiny.8b": (0, 0)}


def test_limits_are_the_services_own(tmp_path: Path) -> None:
    found = settings(over(EMBER, MODELS), tmp_path)

    assert (found.service.rate, found.service.concurrency) == (50, 8)
    assert (found.llm.most_tokens, found.llm.seconds) == (900, 1.5)


def test_each_key_is_handed_over_by_the_name_that_is_asked_for(tmp_path: Path) -> None:
    host = over(EMBER, MODELS + DATABASE.replace("runtime:", "", 1))

    found = settings(host, tmp_path)

    assert found.credentials == {"anthropic": "provider-anthropic", "postgresql": "postgresql"}
    assert credentials(host) == {
        "token": "/run/secrets/runtime-token",
        "provider-anthropic": "/run/secrets/a",
        "postgresql": "/run/secrets/p",
    }


def test_episodes_go_to_the_database_that_is_named(tmp_path: Path) -> None:
    memory = settings(over(EMBER, DATABASE), tmp_path).memory

    assert (memory.store, memory.connections) == ("postgresql", 4)
    assert memory.dsn == "postgresql://emily@10.30.0.5:5433/emily?sslmode=require"


def test_without_an_address_the_database_is_that_of_the_host(tmp_path: Path) -> None:
    memory = settings(over(EMBER, "runtime: { postgresql: {} }"), tmp_path).memory

    assert (memory.store, memory.dsn, memory.password) == ("postgresql", "", "")


def test_flags_are_what_the_service_takes_them_for(tmp_path: Path) -> None:
    told = "{ owner: colter, since: 2026-11-01, share: 12.34, identities: [jihyun, '한 \"명\"'] }"
    host = over(EMBER, f"runtime: {{ flags: {{ tree-planner: {told} }} }}")

    (flag,) = from_config(settings(host, tmp_path).flags)

    assert (flag.name, flag.owner, flag.since) == ("tree-planner", "colter", date(2026, 11, 1))
    assert (flag.share, flag.killed) == (1234, False)
    assert flag.identities == {"jihyun", '한 "명"'}


def test_the_steps_of_pressure_arrive(tmp_path: Path) -> None:
    text = "runtime: { pressure: { rungs: [1, 2.5, 10, 40], release: 80, hold: 500ms } }"

    pressure = settings(over(EMBER, text), tmp_path).pressure

    found = {one.name: getattr(pressure, one.name) for one in fields(pressure)}
    del found["period"]  # how often the service looks is its own
    assert list(found.values()) == [1, 2.5, 10, 40, 0.8, 0.5]


@pytest.mark.parametrize("part", [MODELS, DATABASE, ""], ids=["models", "database", "as shipped"])
def test_the_parts_of_the_service_work_together_with_it(part: str, tmp_path: Path) -> None:
    config = settings(over(EMBER, part), tmp_path)
    given = dict.fromkeys(config.credentials, "a-key")

    runtime = Runtime.built(config, VirtualClock(), tmp_path, given)

    assert runtime.config == replace(config, file=config.file)


@pytest.mark.parametrize(
    ("part", "more"),
    [
        (MODELS.replace("order: [openai, anthropic]", "order: [openai]").replace(
            "    anthropic: { key: secret:a, model: claude-sonnet-4-5, "
            "price: { read: 3, written: 15 } }\n", ""), []),
        (DATABASE.replace("10.30.0.5", "172.16.0.9"), ["172.16.0.9"]),
    ],
    ids=["on this host", "at an address"],
)  # fmt: skip
def test_a_server_at_an_address_is_all_it_may_reach_beside_its_callers(
    part: str, more: list[str]
) -> None:
    unit = module(over(EMBER, part), "runtime")["systemd"]["services"]["emily-runtime@"]

    assert unit["serviceConfig"]["IPAddressAllow"] == ["localhost", "10.30.0.0/24", *more]


def test_a_server_with_a_name_may_be_anywhere() -> None:
    named = over(EMBER, DATABASE.replace("10.30.0.5", "db.example.org"))

    unit = module(named, "runtime")["systemd"]["services"]["emily-runtime@"]

    assert "IPAddressAllow" not in unit["serviceConfig"]
