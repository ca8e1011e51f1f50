"""Rules about the language models that the runtime asks, and what they may cost."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host
from emily_infra.spec.runtime import OFFLINE, Provider, server_address

_MODEL = "model: claude-sonnet-4-5, price: { read: 3, written: 15 }"
_ASKED = f"""\
runtime:
  token: secret:token
  order: [anthropic, offline]
  providers: {{ anthropic: {{ key: secret:key, {_MODEL} }} }}
secrets: {{ token: {{}}, key: {{}} }}
"""


@host_rule(
    "RUN004",
    Severity.ERROR,
    wrong="runtime: { token: secret:token, order: [anthropic, offline] }\nsecrets: { token: {} }",
    right=_ASKED,
    standing=Standing.CONTRADICTION,
)
def who_is_asked_is_described(host: Host) -> Iterator[Problem]:
    """runtime.order names a provider that is not described

    Each name in the order stands for an entry under runtime.providers, with its model, its price
    and its key; `offline` needs none. The runtime does not start with a provider it knows nothing
    of. A name that stands twice would be asked again right after it failed.
    """
    runtime = host.spec.runtime
    if not runtime:
        return
    for index, name in enumerate(runtime.order):
        at = ("runtime", "order", index)
        if name in runtime.order[:index]:
            yield Problem(at=at, message=f"{name} stands here twice", hint="delete the second one")
        elif name != OFFLINE and name not in runtime.providers:
            yield Problem(
                at=at,
                message=f"{name} is not under runtime.providers",
                hint=f"add there {name}: {{ key: secret:{name}, model: ..., price: {{ read: ..., "
                f"written: ... }} }}, or remove {name} here",
            )


@host_rule(
    "RUN005",
    Severity.WARNING,
    wrong=_ASKED.replace("[anthropic, offline]", "[offline, anthropic]"),
    right=_ASKED,
)
def whoever_is_described_is_asked(host: Host) -> Iterator[Problem]:
    """A language model is described and never asked

    The runtime asks by runtime.order alone, which is `[offline]` unless it is said, and offline
    always answers: whoever stands behind it, or not at all, is never asked. Its key is handed to
    the service all the same.
    """
    runtime = host.spec.runtime
    if not runtime:
        return
    until = runtime.order.index(OFFLINE) if OFFLINE in runtime.order else len(runtime.order)
    for name in sorted(runtime.providers.keys() - set(runtime.order[:until])):
        order = ", ".join([*runtime.order[:until], name, OFFLINE])
        yield Problem(
            at=("runtime", "providers", name),
            message=f"{name} is never asked: it does not stand in runtime.order before {OFFLINE}",
            hint=f"write order: [{order}]",
        )


@host_rule(
    "RUN006",
    Severity.ERROR,
    wrong=_ASKED.replace("key: secret:key, ", "").replace(", key: {}", ""),
    right=_ASKED,
    standing=Standing.CONTRADICTION,
)
def a_provider_has_its_key(host: Host) -> Iterator[Problem]:
    """A language model is asked without its credential, or would tell it to everybody

    Providers answer nobody without a key, so each call would fail and cost its time. Only a server
    of one's own, at a private address, may need none. A key that goes to anywhere else by http
    instead of https can be read on the way; the runtime refuses to start so.
    """
    for name, provider in host.spec.runtime.providers.items() if host.spec.runtime else ():
        at = ("runtime", "providers", name)
        if not provider.key and not _is_near(provider):
            yield Problem(
                at=at,
                message=f"{name} has no key",
                hint=f"add key: secret:{name} here, and {name}: {{}} under secrets",
            )
        if provider.key and not _is_near(provider) and (provider.url or "").startswith("http:"):
            yield Problem(
                at=(*at, "url"),
                message=f"the key of {name} would cross the network unencrypted",
                hint="write https:// instead of http://",
            )


def _is_near(provider: Provider) -> bool:
    """Whether it is served at an address that no stranger can have."""
    address = server_address(provider.url or "")
    return address is not None and address.is_private


@host_rule(
    "RUN007",
    Severity.WARNING,
    wrong="runtime: { token: secret:token, budget: { hour: 100, day: 10 } }\n"
    "secrets: { token: {} }",
    right="runtime: { token: secret:token, budget: { hour: 10, day: 100 } }\n"
    "secrets: { token: {} }",
)
def an_hour_costs_less_than_a_day(host: Host) -> Iterator[Problem]:
    """An hour may cost more than a day

    The limit of the day is reached first, so that of the hour means nothing: one bad hour may use
    up the day. The two figures were probably exchanged.
    """
    budget = host.spec.runtime and host.spec.runtime.budget
    if budget and budget.hour > budget.day:
        yield Problem(
            at=("runtime", "budget", "hour"),
            message=f"{budget.hour:g} dollars an hour, but {budget.day:g} a day",
            hint=f"write hour: {budget.day:g} and day: {budget.hour:g}, or a smaller hour",
        )
