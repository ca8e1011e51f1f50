"""`emily-infra init`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emily_infra.cli.output import tell
from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from emily_infra.cli.starter import Starter


class CannotBegin(EmilyError):
    """The new host would overwrite something, or its name is none."""

    code = "CLI003"


def init(
    host: Annotated[str, typer.Argument(help="The host's name: its folder and its host name.")],
) -> None:
    """Write a commented starter hosts/HOST/host.yaml that passes `check`."""
    import secrets

    from emily_infra.cli.starter import Starter
    from emily_infra.spec.names import HostName

    if not _fits(HostName, host):
        hint = "1 to 63 lower-case letters, digits and -, not at either end"
        raise CannotBegin(f"{host!r} is not a host name", hint=hint)
    starter = Starter(host, secrets.token_hex(4), _public_key(Path.home() / ".ssh"))
    folder = _root(Path.cwd()) / "hosts" / host
    if folder.exists():
        hint = f"edit hosts/{host}/host.yaml, or choose another name"
        raise CannotBegin(f"{folder} exists already", hint=hint)
    _write(folder, starter)
    tell(f"hosts/{host}/host.yaml: replace what says REPLACE, then run: emily-infra check {host}")
    tell(f"hosts/{host}/hardware.nix: put there what nixos-generate-config says of the machine")


def _root(start: Path) -> Path:
    return next((f for f in (start, *start.parents) if (f / "hosts").is_dir()), start)


def _public_key(folder: Path) -> str | None:
    """The operator's own key, so that the first apply lets them in again."""
    from emily_infra.spec.names import SshKey

    for path in sorted(folder.glob("id_*.pub")):
        line = path.read_text("utf-8", "replace").strip()
        if _fits(SshKey, line):
            return line
    return None


def _fits(kind: Any, value: str) -> bool:
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def _write(folder: Path, starter: "Starter") -> None:
    schema = folder.parent / "host.schema.json"
    try:
        folder.mkdir(parents=True)
        (folder / "host.yaml").write_text(starter.host_yaml(), "utf-8")
        (folder / "hardware.nix").write_text(starter.hardware_nix(), "utf-8")
        schema.write_text(starter.schema(), "utf-8")
    except OSError as error:
        hint = f"look at it with: ls -ld {folder.parent}"
        raise CannotBegin(f"{folder} cannot be written: {error.strerror}", hint=hint) from error
