"""systemd units as NixOS writes them, from the options of `systemd.services` and its kin.

The keys that X- begins are for switch-to-configuration: how a changed unit is to be taken over.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from emily_infra.errors import EmilyError
from emily_infra.lab.system.config import Config
from emily_infra.lab.system.tree import StoreText, package, token

_UNIT_LISTS = {
    "requires": "Requires",
    "wants": "Wants",
    "upholds": "Upholds",
    "after": "After",
    "before": "Before",
    "bindsTo": "BindsTo",
    "partOf": "PartOf",
    "conflicts": "Conflicts",
    "requisite": "Requisite",
    "documentation": "Documentation",
    "onFailure": "OnFailure",
    "onSuccess": "OnSuccess",
}
_UNIT_TEXTS = {
    "description": "Description",
    "startLimitIntervalSec": "StartLimitIntervalSec",
    "startLimitBurst": "StartLimitBurst",
}
_SCRIPTS = {
    "preStart": ("ExecStartPre", "pre-start"),
    "script": ("ExecStart", "start"),
    "postStart": ("ExecStartPost", "post-start"),
    "reload": ("ExecReload", "reload"),
    "preStop": ("ExecStop", "pre-stop"),
    "postStop": ("ExecStopPost", "post-stop"),
}
_COMMON = {
    *_UNIT_LISTS, *_UNIT_TEXTS, "unitConfig", "wantedBy", "requiredBy", "upheldBy", "aliases",
    "enable", "restartTriggers", "reloadTriggers", "overrideStrategy",
}  # fmt: skip
_SERVICE = _COMMON | {
    *_SCRIPTS, "scriptArgs", "serviceConfig", "environment", "path", "startAt",
    "restartIfChanged", "reloadIfChanged", "stopIfChanged", "notSocketActivated",
}  # fmt: skip
KINDS = {
    "services": ("service", "Service", "serviceConfig", _SERVICE),
    "timers": ("timer", "Timer", "timerConfig", _COMMON | {"timerConfig"}),
    "sockets": ("socket", "Socket", "socketConfig",
                _COMMON | {"socketConfig", "listenStreams", "listenDatagrams"}),
    "paths": ("path", "Path", "pathConfig", _COMMON | {"pathConfig"}),
    "slices": ("slice", "Slice", "sliceConfig", _COMMON | {"sliceConfig"}),
    "targets": ("target", "", "", _COMMON),
    "mounts": ("mount", "Mount", "mountConfig", _COMMON | {"mountConfig"}),
}  # fmt: skip
"""Option set -> suffix of the unit, its own section, the option of that section, what is known."""

_ALWAYS_IN_PATH = ("coreutils", "findutils", "gnugrep", "gnused", "systemd")


class UnknownUnitOption(EmilyError):
    """A unit is described by an option that the lab does not write."""

    code = "LAB043"


@dataclass(frozen=True)
class Unit:
    """One unit: its text, and the units that pull it in."""

    name: str
    text: str
    enabled: bool
    wanted_by: tuple[str, ...] = ()
    required_by: tuple[str, ...] = ()
    upheld_by: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Units:
    """Every unit, and the scripts that they run."""

    units: tuple[Unit, ...]
    scripts: Mapping[str, StoreText]


def units(config: Config) -> Units:
    """Everything below `systemd` that describes a unit."""
    found: list[Unit] = []
    scripts: dict[str, StoreText] = {}
    for option, (suffix, title, own, known) in KINDS.items():
        for name, options in config.named("systemd", option):
            _refuse_unknown(options, known)
            lines = dict(_own(options, own))
            if option == "services":
                made = dict(_scripts(name, options))
                scripts.update(made.values())
                lines |= {key: _with(lines, key, value[0], options) for key, value in made.items()}
            found.append(_unit(f"{name}.{suffix}", title, options, lines))
    return Units(tuple(found), scripts)


def section(settings: Mapping[str, object]) -> str:
    """The lines of a section: a list repeats its key, by which systemd adds up."""
    lines = []
    for key in sorted(settings):
        value = settings[key]
        values = value if isinstance(value, list) else [value]
        lines += [f"{key}={_option(one)}\n" for one in values if one is not None]
    return "".join(lines)


def triggers(values: Sequence[str]) -> str:
    """A word that changes when one of the values does."""
    return " ".join(value if _is_path(value) else _digest(value) for value in values)


def _unit(name: str, section_name: str, options: Config, own: Mapping[str, object]) -> Unit:
    text = f"[Unit]\n{section(_head(options))}"
    if section_name:
        text += f"\n[{section_name}]\n"
        if name.endswith(".service"):
            text += "".join(_environment(options)) + "".join(_changes(options))
        text += section(own)
    wanted_by = options.texts("wantedBy")
    return Unit(
        name,
        text,
        options.flag("enable", default=True),
        tuple(wanted_by),
        tuple(options.texts("requiredBy")),
        tuple(options.texts("upheldBy")),
        tuple(options.texts("aliases")),
    )


def _head(options: Config) -> dict[str, object]:
    head: dict[str, object] = {}
    for option, key in _UNIT_LISTS.items():
        if values := options.texts(option):
            head[key] = " ".join(values)
    for option, key in _UNIT_TEXTS.items():
        if text := options.text(option):
            head[key] = text
    for option, key in (
        ("restartTriggers", "X-Restart-Triggers"),
        ("reloadTriggers", "X-Reload-Triggers"),
    ):
        if values := options.texts(option):
            head[key] = triggers(values)
    return head | dict(options.below("unitConfig").values)


def _own(options: Config, own: str) -> Iterator[tuple[str, object]]:
    if own:
        yield from options.below(own).values.items()
    for option, key in (("listenStreams", "ListenStream"), ("listenDatagrams", "ListenDatagram")):
        if values := options.texts(option):
            yield key, values


def _environment(options: Config) -> Iterator[str]:
    folders = [*options.texts("path"), *map(package, _ALWAYS_IN_PATH)]
    search = [f"{folder}/bin" for folder in folders] + [f"{folder}/sbin" for folder in folders]
    variables = {"PATH": ":".join(search)} | {
        name: options.text("environment", name) for name in options.below("environment").values
    }
    for name in sorted(variables):
        yield f"Environment={json.dumps(f'{name}={variables[name]}', ensure_ascii=False)}\n"


def _changes(options: Config) -> Iterator[str]:
    if options.flag("reloadIfChanged"):
        yield "X-ReloadIfChanged=true\n"
    elif not options.flag("restartIfChanged", default=True):
        yield "X-RestartIfChanged=false\n"
    if not options.flag("stopIfChanged", default=True):
        yield "X-StopIfChanged=false\n"
    if options.flag("notSocketActivated"):
        yield "X-NotSocketActivated=true\n"


def _scripts(name: str, options: Config) -> Iterator[tuple[str, tuple[str, StoreText]]]:
    for option, (key, suffix) in _SCRIPTS.items():
        if text := options.text(option):
            script = f"unit-script-{name.replace('@', '_')}-{suffix}"
            body = f"#!/usr/bin/bash\nset -e\n\n{text.rstrip()}\n"
            yield key, (script, StoreText(body, executable=True))


def _with(own: Mapping[str, object], key: str, script: str, options: Config) -> object:
    arguments = options.text("scriptArgs") if key == "ExecStart" else ""
    command = f"{token(script)} {arguments}".strip()
    before = own.get(key, [])
    return [command, *(before if isinstance(before, list) else [before])]


def _refuse_unknown(options: Config, known: set[str]) -> None:
    for option in sorted(set(options.values) - known):
        place = ".".join((*options.place, option))
        raise UnknownUnitOption(
            f"{place} is set, and the lab does not know how to write it",
            hint="add it to emily_infra/lab/system/units.py, or leave it out of the module",
        )


def _option(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_path(value: str) -> bool:
    return value.startswith(("/nix/store/", "@store:", "@package:")) and not any(
        map(str.isspace, value)
    )


def _digest(value: str) -> str:
    return f"sha256-{hashlib.sha256(value.encode()).hexdigest()[:32]}"
