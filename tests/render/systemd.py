"""Evaluated units as unit files, held against the real systemd."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_DEPENDENCIES = {
    "after": "After", "before": "Before", "bindsTo": "BindsTo", "onFailure": "OnFailure",
    "partOf": "PartOf", "requires": "Requires", "wants": "Wants",
}  # fmt: skip
_KINDS = {"service": "services", "timer": "timers", "socket": "sockets", "slice": "slices"}
_COMMANDS = re.compile(r"(?m)^(Exec(?:Condition|Reload|Start|Stop)\w*=).+$")


def complaints(module: Any, folder: Path, *instances: str) -> str:
    """What `systemd-analyze verify` says of every unit that a module sets."""
    paths = [*write(module, folder), *(instance(name, folder) for name in instances)]
    return _analyze("verify", "--man=no", *map(str, paths), units=folder).stderr


def calendars(module: Any) -> dict[str, str]:
    """Each timer's OnCalendar as systemd normalizes it; AssertionError for one it refuses."""
    return {
        name: _normalized(timer["timerConfig"]["OnCalendar"])
        for name, timer in module["systemd"]["timers"].items()
    }


def exposure(module: Any, service: str, folder: Path) -> float:
    """How exposed `systemd-analyze security` finds a service, from 0 (sealed) to 10."""
    write(module, folder)
    unit = str(folder / f"{service}.service")
    done = _analyze("security", "--offline=true", "--no-pager", unit, units=folder)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


def write(module: Any, folder: Path) -> list[Path]:
    """The module's units as files, as NixOS would write them; commands do nothing."""
    texts = {
        f"{name}.{suffix}": _TEXTS[suffix](unit)
        for suffix, kind in _KINDS.items()
        for name, unit in module["systemd"].get(kind, {}).items()
    }
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in sorted(texts) if "@." not in name]


def instance(name: str, folder: Path) -> Path:
    """A unit of a template that `write` has written, such as emily-runtime@blue.service."""
    template = re.sub("@.*[.]", "@.", name)
    (folder / name).write_text((folder / template).read_text())
    return folder / name


def service(unit: Any) -> str:
    """The text of a .service file; one that only adds to another module's gets a command."""
    config = dict(unit.get("serviceConfig", {}))
    if "ExecStart" not in config:
        config["ExecStart"] = "script"
    lines = [*_unit(unit), "[Service]", *_entries(config)]
    for name, value in unit.get("environment", {}).items():
        lines.append(f"Environment={json.dumps(f'{name}={value}')}")
    return _COMMANDS.sub(r"\1/bin/true", "\n".join(lines)) + "\n"


def timer(unit: Any) -> str:
    """The text of a .timer file."""
    return "\n".join([*_unit(unit), "[Timer]", *_entries(unit["timerConfig"])]) + "\n"


def socket(unit: Any) -> str:
    """The text of a .socket file."""
    streams = {"ListenStream": unit["listenStreams"]}
    return "\n".join([*_unit(unit), "[Socket]", *_entries(streams | unit["socketConfig"])]) + "\n"


def slice_(unit: Any) -> str:
    """The text of a .slice file."""
    return "\n".join([*_unit(unit), "[Slice]", *_entries(unit["sliceConfig"])]) + "\n"


_TEXTS = {"service": service, "timer": timer, "socket": socket, "slice": slice_}


def _unit(unit: Any) -> Iterator[str]:
    yield "[Unit]"
    if "description" in unit:
        yield f"Description={unit['description']}"
    for key, directive in _DEPENDENCIES.items():
        if unit.get(key):
            yield f"{directive}={' '.join(unit[key])}"
    yield from _entries(unit.get("unitConfig", {}))


def _entries(config: dict[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        for item in value if isinstance(value, list) else [value]:
            yield f"{key}={str(item).lower() if isinstance(item, bool) else item}"


def _normalized(calendar: str) -> str:
    done = _analyze("calendar", calendar)
    assert done.returncode == 0, done.stderr
    found = re.search(r"Normalized form: (.+)", done.stdout)
    return found[1] if found else calendar


def _analyze(
    verb: str, *arguments: str, units: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin:/run/current-system/sw/bin", "LC_ALL": "C.UTF-8"}
    if units:
        environment["SYSTEMD_UNIT_PATH"] = f"{units}:"  # the colon: systemd's own folders as well
    return subprocess.run(
        ["systemd-analyze", verb, *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
