"""The configuration becomes a chain, or says why it cannot."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from emily_runtime import config
from emily_runtime.config.sections import Llm
from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import RealClock
from emily_runtime.providers.model import Completion
from emily_runtime.providers.setting_up import chain, windows
from emily_runtime.providers.spending import LIMITS
from tests.runtime.providers.prompts import prompt
from tests.runtime.providers.server import KEY, serving
from tests.runtime.providers.speaking import as_gpt

PRICED = {"mine": (3.0, 15.0)}


def test_without_a_word_only_the_offline_one_is_asked(tmp_path: Path) -> None:
    made, budget = chain(Llm(), {}, tmp_path, RealClock())

    said = asyncio.run(made.complete(prompt()))

    assert (said.provider, said.degraded) == ("offline", False)
    assert tuple(balance.window for balance in budget.balances()) == LIMITS == windows(Llm())


def test_the_order_and_the_key_are_those_of_the_configuration(tmp_path: Path) -> None:
    async def ask() -> Completion:
        async with serving(as_gpt) as server:
            llm = Llm(("openai", "offline"), openai_url=server.address, openai_model="mine")
            made, _ = chain(replace(llm, prices=PRICED), {"openai": KEY}, tmp_path, RealClock())
            said = await made.complete(prompt())
            await made.close()
            return said

    said = asyncio.run(ask())

    assert (said.provider, said.model, said.cost_microdollars) == ("openai", "mine", 141)


@pytest.mark.parametrize(
    ("llm", "code"),
    [
        (Llm(("openai",), openai_model="unheard-of"), "EMY-5012"),
        (Llm(("anthropic",)), "EMY-5013"),
    ],
)
def test_what_could_not_be_called_is_refused(llm: Llm, code: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        chain(llm, {}, tmp_path, RealClock())

    assert refused.value.code == code


def test_prices_are_read_from_the_file(tmp_path: Path) -> None:
    assert config.read(written(tmp_path, "[3, 15.0]")).llm.prices == PRICED


@pytest.mark.parametrize("price", ["3", "[-1, 2]", "[1, 2, 3]", '["1", "2"]'])
def test_what_is_no_price_is_refused(tmp_path: Path, price: str) -> None:
    with pytest.raises(Refused, match="EMY-1004"):
        config.read(written(tmp_path, price))


def written(folder: Path, price: str) -> Path:
    file = folder / "runtime.toml"
    file.write_text(f'[llm.prices]\n"mine" = {price}\n')
    return file
