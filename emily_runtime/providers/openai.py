"""Chat completions as OpenAI defined them and others speak them: vLLM, llama.cpp, SGLang."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from emily_runtime.providers.dialect import Said, Told, Unlike
from emily_runtime.providers.model import Ending, Prompt

ENDINGS: Mapping[str, Ending] = {"length": "length"}
DONE = "[DONE]"


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int = 0


class _Text(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Text = field(default_factory=_Text)
    delta: _Text = field(default_factory=_Text)
    finish_reason: str | None = None


class _Error(Struct):
    message: str = ""


class _Answer(Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | str | None = None


_answer = msgspec.json.Decoder(_Answer)


class OpenAi:
    """The dialect; LIMIT is what a server calls the most tokens (newer models have their own)."""

    path = "/chat/completions"

    def __init__(self, limit: str = "max_tokens") -> None:
        self._limit = limit

    def headers(self, key: str) -> dict[str, str]:
        """A local server may want no key."""
        return {"authorization": f"Bearer {key}"} if key else {}

    def request(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The system prompt is the first message."""
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        turns = [{"role": turn.role, "content": turn.text} for turn in prompt.messages]
        optional = {"temperature": prompt.temperature, "stop": list(prompt.stop) or None}
        return {
            "model": model,
            self._limit: prompt.most_tokens,
            "messages": [*system, *turns],
        } | {name: value for name, value in optional.items() if value is not None}

    def streaming(self) -> dict[str, Any]:
        """Tokens are counted only where that is asked for."""
        return {"stream": True, "stream_options": {"include_usage": True}}

    def answer(self, body: bytes) -> Said:
        """The first choice."""
        answer = _decoded(body)
        if not answer.choices:
            raise Unlike("it holds no choice")
        said = Said(answer.choices[0].message.content or "", is_done=True)
        _note(answer, said)
        return said

    def heard(self, data: str, said: Said) -> str:
        """The last event but one counts the tokens and holds no choice."""
        if data.strip() == DONE:
            said.is_done = True
            return ""
        answer = _decoded(data)
        if answer.error is not None:
            raise Told(answer.error if isinstance(answer.error, str) else answer.error.message)
        _note(answer, said)
        text = (answer.choices[0].delta.content or "") if answer.choices else ""
        said.text += text
        return text


def _decoded(data: bytes | str) -> _Answer:
    try:
        return _answer.decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Unlike(str(error)) from None


def _note(answer: _Answer, said: Said) -> None:
    if answer.usage is not None:
        said.input_tokens = answer.usage.prompt_tokens
        said.output_tokens = answer.usage.completion_tokens
    if answer.choices and answer.choices[0].finish_reason:
        said.ending = ENDINGS.get(answer.choices[0].finish_reason, "end")
