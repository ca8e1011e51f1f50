"""docs/reference/commands.md: the commands, from the signatures that typer reads."""

from collections.abc import Callable, Iterator
from enum import Enum
from inspect import cleandoc
from types import NoneType
from typing import NamedTuple, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from emily_infra.cli import app
from emily_infra.cli import main as before_commands
from scripts.reference.markdown import prose, row, table


class Parameter(NamedTuple):
    """A parameter of a command: its name, its type and what typer was told."""

    name: str
    kind: object
    info: ArgumentInfo | OptionInfo

    @property
    def metavar(self) -> str:
        """What stands for its value."""
        return self.info.metavar or self.name.upper()

    @property
    def in_usage(self) -> str:
        """An argument as the usage line shows it."""
        many = "..." if "list" in str(self.kind) else ""
        may_be_absent = NoneType in get_args(self.kind)
        return f"[{self.metavar}]{many}" if may_be_absent else f"{self.metavar}{many}"

    @property
    def written(self) -> str:
        """How a person types it."""
        if isinstance(self.info, ArgumentInfo):
            return self.metavar
        flag = ", ".join(self.info.param_decls or ()) or f"--{self.name.replace('_', '-')}"
        if isinstance(self.kind, type) and issubclass(self.kind, Enum):
            return f"{flag} {'|'.join(str(member.value) for member in self.kind)}"
        return flag if self.kind is bool else f"{flag} {self.metavar}"


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# Commands\n"
    yield (
        "The result goes to stdout, the story to stderr. The exit code is 0 when all is well, 1 on "
        "an error or a finding that counts, and 130 after Ctrl-C. `NO_COLOR=1` turns colours off. "
        "Commands work in a checkout or in any folder below it.\n"
    )
    yield "```\nemily-infra [OPTIONS] COMMAND\n```\n"
    yield _table(parameters(before_commands))
    for entry in app.registered_commands:
        assert entry.callback is not None
        yield from _command(entry.name or entry.callback.__name__, entry.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for entry in group.typer_instance.registered_commands:
            assert entry.callback is not None
            name = entry.name or entry.callback.__name__
            yield from _command(f"{group.typer_instance.info.name} {name}", entry.callback)


def parameters(callback: Callable[..., object]) -> list[Parameter]:
    """What a command takes, in the order of its signature."""
    found = []
    for name, hint in get_type_hints(callback, include_extras=True).items():
        kind, *extras = get_args(hint) or (None,)
        found += [
            Parameter(name, kind, extra)
            for extra in extras
            if isinstance(extra, ArgumentInfo | OptionInfo)
        ]
    return found


def _command(name: str, callback: Callable[..., object]) -> Iterator[str]:
    taken = parameters(callback)
    options = ["[OPTIONS]"] if any(isinstance(p.info, OptionInfo) for p in taken) else []
    arguments = [p.in_usage for p in taken if isinstance(p.info, ArgumentInfo)]
    yield f"## {name}\n"
    yield f"```\n{' '.join(['emily-infra', name, *options, *arguments])}\n```\n"
    yield f"{prose(cleandoc(callback.__doc__ or ''))}\n"
    yield _table(taken)


def _table(taken: list[Parameter]) -> str:
    rows = [row(f"`{p.written}`", prose(p.info.help or "")) for p in taken]
    return table("argument or option | meaning", rows)
