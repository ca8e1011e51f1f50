"""Words for an answer, asked of a language model with what came to mind."""

from collections.abc import Sequence

from emily_runtime.config import Config
from emily_runtime.mind.acting import Spoken
from emily_runtime.providers.model import Prompt, Provider, Turn

SYSTEM = {
    "en": "Answer in three plain sentences at most, from what is known; say where that ends.",
    "ko": "쉬운 문장 세 개 이내로 답하세요. 알려진 것을 쓰고, 모자라면 모자란다고 하세요.",
}
KNOWN = {"en": "What is known:", "ko": "알려진 것:"}


class Modelled:
    """A voice with a language model, or a chain of them, behind it."""

    def __init__(self, provider: Provider, config: Config) -> None:
        self._provider = provider
        self._config = config

    async def answer(self, asked: str, recalled: Sequence[str], /) -> Spoken:
        """Words for what was asked; Refused where there are none."""
        language = self._config.language
        known = [KNOWN[language], *(f"- {text}" for text in recalled)] if recalled else []
        prompt = Prompt(
            (Turn("user", asked),),
            system="\n".join([SYSTEM[language], *known]),
            most_tokens=self._config.llm.most_tokens,
        )
        found = await self._provider.complete(prompt)
        return Spoken(
            found.text, f"{found.provider} {found.model}", found.cost_microdollars, found.why
        )
