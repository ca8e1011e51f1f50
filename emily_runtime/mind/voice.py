"""Words for an answer, asked of a language model with what came to mind."""

from collections.abc import Sequence

from emily_runtime.config import Config
from emily_runtime.mind.acting import Spoken
from emily_runtime.mind.metrics import Metrics
from emily_runtime.providers.model import Completion, Prompt, Provider, Turn
from emily_runtime.providers.spending import DOLLAR

SYSTEM = {
    "en": "Answer in three plain sentences at most, from what is known; say where that ends.",
    "ko": "쉬운 문장 세 개 이내로 답하세요. 알려진 것을 쓰고, 모자라면 모자란다고 하세요.",
}
KNOWN = {"en": "What is known:", "ko": "알려진 것:"}


class Modelled:
    """A voice with a language model, or a chain of them, behind it."""

    def __init__(self, provider: Provider, config: Config, metrics: Metrics) -> None:
        self._provider = provider
        self._config = config
        self._metrics = metrics

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
        self._count(found)
        return Spoken(
            found.text, f"{found.provider} {found.model}", found.cost_microdollars, found.why
        )

    def _count(self, found: Completion) -> None:
        counter, name = self._metrics.counter, found.provider
        outcome = "degraded" if found.degraded else "answered"
        counter("emily_llm_requests_total", name, outcome).inc()
        counter("emily_llm_tokens_total", name, "in").inc(found.input_tokens)
        counter("emily_llm_tokens_total", name, "out").inc(found.output_tokens)
        counter("emily_llm_cost_dollars_total", name).inc(found.cost_microdollars / DOLLAR)
