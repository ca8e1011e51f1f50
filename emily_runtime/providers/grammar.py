"""The sentences of the offline provider: data, in two languages."""

from collections.abc import Mapping
from typing import NamedTuple


class Grammar(NamedTuple):
    """Sentences with holes, and what fills them."""

    patterns: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    nothing: str
    """What is spoken of where the prompt names nothing."""


ENGLISH = Grammar(
    (
        "{subject} looks like the {part} to begin with.",
        "What is known of {subject} points to {cause}.",
        "Before anything is changed, {check} {subject}.",
        "If {subject} stays {state}, {cause} is the likely {part}.",
        "One would {check} {subject} and see whether it is {state}.",
    ),
    {
        "part": ("place", "cause", "question", "signal"),
        "cause": ("a slow disk", "a full queue", "a late answer", "an old setting", "the load"),
        "check": ("look at", "measure", "compare", "repeat"),
        "state": ("steady", "slow", "quiet", "unchanged"),
    },
    "the matter",
)

KOREAN = Grammar(
    (
        "먼저 살펴볼 것: {subject}.",
        "{subject}에 대해 알려진 것은 {cause} 쪽을 가리킵니다.",
        "바꾸기 전에 다음을 {check}: {subject}.",
        "{state} 상태가 이어지면 {cause}일 수 있습니다: {subject}.",
    ),
    {
        "cause": ("느린 디스크", "가득 찬 대기열", "늦은 응답", "오래된 설정", "부하"),
        "check": ("확인하세요", "재 보세요", "비교하세요", "되풀이하세요"),
        "state": ("같은", "느린", "조용한", "바뀌지 않은"),
    },
    "이 문제",
)
