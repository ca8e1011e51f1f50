"""From the configuration to a chain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from emily_runtime.messages import Language, Refused
from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.anthropic import Anthropic
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.chain import Chain
from emily_runtime.providers.dialect import Dialect
from emily_runtime.providers.openai import OpenAi
from emily_runtime.providers.prices import price
from emily_runtime.providers.remote import Remote
from emily_runtime.providers.retrying import Patience
from emily_runtime.providers.site import Key, Site
from emily_runtime.providers.spending import DAY, DOLLAR, HOUR, Window

FILE = "budget.sqlite"
"""In the state directory."""


class Section(Protocol):
    """The section [llm]."""

    @property
    def order(self) -> tuple[str, ...]:
        """Names of providers; what comes after offline is never asked."""

    @property
    def seconds(self) -> float:
        """For one prompt, over all providers."""

    @property
    def hourly_dollars(self) -> float:
        """The limit of an hour."""

    @property
    def daily_dollars(self) -> float:
        """The limit of a day."""

    @property
    def prices(self) -> Mapping[str, tuple[float, float]]:
        """Dollars a million tokens, read and written."""

    @property
    def anthropic_url(self) -> str:
        """Where the Messages API is."""

    @property
    def anthropic_model(self) -> str:
        """Its model."""

    @property
    def openai_url(self) -> str:
        """Where chat completions are."""

    @property
    def openai_model(self) -> str:
        """Its model."""


def windows(llm: Section) -> tuple[Window, ...]:
    """The budget's limits."""
    limits = (("hour", HOUR, llm.hourly_dollars), ("day", DAY, llm.daily_dollars))
    return tuple(Window(name, long, int(dollars * DOLLAR)) for name, long, dollars in limits)


def chain(
    llm: Section, keys: Mapping[str, str], state: Path, clock: Clock, language: Language = "en"
) -> tuple[Chain, Budget]:
    """The chain and its budget, in the folder STATE; Refused where it could not work.

    KEYS are those that there are, by provider: one without a key is asked without one, as a
    server on this machine may want it.
    """
    budget = Budget(state / FILE, windows(llm), clock=clock)
    providers = [Remote(_dialect(site.name, llm), site, clock) for site in sites(llm, keys)]
    return Chain(providers, budget, clock, Patience(seconds=llm.seconds), language), budget


def sites(llm: Section, keys: Mapping[str, str]) -> list[Site]:
    """Where those are that are asked, in their order; Refused where one could not be called."""
    asked = llm.order[: llm.order.index("offline")] if "offline" in llm.order else llm.order
    return [_site(name, llm, keys.get(name, "")) for name in asked]


def _site(name: str, llm: Section, key: str) -> Site:
    address, model = llm.openai_url, llm.openai_model
    if name == "anthropic":
        address, model = llm.anthropic_url, llm.anthropic_model
    if not model:
        raise Refused("EMY-5013", name=name, reason=f"llm.{name}_model names no model")
    return Site(name, address, model, price(model, llm.prices), llm.seconds, Key(key))


def _dialect(name: str, llm: Section) -> Dialect:
    if name == "anthropic":
        return Anthropic()
    # OpenAI's own newer models take the limit by another name only; others know the old one
    return OpenAi("max_completion_tokens" if "api.openai.com" in llm.openai_url else "max_tokens")
