"""The shares that smbd is told of against those of host.yaml."""

import re
from collections.abc import Iterator

from emily_infra.observe.drift.difference import Difference, apply
from emily_infra.observe.observation import Observation
from emily_infra.render import samba
from emily_infra.spec.host import Host

AREA = "shares"
_SECTION = re.compile(r"\[([^]]+)\]")
_GLOBAL = "global"


def differences(host: Host, seen: Observation) -> Iterator[Difference]:
    """Every setting of every share, and shares of nobody's."""
    wished = _wished(host)
    if not wished or not seen.knows("basics"):
        return
    found = sections(seen.smb_conf)
    found.pop(_GLOBAL, None)
    command = apply(host.name)
    for name in sorted(wished.keys() | found.keys()):
        if name not in found:
            yield Difference(AREA, name, "shared", "not shared", command)
        elif name not in wished:
            shown = found[name].get("path", "nothing")
            yield Difference(AREA, name, "not shared", f"shares {shown}", command)
        else:
            for key in sorted(wished[name].keys() | found[name].keys()):
                left, right = (side[name].get(key, "not set") for side in (wished, found))
                if _words(left) != _words(right):
                    yield Difference(AREA, f"{name}, {key}", left, right, command)


def _wished(host: Host) -> dict[str, dict[str, str]]:
    lowered = samba.lower(host)
    listed = lowered["shares"] if lowered else {}
    assert isinstance(listed, dict)
    return {
        name: {_key(key): _text(value) for key, value in settings.items()}
        for name, settings in listed.items()
    }


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _key(key: str) -> str:
    return " ".join(key.lower().split())


def _words(value: str) -> list[str]:
    return re.split(r"[\s,]+", value.strip())


def sections(text: str) -> dict[str, dict[str, str]]:
    """An smb.conf as sections of settings; lines of any other shape are passed over."""
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if heading := _SECTION.fullmatch(line):
            current = found.setdefault(heading[1].lower(), {})
        elif "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            current[_key(key)] = value.strip()
    return found
