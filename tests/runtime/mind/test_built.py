"""All parts, as a configuration wants them."""

import asyncio
from pathlib import Path

import pytest

from emily_runtime.config import read
from emily_runtime.messages import Refused
from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.nerves.clock import RealClock


def built(folder: Path, text: str) -> Runtime:
    file = folder / "runtime.toml"
    file.write_text(text)
    return Runtime.built(read(file), RealClock(), folder, {})


def test_without_any_setting_it_is_offline_and_answers(tmp_path: Path) -> None:
    async def answer() -> tuple[str, bool]:
        runtime = built(tmp_path, "")
        await runtime.start()
        reply = await runtime.stimulate(Stimulus("why is the pool slow?"))
        await runtime.stop()
        return reply.provider, reply.degraded

    assert asyncio.run(answer()) == ("offline grammar-1", False)


def test_a_provider_that_is_away_is_passed_over_and_said_to_be(tmp_path: Path) -> None:
    text = (
        "[llm]\norder = ['openai', 'offline']\nopenai_url = 'http://127.0.0.1:9'\n"
        "openai_model = 'tiny'\nseconds = 0.5\nprices = { tiny = [0, 0] }\n"
    )

    async def answer() -> tuple[str, bool, str]:
        runtime = built(tmp_path, text)
        await runtime.start()
        reply = await runtime.stimulate(Stimulus("why is the pool slow?"))
        states = runtime.budget().breakers
        metrics = (await runtime.exposition()).decode()
        await runtime.stop()
        assert states == {"openai": "closed"}
        assert 'emily_llm_requests_total{outcome="degraded",provider="offline"} 1.0' in metrics
        assert 'emily_llm_requests_total{outcome="failed",provider="openai"} 0.0' not in metrics
        assert 'emily_llm_requests_total{outcome="answered",provider="openai"} 0.0' in metrics
        return reply.provider, reply.degraded, reply.why

    provider, is_degraded, why = asyncio.run(answer())

    assert provider == "offline grammar-1"
    assert is_degraded
    assert why.startswith("EMY-5")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[substrate]\nsetpoint_rate = 1\n", "EMY-1007"),
        ("[pressure]\nfirst = 90\n", "EMY-1007"),
        ("[flags.x]\nshare = 1\n", "EMY-6003"),
        ("[llm]\norder = ['openai']\nopenai_model = 'nobody-knows'\n", "EMY-50"),
    ],
)
def test_parts_that_cannot_work_are_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        built(tmp_path, text)
