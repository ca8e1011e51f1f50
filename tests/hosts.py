"""Hosts for tests: parts of a host.yaml laid over the small host that ships with the project."""

from datetime import date
from functools import cache
from pathlib import Path

import yaml

from emily_infra.check import check
from emily_infra.findings import Finding
from emily_infra.spec.host import Host
from emily_infra.spec.load import parse
from emily_infra.spec.source import Data, read

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 21)


def overlay(base: Data, part: Data) -> Data:
    """Mappings merge key by key, null deletes a key, everything else replaces."""
    if not (isinstance(base, dict) and isinstance(part, dict)):
        return part
    merged = base | {key: overlay(base.get(key), value) for key, value in part.items()}
    return {key: value for key, value in merged.items() if part.get(key, "") is not None}


@cache
def shipped(name: str) -> Host:
    """A host of hosts/ as it stands."""
    return as_host(name, (ROOT / "hosts" / name / "host.yaml").read_text())


def pebble(part: str = "", name: str = "pebble") -> Host:
    """The host pebble with a part of a host.yaml laid over it."""
    return over(shipped("pebble"), part, name)


def over(base: Host, part: str, name: str = "") -> Host:
    """A host with a part of a host.yaml laid over it."""
    source, findings = read("part.yaml", part.encode())
    assert not findings, findings
    merged = overlay(base.source.data, source.data or {})
    return as_host(name or base.name, as_text(merged))


def as_text(data: Data) -> str:
    """The text of a host.yaml that holds this."""
    return yaml.safe_dump(_lists(data), sort_keys=False)


def as_host(name: str, text: str) -> Host:
    """A host from the text of its file, which must be well-formed."""
    host, findings = parse(name, f"hosts/{name}/host.yaml", text.encode())
    assert host, "\n".join(f"{f.location} {f.code} {f.message}: {f.hint}" for f in findings)
    return host


def findings(*hosts: Host) -> list[Finding]:
    """Everything that check says of a fleet."""
    return check({host.name: host for host in hosts}, TODAY)


def codes(*hosts: Host) -> set[str]:
    """The codes of all findings that nobody has acknowledged."""
    return {finding.code for finding in findings(*hosts) if finding.acknowledged is None}


def _lists(data: Data) -> object:
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    return [_lists(item) for item in data] if isinstance(data, tuple) else data
