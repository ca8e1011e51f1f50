"""`emily-infra status`."""

from itertools import zip_longest
from typing import TYPE_CHECKING

import typer

from emily_infra.cli.arguments import Hosts, Json
from emily_infra.cli.moments import ago, span
from emily_infra.cli.output import printable, tell, tell_json, width
from emily_infra.cli.reach import Lab, Via, Where, pasteable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emily_infra.cli.look import Seen
    from emily_infra.errors import EmilyError
    from emily_infra.observe import Observation
    from emily_infra.observe.pools import Pool
    from emily_infra.observe.trouble import Trouble
    from emily_infra.spec.host import Host

_LABEL = 9


def status(hosts: Hosts = None, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """Show how machines are: what they run, their units, pools and last deploy, what is wrong."""
    from emily_infra.cli.look import described, look_at_all
    from emily_infra.cli.status_data import as_data, not_readable
    from emily_infra.observe import Question

    where = Where(lab, via)
    _, fleet, unreadable = described(hosts or [])
    if via and len(fleet) + len(unreadable) > 1:
        raise typer.BadParameter("--via is for one host", param_hint="--via")
    seen = look_at_all(fleet, lambda _: Question(), where)
    if json:
        told = [as_data(*each, where) for each in seen]
        tell_json([*told, *(not_readable(finding) for finding in unreadable)])
    else:
        for each in seen:
            tell("\n".join([*_block(*each, where), ""]))
    if unreadable or not all(_is_well(each) for each in seen):
        raise typer.Exit(1)


def _is_well(each: "Seen") -> bool:
    from emily_infra.cli.status_data import told_of
    from emily_infra.observe import Observation
    from emily_infra.observe.trouble import Weight

    host, found = each
    if not isinstance(found, Observation):
        return False
    return all(trouble.weight is not Weight.WRONG for trouble in told_of(host, found))


def _block(host: "Host", found: "Observation | EmilyError", where: Where) -> "Iterator[str]":
    from emily_infra.cli.status_data import told_of
    from emily_infra.observe import Observation

    if isinstance(found, Observation):
        told = told_of(host, found)
        yield _headline(host.name, found, told)
        yield from _troubles(told, lambda command: pasteable(host, command, where))
        yield from _system(found)
        yield from _pools(found)
        yield from _backups(found)
        yield from _deploy(found)
    else:
        yield f"{_bold(host.name)}  {typer.style('not seen', fg='red')}"
        for text in (f"{found.code}: {found}", f"hint: {where.said(found.hint)}"):
            yield from (f"  {line}" for line in _wrapped(text, 2))


def _bold(text: str) -> str:
    return typer.style(printable(text), bold=True)


def _headline(name: str, seen: "Observation", told: "tuple[Trouble, ...]") -> str:
    wrong = sum(trouble.weight == "wrong" for trouble in told)
    verdict = typer.style("well", fg="green")
    if wrong:
        words = "1 thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
        verdict = typer.style(words, fg="red")
    os = printable(seen.identity.os_release or "an unknown system")
    facts = typer.style(f"{os}, up {span(seen.identity.uptime)}", dim=True)
    return f"{_bold(name)}  {verdict}  {facts}"


def _troubles(
    told: "tuple[Trouble, ...]", typed: "Callable[[tuple[str, ...]], str]"
) -> "Iterator[str]":
    for trouble, following in zip_longest(told, told[1:]):
        wrong = trouble.weight == "wrong"
        mark = typer.style("!", fg="red", bold=True) if wrong else typer.style("-", fg="yellow")
        first, *rest = _wrapped(trouble.message, 4)
        yield f"  {mark} {first}"
        yield from (f"    {line}" for line in rest)
        if trouble.look and (following is None or following.look != trouble.look):
            yield typer.style(f"    $ {printable(typed(trouble.look))}", dim=True)


def _wrapped(text: str, margin: int) -> list[str]:
    import textwrap

    room = max(width() - margin, 20)
    return textwrap.wrap(printable(text), room, break_on_hyphens=False) or [""]


def _labelled(label: str, text: str) -> "Iterator[str]":
    """Text behind a label, broken where the terminal ends."""
    first, *rest = _wrapped(text, _LABEL + 2)
    yield f"  {typer.style(f'{label:<{_LABEL}}', dim=True)}{first}"
    yield from (f"{'':{_LABEL + 2}}{line}" for line in rest)


def _system(seen: "Observation") -> "Iterator[str]":
    has, now = seen.generation, seen.identity.now
    newest = next((each for each in has.generations if each.number == has.number), None)
    words = [f"generation {has.number}" if has.number else "no generation"]
    if newest:
        words.append(f"made {ago(newest.created, now)}")
    pointers = {"running": has.current, "default": has.profile, "next at boot": has.boot_default}
    agree = {toplevel for toplevel in pointers.values() if toplevel}
    if len(agree) == 1:
        words.append("running and next at boot" if has.boot_default else "running")
    elif has.profile:
        words += [f"{name}: {_named(seen, each)}" for name, each in pointers.items() if each]
    if has.booted and has.booted != has.current:
        words.append(f"booted: {_named(seen, has.booted)}")
    yield from _labelled("system", ", ".join(words))
    if seen.units.loaded:
        failed = f"{len(seen.units.failed)} failed" if seen.units.failed else "none failed"
        yield from _labelled("units", f"{len(seen.units.loaded)} loaded, {failed}")


def _named(seen: "Observation", toplevel: str) -> str:
    numbers = seen.generation.of(toplevel)
    return f"generation {numbers[-1]}" if numbers else toplevel.removeprefix("/nix/store/")[:8]


def _pools(seen: "Observation") -> "Iterator[str]":
    longest = max((len(printable(pool.name)) for pool in seen.pools), default=0)
    label = "pools"
    for pool in seen.pools:
        yield from _labelled(label, f"{pool.name:<{longest}}  {_pool(pool, seen.identity.now)}")
        label = " "


def _pool(pool: "Pool", now: int) -> str:
    from emily_infra.spec.units import approximately

    words = [pool.health.lower()]
    if pool.holds:
        words.append(f"{pool.used * 100:.0f} % of {approximately(pool.holds)} used")
    scan = next((each for each in pool.scans if each.state == "running"), None)
    if scan:
        words.append(f"{scan.kind}{f' {scan.percent:.0f} % done' if scan.percent else ' runs'}")
    ours = max((each.newest_snapshot or 0 for each in pool.datasets), default=0)
    any_change = max((each.snapshots_changed or 0 for each in pool.datasets), default=0)
    if ours or any_change:
        words.append(f"snapshot {ago(ours or any_change, now)}")
    return ", ".join(words)


def _backups(seen: "Observation") -> "Iterator[str]":
    known, now = seen.backups, seen.identity.now
    copies = [
        f"{name} {ago(at, now)}, drilled {ago(known.drilled.get(name, 0), now)}"
        for name, at in sorted(known.copied.items())
    ]
    if copies:
        yield from _labelled("copies", "; ".join(copies))


def _deploy(seen: "Observation") -> "Iterator[str]":
    last = seen.deploys.last
    if last:
        words = f"{last.verdict or 'no verdict'}, {ago(last.started, seen.identity.now)}"
        who = f" by {last.who}" if last.who else ""
        where = f" from {last.from_where}" if last.from_where else ""
        yield from _labelled("deploy", words + who + where)
