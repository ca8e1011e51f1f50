"""Rendered files and their options, as the indented part of a plan."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import typer

from emily_infra.cli.output import cells, printable, width
from emily_infra.plan.model import FileChange, OptionChange, Sign

_COLOURS = {Sign.ADDED: "green", Sign.CHANGED: "yellow", Sign.REMOVED: "red"}
_WORD = re.compile(r'"[^"]*"|[^.]+')
_STYLE = re.compile("\x1b\\[[0-9;]*m")
_LINES = 6
_INDEX = "generated/default.nix"
_REPEATS = (".restartTriggers", ".reloadTriggers")
_ALIKE = 3


def sign(which: Sign) -> str:
    """+, ~ or - in its colour."""
    return typer.style(which.value, fg=_COLOURS[which])


def cropped(text: str) -> str:
    """A line that fits the terminal; what is styled counts as it is seen."""
    if cells(_STYLE.sub("", text)) <= width():
        return text
    while cells(_STYLE.sub("", text)) >= width():
        text = text[:-1]
    return text + "…"


def files(changed: Sequence[FileChange], indent: int, *, detailed: bool) -> Iterator[str]:
    """Each file with its options, or with its lines where no option is known."""
    room = " " * indent
    for file in changed if detailed else _of_interest(changed):
        yield f"{room}{typer.style(printable(file.path), dim=True)}"
        if file.options:
            yield from _options(file.options, indent + 2, detailed=detailed)
        elif detailed or not file.path.endswith(".nix") or not _comments_only(file):
            yield from _lines(file.old, file.new, indent + 2, detailed=detailed)
        else:
            yield f"{room}  comments only"


def _of_interest(changed: Sequence[FileChange]) -> Iterator[FileChange]:
    """Without what only repeats: the list of modules, and triggers, which hold other options."""
    for file in changed:
        kept = tuple(o for o in file.options if not o.option.endswith(_REPEATS))
        if file.path != _INDEX and (kept or not file.options):
            yield replace(file, options=kept)


def _comments_only(file: FileChange) -> bool:
    return all(not line.strip() or line.strip().startswith("#") for line in (*file.old, *file.new))


def _options(changed: Sequence[OptionChange], indent: int, *, detailed: bool) -> Iterator[str]:
    room = " " * indent
    for name, group in [(o.option, [o]) for o in changed] if detailed else folded(changed):
        if len(group) > 1:
            yield cropped(f"{room}{sign(group[0].sign)} {printable(name)} ({len(group)} options)")
            continue
        (option,) = group
        line = f"{room}{sign(option.sign)} {printable(name)}"
        inline = _inline(option)
        if inline and cells(f"{room}  {printable(name)}: {inline}") <= width():
            yield f"{line}: {inline}"
        else:
            yield cropped(line)
            yield from _lines(option.old, option.new, indent + 4, detailed=detailed)


def _inline(option: OptionChange) -> str:
    """Old and new in one line, where each is one."""
    if len(option.old) > 1 or len(option.new) > 1:
        return ""
    parts = [printable(text).strip() for text in (*option.old, *option.new)]
    if option.sign is Sign.CHANGED and len(parts) == 1:
        return f"{'-' if option.old else '+'}{parts[0]}"  # of a list
    return " -> ".join(parts)


def folded(changed: Sequence[OptionChange]) -> Iterator[tuple[str, list[OptionChange]]]:
    """Options that come or go as a whole group under its name; the others by themselves."""
    yield from _folded([(tuple(_WORD.findall(each.option)), each) for each in changed], 0)


Worded = tuple[tuple[str, ...], OptionChange]


def _folded(entries: list[Worded], depth: int) -> Iterator[tuple[str, list[OptionChange]]]:
    signs = {option.sign for _, option in entries}
    alike = len(signs) == 1 and Sign.CHANGED not in signs
    if alike and depth >= 2 and len(entries) >= _ALIKE:
        yield ".".join(_common(entries)), [option for _, option in entries]
        return
    groups: dict[str, list[Worded]] = {}
    for words, option in entries:
        groups.setdefault(words[depth] if depth < len(words) else "", []).append((words, option))
    for word, group in groups.items():
        if len(group) == 1 or not word:
            yield from ((option.option, [option]) for _, option in group)
        else:
            yield from _folded(group, depth + 1)


def _common(entries: list[Worded]) -> Iterator[str]:
    for words in zip(*(words for words, _ in entries), strict=False):
        if len(set(words)) > 1:
            return
        yield words[0]


def _is_layout(line: str) -> bool:
    """Comments and brackets, which follow from the rest."""
    return line.strip() in ("}", "};", "]", "];") or line.lstrip().startswith("#")


def _lines(old: Sequence[str], new: Sequence[str], indent: int, *, detailed: bool) -> Iterator[str]:
    room = " " * indent
    every = [*((Sign.REMOVED, line) for line in old), *((Sign.ADDED, line) for line in new)]
    told = [(which, line) for which, line in every if line.strip()]
    if not detailed:
        told = [(which, line) for which, line in told if not _is_layout(line)] or told
    shown = told if detailed else told[:_LINES]
    for which, line in shown:
        yield cropped(f"{room}{sign(which)} {printable(line.strip())}")
    if len(shown) < len(told):
        more = len(told) - len(shown)
        yield f"{room}… {more} more line{'' if more == 1 else 's'} (--detailed)"
