"""The first rule whose words occur answers, at once."""

import pytest

from emily_runtime.tiers.reflex import READ, Rule, match, reflexes
from emily_runtime.tiers.refusals import Refusal

STOP = Rule("stop", "stopping", frozenset({"stop", "now"}))
LOUD = Rule("loud", "what was that", intensity=0.9)
GREETING = Rule("greeting", "hello", frozenset({"hello"}))
TABLE = reflexes([STOP, LOUD, GREETING])


@pytest.mark.parametrize(
    ("text", "intensity", "fires"),
    [
        ("please STOP, now!", 0.0, STOP),
        ("stop", 0.0, None),
        ("nonstop nowhere", 0.0, None),
        ("hello", 0.5, GREETING),
        ("hello", 0.9, LOUD),
        ("stop now, hello", 1.0, STOP),
        ("", 0.0, None),
        ("", 0.9, LOUD),
    ],
)
def test_the_first_rule_of_the_table_whose_words_all_occur_fires(
    text: str, intensity: float, fires: Rule | None
) -> None:
    assert match(TABLE, text, intensity) == fires


def test_words_are_the_same_in_any_unicode_form() -> None:
    table = reflexes([Rule("멈춤", "멈춥니다", frozenset({"멈춰"}))])
    decomposed = "\u1106\u1165\u11b7\u110e\u116f"

    assert match(table, f"{decomposed}!", 0.0) == table.rules[0]


def test_a_word_torn_by_the_limit_is_no_word() -> None:
    text = "x" + " " * (READ - 6) + "hello there"

    assert match(TABLE, text[:READ], 0.0) == GREETING
    assert match(TABLE, text.replace("hello", "hellos"), 0.0) is None


def test_what_lies_beyond_the_limit_is_not_read() -> None:
    assert match(TABLE, " " * READ + "hello", 0.0) is None


@pytest.mark.parametrize("word", ["", "two words", "Stop", "a-b"])
def test_a_rule_that_could_never_fire_is_refused(word: str) -> None:
    with pytest.raises(Refusal, match="reflex r: "):
        reflexes([Rule("r", "", frozenset({word}))])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(Refusal, match="two reflexes are named stop"):
        reflexes([STOP, STOP])
