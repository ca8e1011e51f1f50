"""The cognitive runtime as a service."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from emily_infra.spec.base import Secretive, Shaped, Strict, wrong
from emily_infra.spec.names import PORT, Date, PortNumber, SecretRef, UserName, Word
from emily_infra.spec.units import Duration, Size

OFFLINE: Literal["offline"] = "offline"
"""The provider that needs no network and no key, and is always there."""
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9a-fA-F:.]{2,45}\])" + rf"(?::{PORT})?"
ProviderName = Literal["anthropic", "openai"]
Url = Annotated[
    str,
    Secretive(rf"https?://{_HOST}(?:/[A-Za-z0-9._~/-]{{0,200}})?", "an address without a password",
              "such as http://127.0.0.1:8000/v1; the key belongs under secrets"),
]  # fmt: skip
DatabaseUrl = Annotated[
    str,
    Secretive(rf"(?!.*[?&](?:ssl)?pass)postgresql://(?:[A-Za-z0-9_.-]{{1,63}}@)?{_HOST}"
              r"/[A-Za-z0-9_-]{1,63}(?:\?[A-Za-z0-9_=&./-]{1,200})?",
              "an address of PostgreSQL without a password",
              "such as postgresql://emily@10.30.0.5/emily; the password belongs under secrets"),
]  # fmt: skip
ModelName = Annotated[
    str, Shaped(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}", "a model's name", "as its provider writes it")
]
Identity = Annotated[
    str, Shaped(r"[^\x00-\x1f\x7f]{1,200}", "an identity", "what callers send as identity")
]
Dollars = Annotated[float, Field(ge=0, le=100_000)]
Stalled = Annotated[float, Field(ge=0.1, le=100)]


def _hundredths(share: float) -> float:
    """A share that the service can keep to exactly: it has 10,000 buckets."""
    if abs(round(share * 100) - share * 100) > 1e-6:
        raise wrong(f"{share} is finer than a hundredth of a percent", f"write {share:.2f}")
    return share


class Price(Strict):
    """What a model costs, in dollars for a million tokens."""

    read: Annotated[Dollars, Field(description="Of what it is told.")]
    written: Annotated[Dollars, Field(description="Of what it replies.")]


class Provider(Strict):
    """A language model that somebody serves."""

    model: Annotated[ModelName, Field(description="Which model is asked.")]
    price: Annotated[
        Price, Field(description="What the budget counts; 0 and 0 for a model of one's own.")
    ]
    key: Annotated[
        SecretRef | None,
        Field(description="The file with the API key; only a server of one's own needs none."),
    ] = None
    url: Annotated[
        Url | None, Field(description="Where it is served; nothing means by its maker.")
    ] = None


class Budget(Strict):
    """What language models may cost; a call is made only when its most still fits."""

    hour: Annotated[Dollars, Field(description="Dollars in any hour.")] = 10.0
    day: Annotated[Dollars, Field(description="Dollars in any day.")] = 100.0


class Limits(Strict):
    """What one caller may ask for, and how long a language model may take."""

    rate: Annotated[
        float, Field(ge=0.1, le=100_000, description="Requests a second of one caller.")
    ] = 200.0
    concurrency: Annotated[
        int, Field(ge=1, le=4096, description="Requests at work; the next are told to come back.")
    ] = 64
    tokens: Annotated[
        int, Field(ge=1, le=100_000, description="The most that a language model may write.")
    ] = 512
    patience: Annotated[
        Duration,
        Field(
            ge=Duration.parse("100ms"),
            le=Duration.parse("10min"),
            description="How long a prompt may take, over all providers.",
        ),
    ] = Duration.parse("30s")


class PostgreSql(Strict):
    """Episodes in a database beside the service, such as one that several hosts share."""

    url: Annotated[
        DatabaseUrl | None,
        Field(description="Where; nothing means the database emily on this host, by its socket."),
    ] = None
    password: Annotated[
        SecretRef | None,
        Field(description="The file with the password; on this host the user's name is enough."),
    ] = None
    connections: Annotated[int, Field(ge=1, le=64, description="Of each colour, at most.")] = 4


class Flag(Strict):
    """A feature that is on for a share of identities, always the same ones."""

    owner: Annotated[UserName, Field(description="Who answers for it, one of system.admins.")]
    since: Annotated[Date, Field(description="The day it was introduced; at 90 days it is old.")]
    share: Annotated[
        float,
        Field(ge=0, le=100, description="Percent of identities; whoever has none is in at 100."),
        AfterValidator(_hundredths),
    ] = 0.0
    identities: Annotated[
        tuple[Identity, ...], Field(max_length=1000, description="On for these in any case.")
    ] = ()
    killed: Annotated[bool, Field(description="Off for everybody, whatever else is said.")] = False


class Pressure(Strict):
    """When the service does without something because memory is short."""

    rungs: Annotated[
        tuple[Stalled, ...],
        Field(
            min_length=4,
            max_length=4,
            description="Four steps up: percent of ten seconds in which a task waited for memory.",
        ),
    ] = (5.0, 15.0, 30.0, 50.0)
    release: Annotated[
        int, Field(ge=1, le=99, description="A step is left below so many percent of its figure.")
    ] = 50
    hold: Annotated[
        Duration,
        Field(le=Duration.parse("1h"), description="How long it must be below, for each step."),
    ] = Duration.parse("10s")


class Runtime(Strict):
    """emily-runtime under systemd: one slice, a memory ceiling, a watchdog."""

    token: Annotated[SecretRef, Field(description="The file with the bearer token of the API.")]
    zone: Annotated[
        Word | None, Field(description="Where its API is served; nothing means loopback only.")
    ] = None
    port: Annotated[
        PortNumber,
        Field(ge=1024, description="TCP port of the API, 1024 at least: it has no privileges."),
    ] = 8470
    memory: Annotated[
        Size, Field(description="Hard ceiling; pressure begins at three quarters.")
    ] = Size.parse("4GiB")
    language: Annotated[Literal["en", "ko"], Field(description="Language of its messages.")] = "en"
    limits: Annotated[Limits, Field(description="Of requests.")] = Limits.model_construct()
    pressure: Annotated[Pressure, Field(description="Steps when memory is short.")] = (
        Pressure.model_construct()
    )
    providers: Annotated[
        dict[ProviderName, Provider],
        Field(description="Language models; without any it stays offline."),
    ] = {}
    order: Annotated[
        tuple[Literal["anthropic", "openai", "offline"], ...],
        Field(min_length=1, description="Who is asked first, and who when that one fails."),
    ] = (OFFLINE,)
    budget: Annotated[Budget, Field(description="What they may cost.")] = Budget.model_construct()
    postgresql: Annotated[
        PostgreSql | None,
        Field(description="Where episodes are kept; nothing means SQLite, in a folder of its own."),
    ] = None
    flags: Annotated[
        dict[Word, Flag], Field(max_length=100, description="Feature flags by name.")
    ] = {}


def servers_of(runtime: Runtime) -> tuple[str, ...]:
    """The addresses that it calls by itself; an empty one means a language model's maker."""
    asked = [runtime.providers[name].url or "" for name in sorted(runtime.providers)]
    database = runtime.postgresql
    return (*asked, database.url) if database and database.url else tuple(asked)


def server_address(url: str) -> IPv4Address | IPv6Address | None:
    """The fixed address of a server; nothing where a name stands for it."""
    try:
        host = urlsplit(url).hostname or ""
        return ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return None
