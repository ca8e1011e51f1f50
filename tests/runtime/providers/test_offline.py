"""The provider that needs nothing gives the same answer each time, and counts."""

import asyncio
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.providers.model import Completion, Part
from emily_runtime.providers.offline import Offline, count, tokens
from tests.runtime.providers.prompts import prompt

SAID = """
import asyncio, socket, sys
socket.socket.connect = socket.getaddrinfo = None
from emily_runtime.providers.offline import Offline
from tests.runtime.providers.prompts import prompt
print(asyncio.run(Offline().complete(prompt())).text)
assert "httpx2" not in sys.modules
"""


def answer(
    text: str = "why is the tank slow?", most_tokens: int = 512, stop: tuple[str, ...] = ()
) -> Completion:
    return asyncio.run(Offline().complete(prompt(text, most_tokens=most_tokens, stop=stop)))


async def streamed() -> list[Part]:
    return [part async for part in Offline().stream(prompt())]


def test_another_process_without_a_network_says_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True)

    assert done.stdout == answer().text + "\n"


def test_another_question_gets_another_answer_that_speaks_of_it() -> None:
    answers = {answer(f"why is pool{number} slow?").text for number in range(50)}

    assert len(answers) > 45
    assert any("pool" in text for text in answers)


def test_who_asks_in_korean_is_answered_in_korean() -> None:
    assert any("가" <= letter <= "힣" for letter in answer("디스크가 왜 느립니까?").text)


@given(st.text())
def test_tokens_are_the_text_in_pieces(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_what_is_read_and_written_is_counted() -> None:
    said = answer("four small words here")

    assert said.input_tokens == 4
    assert said.output_tokens == count(said.text)
    assert (said.cost_microdollars, said.ending, said.degraded) == (0, "end", False)


@pytest.mark.parametrize("most", [1, 5, 12])
def test_no_more_than_the_most_tokens_are_written(most: int) -> None:
    said = answer(most_tokens=most)

    assert (said.output_tokens, said.ending) == (most, "length")
    assert answer(most_tokens=most + 1).text != said.text


def test_it_stops_before_a_stop_sequence() -> None:
    said = answer(stop=("never said", "."))

    assert said.ending == "stop"
    assert "." not in said.text


def test_a_stream_is_the_answer_in_tokens_and_then_the_whole() -> None:
    *parts, whole = asyncio.run(streamed())

    assert isinstance(whole, Completion)
    assert "".join(map(str, parts)) == whole.text
    assert len(parts) == whole.output_tokens
    assert whole == answer()
