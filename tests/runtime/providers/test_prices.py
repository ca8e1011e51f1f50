"""What a model costs is known, or it is not called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.messages import Refused
from emily_runtime.providers.model import Prompt, Turn
from emily_runtime.providers.offline import count
from emily_runtime.providers.prices import Price, most_input_tokens, price


@pytest.mark.parametrize(
    ("model", "told", "known"),
    [
        ("claude-sonnet-4-5", {}, Price(3_000_000, 15_000_000)),
        ("claude-sonnet-4-5-20250929", {}, Price(3_000_000, 15_000_000)),
        ("gpt-4o-mini-2024-07-18", {}, Price(150_000, 600_000)),
        ("gpt-4o", {"gpt-4o": (1.5, 2.0)}, Price(1_500_000, 2_000_000)),
        ("my-model", {"my-model": (0.0, 0.0)}, Price(0, 0)),
    ],
)
def test_an_edition_costs_what_its_model_costs_unless_told(
    model: str, told: dict[str, tuple[float, float]], known: Price
) -> None:
    assert price(model, told) == known


def test_a_price_that_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(Refused) as refused:
        price("my-model", {})

    assert '"my-model" = [' in refused.value.told("en")


@pytest.mark.parametrize(("read", "wrote", "cost"), [(0, 0, 0), (1, 0, 1), (3, 2, 2)])
def test_a_part_of_a_microdollar_counts_as_one(read: int, wrote: int, cost: int) -> None:
    assert Price(150_000, 600_000).of(read, wrote) == cost


@given(st.lists(st.text()), st.text())
def test_no_text_has_more_tokens_than_are_reckoned_with(texts: list[str], system: str) -> None:
    asked = Prompt(tuple(Turn("user", text) for text in texts), system)

    assert most_input_tokens(asked) >= sum(map(count, [system, *texts]))
