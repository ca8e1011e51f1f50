"""`emily-infra explain`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.output import tell, tell_json, width
from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from emily_infra.findings import Explanation


class NoSuchCode(EmilyError):
    """A code that nothing carries."""

    code = "CLI002"


def complete_code(incomplete: str) -> list[str]:
    """The codes that begin as typed, for shell completion."""
    from emily_infra.check.catalogue import catalogue

    return [code for code in catalogue() if code.startswith(incomplete.upper())]


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            help="Such as STO004; all are listed if none is named.",
            metavar="CODE",
            autocompletion=complete_code,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Tell the long story of a finding's code, with an example of wrong and of right."""
    from emily_infra.check.catalogue import catalogue

    known = catalogue()
    chosen = list(known.values()) if code is None else [_find(known, code.upper())]
    if json:
        tell_json([as_data(entry) for entry in chosen])
    elif code is None:
        for entry in chosen:
            tell(f"{entry.code}  {entry.severity.value:<8} {entry.title}")
    else:
        tell(as_text(chosen[0]))


def _find(known: "dict[str, Explanation]", code: str) -> "Explanation":
    import difflib

    if code not in known:
        near = difflib.get_close_matches(code, known, 1)
        hint = f"did you mean {near[0]}?" if near else "list them all with: emily-infra explain"
        raise NoSuchCode(f"no finding has the code {code}", hint=hint)
    return known[code]


def as_data(entry: "Explanation") -> dict[str, str]:
    """A story for a program."""
    names = ("code", "severity", "title", "story", "wrong", "right")
    return {name: str(getattr(entry, name)) for name in names}


def as_text(entry: "Explanation") -> str:
    """A story for a person: title, why, wrong, right."""
    from textwrap import fill, indent

    paragraphs = [fill(part, width()) for part in entry.story.split("\n\n")]
    wrong, right = (indent(text.strip("\n"), "    ") for text in (entry.wrong, entry.right))
    head = f"{typer.style(entry.code, bold=True)} ({entry.severity.value}): {entry.title}"
    examples = typer.style("wrong", fg="red"), wrong, typer.style("right", fg="green"), right
    return "\n\n".join((head, *paragraphs, "\n".join(examples)))
