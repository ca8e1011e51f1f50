"""What the service does without while memory is short, over HTTP, by the kernel's figures."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.mind.runtimes import PING
from tests.runtime.nerves.stalling import figures
from tests.runtime.process import Running, service
from tests.runtime.service.served import Answer, Served

SETTINGS = '[service]\nhost = "127.0.0.1"\nport = 0\n[pressure]\nhold = 0\nperiod = 0.1\n'


@dataclass
class Machine:
    """A service whose memory pressure is what a file says."""

    running: Running
    file: Path

    def ask(self, path: str, body: object = None) -> Answer:
        return Served(self.running.process, self.running.port).ask(f"/api/v1/{path}", body)

    def say(self, text: str) -> Answer:
        return self.ask("stimulus", {"text": text})

    def stalled(self, percent: float, rung: int) -> None:
        """Return when the ladder stands on a rung."""
        self.file.write_text(figures(percent))
        end = time.monotonic() + 15
        while self.ask("status").content["pressure"] != rung:
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.3)  # the door looks four times a second


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("pressure")
    file = folder / "memory.pressure"
    file.write_text(figures(0.0))
    with service(folder, SETTINGS + PING, MEMORY_PRESSURE_WATCH=str(file)) as running:
        yield Machine(running, file)


def problem(answer: Answer) -> tuple[int, Any, str]:
    return answer.status, answer.content["code"], answer.headers["retry-after"]


@pytest.mark.parametrize(("percent", "rung"), [(35.0, 3), (60.0, 4)])
def test_short_of_memory_only_reflexes_answer_and_the_rest_comes_back_later(
    machine: Machine, percent: float, rung: int
) -> None:
    machine.stalled(percent, rung)

    reflex = machine.say("ping")
    turned_away = [machine.say("why is the pool slow?"), machine.ask("memory", {"text": "a key"})]

    assert reflex.content["words"] == "pong"
    assert [problem(one) for one in turned_away] == [(503, "EMY-2015", "5")] * 2
    assert machine.ask("memory/search", {"text": "key"}).status == 503
    assert machine.running.get("/health").startswith("HTTP/1.1 200 ")


def test_whoever_is_turned_away_is_counted_and_the_operator_told(machine: Machine) -> None:
    machine.stalled(60.0, 4)
    for text in ("why?", "when?"):
        machine.say(text)

    metrics = machine.running.get("/metrics")

    shed = next(line for line in metrics.splitlines() if 'shed_total{code="EMY-2015"}' in line)
    assert float(shed.split()[1]) >= 2
    assert "emily_pressure_level 4.0" in metrics


def test_with_memory_back_all_is_as_before(machine: Machine) -> None:
    machine.stalled(60.0, 4)
    machine.stalled(0.0, 0)

    assert machine.say("why is the pool slow?").content["tier"] == "inference"


def test_each_step_is_in_the_journal_with_the_way_back(tmp_path: Path) -> None:
    file = tmp_path / "memory.pressure"
    file.write_text(figures(35.0))
    with service(tmp_path, SETTINGS, MEMORY_PRESSURE_WATCH=str(file)) as running:
        Machine(running, file).stalled(35.0, 3)
        running.process.terminate()
        told = running.process.communicate(timeout=20)[1]

    assert "EMY-7015" in told
    for code in ("09", "10", "11"):
        assert f"EMY-70{code}: memory is short (35.0 % stalled)" in told
    assert "ends by itself below 15.0 %" in told
