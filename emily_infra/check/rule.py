"""What a rule is, and the book of all of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from inspect import cleandoc
from textwrap import dedent

from emily_infra.findings import Explanation, Path, Severity
from emily_infra.spec.host import Fleet, Host


@dataclass(frozen=True)
class Problem:
    """What a rule has to say about one place of one host."""

    at: Path
    message: str
    hint: str
    host: str = ""
    secret: bool = False
    """Whether the place holds what must not be printed."""


class Scope(Enum):
    """What a rule needs to see."""

    HOST = "one host"
    FLEET = "all hosts"


class Standing(Enum):
    """What an operator may do about a finding beside mending it."""

    RISK = "may be acknowledged"
    CONTRADICTION = "cannot be acknowledged"


@dataclass(frozen=True)
class Rule(Explanation):
    """A rule with its story.

    The examples are parts of a host.yaml, laid over the small host `pebble` (those of a fleet rule:
    one part a host, by name). They are printed by `explain` and run as tests.
    """

    standing: Standing
    check: Callable[[Fleet], Iterable[Problem]]
    scope: Scope


RULES: dict[str, Rule] = {}

HostCheck = Callable[[Host], Iterator[Problem]]
FleetCheck = Callable[[Fleet], Iterator[Problem]]


def fleet_rule(
    code: str, severity: Severity, *, wrong: str, right: str, standing: Standing = Standing.RISK
) -> Callable[[FleetCheck], FleetCheck]:
    """Enter a function that looks at all hosts together; its docstring is title and story."""

    def enter(check: FleetCheck) -> FleetCheck:
        _enter(
            Rule(code, severity, *_story(check.__doc__), wrong, right, standing, check, Scope.FLEET)
        )
        return check

    return enter


def host_rule(
    code: str, severity: Severity, *, wrong: str, right: str, standing: Standing = Standing.RISK
) -> Callable[[HostCheck], HostCheck]:
    """Enter a function that looks at one host; its docstring is title and story."""

    def enter(check: HostCheck) -> HostCheck:
        def each(fleet: Fleet) -> Iterator[Problem]:
            for name, host in fleet.items():
                for problem in check(host):
                    yield replace(problem, host=name)

        _enter(
            Rule(code, severity, *_story(check.__doc__), wrong, right, standing, each, Scope.HOST)
        )
        return check

    return enter


def _story(docstring: str | None) -> tuple[str, str]:
    title, _, story = cleandoc(docstring or "").partition("\n\n")
    return title, story


def _enter(rule: Rule) -> None:
    if rule.code in RULES:
        raise ValueError(f"{rule.code} is entered twice")
    RULES[rule.code] = replace(rule, wrong=_plain(rule.wrong), right=_plain(rule.right))


def _plain(example: str) -> str:
    return dedent(example).strip("\n") + "\n"
