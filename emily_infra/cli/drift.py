"""`emily-infra drift`."""

from typing import TYPE_CHECKING

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import printable, say, tell, tell_json, width
from emily_infra.cli.reach import Lab, Via, Where, pasteable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emily_infra.observe.drift import Difference
    from emily_infra.spec import host as spec

_ALL = 10_000
_OF_THE_HOST = ("host.yaml", "hardware.nix")


def drift(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """Compare HOST as it runs with host.yaml.

    Exit codes: 0 nothing differs, 2 something does, 1 an error, or nothing differs in what the host
    could tell, which was not all.
    """
    from emily_infra.cli.look import look, the_host
    from emily_infra.observe import Question, Want
    from emily_infra.observe.drift import drift as compare
    from emily_infra.render.firewall import ruleset

    root, described = the_host(host)
    firewall = str(ruleset(described.spec))
    question = Question(wants=frozenset({Want.SOURCE}), firewall=firewall, deploys=_ALL)
    where = Where(lab, via)
    seen = look(described, question, where)
    found = compare(described, files(root, described), seen)
    if json:
        gaps = [{"section": gap.section, "why": gap.why} for gap in seen.gaps]
        tell_json({"host": host, "differences": [_data(each, where) for each in found],
                   "gaps": gaps})  # fmt: skip
    else:
        for line in _lines(found, lambda command: pasteable(described, command, where)):
            tell(line)
        for gap in seen.gaps:
            say(f"{typer.style('not compared', fg='yellow')}: {gap.section}: {printable(gap.why)}")
        say(f"{host}: {_summary(len(found), whole=not seen.gaps)}")
    if found or seen.gaps:
        raise typer.Exit(2 if found else 1)


def _data(each: "Difference", where: Where) -> dict[str, object]:
    return {**vars(each), "command": where.words(each.command)}


def files(root: "Path", host: "spec.Host") -> dict[str, str]:
    """The texts of hosts/NAME as a deploy would carry them now."""
    from emily_infra.render import render
    from emily_infra.render.templates import Templates

    home = root / "hosts" / host.name
    rendered = render(host, Templates()).files
    found = {f"generated/{name}": text for name, text in rendered.items()}
    for name in _OF_THE_HOST:
        path = home / name
        if path.is_file():
            found[name] = path.read_bytes().decode("utf-8", "replace")
    return found


def _summary(count: int, *, whole: bool) -> str:
    if not count:
        return "as host.yaml says" if whole else "nothing differs in what could be compared"
    return "1 difference" if count == 1 else f"{count} differences"


def _lines(
    found: "tuple[Difference, ...]", typed: "Callable[[tuple[str, ...]], str]"
) -> "Iterator[str]":
    area = ""
    for each in found:
        if each.area != area:
            area = each.area
            yield typer.style(area, bold=True)
        yield f"  {printable(each.where)}"
        yield from _side("expected", each.expected, "green")
        yield from _side("found", each.found, "red")
        yield typer.style(f"    $ {printable(typed(each.command))}", dim=True)
        yield ""


def _side(label: str, text: str, shade: str) -> "Iterator[str]":
    import textwrap

    lines = textwrap.wrap(printable(text), max(width() - 13, 20), break_on_hyphens=False) or [""]
    yield f"    {label:<9}{typer.style(lines[0], fg=shade)}"
    for line in lines[1:]:
        yield f"{'':13}{typer.style(line, fg=shade)}"
