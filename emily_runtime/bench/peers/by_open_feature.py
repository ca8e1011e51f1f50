"""OpenFeature's provider in memory, which knows no shares at all."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

NAMES = ("openfeature-sdk",)


def prepared(identities: int) -> Callable[[], None]:
    """A question for each of so many."""
    memory: Any = import_module("openfeature.provider.in_memory_provider")
    context: Any = import_module("openfeature.evaluation_context").EvaluationContext
    api: Any = import_module("openfeature.api")
    flag = memory.InMemoryFlag("on", {"on": True, "off": False})
    api.set_provider(memory.InMemoryProvider({"recall": flag}))
    client = api.get_client()
    names = [f"id-{number}" for number in range(identities)]

    def work() -> None:
        for name in names:
            client.get_boolean_value(
                "recall", default_value=False, evaluation_context=context(name)
            )

    return work
