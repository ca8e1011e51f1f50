"""The sections of the configuration file, each setting with its default and its kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from emily_runtime.config.kinds import (
    ADDRESS,
    CREDENTIAL,
    DAY,
    FIVE,
    PORT,
    PRICES,
    SHARE,
    SLOTS,
    SQUARE,
    URL,
    YES_OR_NO,
    number,
    one_of,
    setting,
    some_of,
    strings,
    text,
    whole,
    words,
)
from emily_runtime.messages import Language

TROUBLE = """
alarm broken corrupt crash crashed danger degraded down error fail failed failing fails failure
fault fire lost offline overheating panic smoke stuck unreachable
고장 오류 실패 위험 장애 중단 화재
"""
QUESTION = """
how what when where which who why
누가 무엇 어디 어떻게 언제 왜
"""
Five = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Service:
    """Where it listens, and in which language it speaks."""

    host: str = setting("127.0.0.1", ADDRESS)
    port: int = setting(8470, PORT)
    language: Language = setting("en", one_of("en", "ko"))
    rate: float = setting(200.0, number(0.1, 1e6), reloads=True)
    """Requests per second of one caller, over a while."""
    concurrency: int = setting(64, whole(1, 4096), reloads=True)
    """Requests at work at once; the next ones are told to come back."""


@dataclass(frozen=True)
class Providers:
    """The credential that holds each provider's key; without one it is not called."""

    anthropic: str = setting("", CREDENTIAL)
    openai: str = setting("", CREDENTIAL)


@dataclass(frozen=True)
class Alpha:
    """Tier 1's rhythm: h(t) = power (1 + cos(2 pi frequency t + phi)) / 2."""

    frequency: float = setting(8.0, number(0.5, 50))
    power: float = setting(0.5, SHARE)
    gamma_frequency: float = setting(56.0, number(0.5, 1000))
    reset_threshold: float = setting(0.8, number(0.001, 1000))


@dataclass(frozen=True)
class Substrate:
    """Five opponent processes, in the order dopamine to norepinephrine; rates per second."""

    rate: Five = setting((0.5,) * 5, FIVE)
    opponent_rate: Five = setting((0.05,) * 5, FIVE)
    opposition: Five = setting((0.6,) * 5, FIVE)
    coupling: tuple[Five, ...] = setting(((0.0,) * 5,) * 5, SQUARE)
    setpoint_rate: float = setting(0.002, number(0, 1))
    lowest: float = setting(0.1, SHARE)
    highest: float = setting(0.9, SHARE)


@dataclass(frozen=True)
class Workspace:
    """Ignition, habituation and how long a loser waits."""

    steepness: float = setting(12.0, number(0, 1e4))
    recurrence: float = setting(0.6, number(0, 1e4))
    threshold: float = setting(0.7, number(0, 1e4))
    habituation: float = setting(0.3, SHARE)
    recovery: float = setting(10.0, number(0.001, 1e6))
    """Seconds."""
    novelty: float = setting(0.5, SHARE)
    retention: float = setting(0.7, SHARE)
    patience: int = setting(3, whole(0, 1000))
    """Cycles."""


@dataclass(frozen=True)
class Inference:
    """How policies are weighed, and which words are evidence."""

    precision: float = setting(4.0, number(0.001, 1e5), reloads=True)
    horizon: int = setting(3, whole(1, 3), reloads=True)
    looks: int = setting(1, whole(0, 10), reloads=True)
    reliability: float = setting(0.85, SHARE, reloads=True)
    persistence: float = setting(0.9, SHARE, reloads=True)
    good: float = setting(2.0, number(0.001, 100), reloads=True)
    """ln preference over a neutral result, nats."""
    bad: float = setting(-3.0, number(-100, -0.001), reloads=True)
    trouble: frozenset[str] = setting(frozenset(TROUBLE.split()), words(), reloads=True)
    question: frozenset[str] = setting(frozenset(QUESTION.split()), words(), reloads=True)


@dataclass(frozen=True)
class Gflownet:
    """How many hypotheses a broadcast gets, and how greedily."""

    count: int = setting(5, whole(1, 1000), reloads=True)
    temperature: float = setting(1.0, number(0.001, 1000), reloads=True)


TOPICS = ("alert", "beat", "broadcast", "incident", "pressure", "reflex", "reply", "stimulus")
"""What is said for others than the mind's own parts."""


@dataclass(frozen=True)
class Bus:
    """Messages that each topic holds, and the topics that are kept on the disk, too."""

    slots: int = setting(1024, SLOTS)
    durable: tuple[str, ...] = setting(("alert", "incident", "pressure"), some_of(*TOPICS))


@dataclass(frozen=True)
class Memory:
    """Where episodes are kept, and how many are called up."""

    store: str = setting("sqlite", one_of("sqlite", "postgresql"))
    dsn: str = setting("", text("a connection string of PostgreSQL, without its password"))
    password: str = setting("", CREDENTIAL)
    """The credential that holds PostgreSQL's password; without one, it knows us by our user."""
    connections: int = setting(4, whole(1, 64))
    recall: int = setting(3, whole(0, 20), reloads=True)


@dataclass(frozen=True)
class Llm:
    """Which language models are asked, in which order, and what they may cost."""

    order: tuple[str, ...] = setting(("offline",), some_of("anthropic", "openai", "offline"))
    hourly_dollars: float = setting(10.0, number(0, 1e6))
    daily_dollars: float = setting(100.0, number(0, 1e6))
    most_tokens: int = setting(512, whole(1, 100_000), reloads=True)
    seconds: float = setting(30.0, number(0.1, 600))
    anthropic_url: str = setting("https://api.anthropic.com", URL)
    anthropic_model: str = setting("", text("the name of a model"))
    openai_url: str = setting("https://api.openai.com/v1", URL)
    openai_model: str = setting("", text("the name of a model"))
    prices: Mapping[str, tuple[float, float]] = setting({}, PRICES)
    """Dollars for a million tokens, by model; those of well-known models are known."""


@dataclass(frozen=True)
class Flag:
    """A feature that is on for a share of identities."""

    share: float = setting(0.0, number(0, 100), reloads=True)
    """Percent."""
    identities: tuple[str, ...] = setting((), strings("a list of identities"), reloads=True)
    killed: bool = setting(default=False, kind=YES_OR_NO, reloads=True)
    owner: str = setting("", text("who answers for it"), reloads=True)
    since: str = setting("", DAY, reloads=True)


@dataclass(frozen=True)
class Reflex:
    """What is answered at once when all of its words are said loudly enough."""

    reply: str = setting("", text("what to reply"), reloads=True)
    words: frozenset[str] = setting(frozenset(), words(), reloads=True)
    intensity: float = setting(0.0, number(0, 1000), reloads=True)


@dataclass(frozen=True)
class Pressure:
    """The rungs of the ladder: per cent of ten seconds in which some task waited for memory."""

    first: float = setting(5.0, number(0.1, 100))
    second: float = setting(15.0, number(0.1, 100))
    third: float = setting(30.0, number(0.1, 100))
    fourth: float = setting(50.0, number(0.1, 100))
    release: float = setting(0.5, number(0.01, 0.99))
    """A rung is left below this share of what it is entered at."""
    hold: float = setting(10.0, number(0, 3600))
    """Seconds below, for each rung down."""
    period: float = setting(2.0, number(0.05, 60))
    """Seconds between two looks while any rung is entered."""
