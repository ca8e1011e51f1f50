"""The templates of modules/, in which every value becomes a Nix literal."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache, FileSystemLoader
from jinja2 import StrictUndefined

from emily_infra.render.nix import nix_literal

_MARK = "\x00"
"""Begins a literal's continuation lines until they are indented; no Nix text can hold it."""


def modules_folder() -> Path:
    """Where the templates are: inside an installed package, at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "modules"
    return installed if installed.is_dir() else package.parent / "modules"


class Templates:
    """The compiled templates; `cache` is a folder that keeps them between runs."""

    def __init__(self, cache: Path | None = None) -> None:
        bytecode: BytecodeCache | None = FileSystemBytecodeCache(str(cache)) if cache else None
        self._environment = Environment(  # noqa: S701 - the output is Nix and `finalize` escapes it
            loader=FileSystemLoader(modules_folder()),
            finalize=_finalize,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            bytecode_cache=bytecode,
            auto_reload=False,
        )

    def render(self, name: str, source: str, context: Mapping[str, object]) -> str:
        """The text of modules/NAME.nix.j2 for a context."""
        template = self._environment.get_template(f"{name}.nix.j2")
        return _indented(template.render(context, source=source))


def _finalize(value: object) -> str:
    return nix_literal(value).replace("\n", f"\n{_MARK}")


def _indented(text: str) -> str:
    lines: list[str] = []
    indent = ""
    for line in text.split("\n"):
        if line.startswith(_MARK):
            rest = line[len(_MARK) :]
            lines.append(indent + rest if rest else "")
        else:
            indent = line[: len(line) - len(line.lstrip(" "))]
            lines.append(line)
    return "\n".join(lines)
