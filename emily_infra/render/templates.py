"""The templates of modules/, in which every value becomes a Nix literal."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
)

from emily_infra.render.nix import Lines, nix_literal

_MARK = "\x00"
"""Begins a literal's continuation lines until they are indented; no Nix text can hold it."""


def modules_folder() -> Path:
    """Where the templates are: inside an installed package, at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "modules"
    return installed if installed.is_dir() else package.parent / "modules"


@cache
def asset(name: str) -> Lines:
    """The text of a file that stands beside the templates, for `{{ asset("rules.yml") }}`."""
    return Lines((modules_folder() / name).read_text(encoding="utf-8"))


class Templates:
    """The compiled templates of a folder; `cache` is another one that keeps them between runs."""

    def __init__(self, cache: Path | None = None, folder: Path | None = None) -> None:
        bytecode: BytecodeCache | None = FileSystemBytecodeCache(str(cache)) if cache else None
        self._environment = Environment(  # noqa: S701 - the output is Nix and `finalize` escapes it
            loader=FileSystemLoader(folder or modules_folder()),
            finalize=_finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            bytecode_cache=bytecode,
            auto_reload=False,
        )
        self._environment.globals["asset"] = asset

    def render(self, name: str, source: str, context: Mapping[str, object]) -> str:
        """The text of modules/NAME.nix.j2 for a context."""
        template = self._environment.get_template(f"{name}.nix.j2")
        return _indented(template.render(context, source=source))


def _finalize(value: object) -> str:
    return nix_literal(value).replace("\n", f"\n{_MARK}")


def _indented(text: str) -> str:
    """Continuation lines moved to where the line stands on which their literal begins."""
    begin, *rest = text.split(f"\n{_MARK}")
    pieces = [begin]
    indent = _indentation(begin)
    for piece in rest:
        empty = not piece or piece[0] == "\n"
        pieces.append(f"\n{piece}" if empty else f"\n{indent}{piece}")
        if "\n" in piece:
            indent = _indentation(piece)
    return "".join(pieces)


def _indentation(text: str) -> str:
    """The spaces before the last line of a text."""
    line = text[text.rfind("\n") + 1 :]
    return line[: len(line) - len(line.lstrip(" "))]
