"""From a file to a typed host, or to everything that is wrong with it."""

import difflib
import stat
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from emily_infra.errors import EmilyError
from emily_infra.findings import Finding, Location, Severity, in_order
from emily_infra.spec.complaint import complaints
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.names import HostName
from emily_infra.spec.source import MAX_BYTES, Source, read

SPEC = "host.yaml"
MAX_FINDINGS = 100
_HOST_NAME: TypeAdapter[str] = TypeAdapter(HostName)


class NoSuchHost(EmilyError):
    """A name that is no folder of hosts/."""

    code = "CLI001"


@dataclass(frozen=True)
class Loaded:
    """The hosts that can be trusted, and what is wrong with the others."""

    fleet: dict[str, Host] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def find_root(start: Path) -> Path:
    """The folder with `hosts/`, at or above start."""
    for folder in (start, *start.parents):
        if (folder / "hosts").is_dir():
            return folder
    raise NoSuchHost(
        f"no folder hosts/ in {start} or above it",
        hint="go to your checkout, or begin one here with: emily-infra init HOST",
    )


def is_host_name(text: str) -> bool:
    """Whether a host can be called so; nothing that leads elsewhere in the file system."""
    try:
        _HOST_NAME.validate_python(text)
    except ValidationError:
        return False
    return True


def host_names(root: Path) -> list[str]:
    """Every folder of hosts/ that holds a host.yaml."""
    return sorted(path.parent.name for path in (root / "hosts").glob(f"*/{SPEC}"))


def load(root: Path, names: list[str]) -> Loaded:
    """The named hosts, or all of them where no name is given."""
    known = host_names(root)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {near[0]}?" if near else f"hosts here: {', '.join(known) or 'none'}"
            )
            raise NoSuchHost(f"hosts/{name}/{SPEC} does not exist", hint=hint)
    loaded = Loaded()
    for name in dict.fromkeys(names or known):
        host, findings = load_host(root / "hosts" / name / SPEC, f"hosts/{name}/{SPEC}")
        loaded.findings.extend(replace(finding, host=name) for finding in findings)
        if host:
            loaded.fleet[name] = host
    return loaded


def load_host(path: Path, file: str) -> tuple[Host | None, list[Finding]]:
    """One file as a host named after its folder."""
    try:
        raw = _start_of(path)
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        return None, [_error("YML001", Location(file), message, f"look at it with: ls -l {file}")]
    return parse(path.parent.name, file, raw)


def _start_of(path: Path) -> bytes:
    """As much of a file as a host may be long, and a byte more where it is longer."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end, a device might act
        raise OSError("it is not a plain file")
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def parse(name: str, file: str, raw: bytes) -> tuple[Host | None, list[Finding]]:
    """The bytes of a host.yaml as a host, or everything that is wrong with them."""
    source, findings = read(file, raw)
    findings += _misnamed(name, file)
    spec = None
    if source.root is not None or not findings:
        spec, found = _validate(source)
        findings += found
    findings = in_order(findings)
    if len(findings) > MAX_FINDINGS:
        message = f"there are more faults than the {MAX_FINDINGS} above"
        last = findings[MAX_FINDINGS].location
        findings[MAX_FINDINGS:] = [_error("SPC005", last, message, "mend those, then check again")]
    return (Host(name, spec, source) if spec and not findings else None), findings


def _validate(source: Source) -> tuple[HostSpec | None, list[Finding]]:
    if not isinstance(source.data, dict):
        hint = "begin with: emily: 1, or write a starter with: emily-infra init HOST"
        text = "the file is empty" if source.data is None else "the file is not a mapping"
        return None, [_error("SPC003", source.locate(()), text, hint)]
    try:
        return HostSpec.model_validate(source.data), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        return None, list(islice(complaints(source, details), MAX_FINDINGS + 1))


def _misnamed(name: str, file: str) -> list[Finding]:
    """A folder's name is the host's name on the network."""
    try:
        _HOST_NAME.validate_python(name)
    except ValidationError as error:
        context = error.errors()[0]["ctx"]
        hint = f"rename the folder: {context['hint']}"
        return [_error("SPC004", Location(file), context["message"], hint)]
    return []


def _error(code: str, place: Location, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint)
