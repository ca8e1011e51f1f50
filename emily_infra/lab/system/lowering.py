"""From merged modules to everything that a toplevel holds. Pure: no disk, no clock, no Nix."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from emily_infra.lab.system.config import Config
from emily_infra.lab.system.merge import merge
from emily_infra.lab.system.nixos import ROUNDS, base
from emily_infra.lab.system.nixos.accounts import accounts
from emily_infra.lab.system.nixos.nftables import RULES
from emily_infra.lab.system.nixos.zfs import mounted_in_the_lab
from emily_infra.lab.system.options import Answers, answers, is_lines, without_left_out
from emily_infra.lab.system.overrides import Overrides
from emily_infra.lab.system.tree import File, Link, StoreText, token
from emily_infra.lab.system.units import Unit, Units, units

UNITS = "etc/systemd/system"
_VENDOR_UNITS = "/usr/lib/systemd/system"
_VENDOR = ("systemd-", "zfs-mount.", "zfs-share.", "zfs-zed.", "zfs.", "zfs-import.", "local-fs.",
           "remote-fs.", "emergency.")  # fmt: skip
"""How units begin that Debian ships: ours add to them, as NixOS's do to systemd's own."""
_INTERFACE = "init-interface-version"
_OURS = ("systemd-tmpfiles-resetup.",)


@dataclass(frozen=True)
class Lowered:
    """What a toplevel consists of; texts may hold tokens of packages and of `texts`."""

    entries: Mapping[str, File | Link]
    texts: Mapping[str, StoreText]
    software: tuple[str, ...]
    """What is in the path of people, as packages."""
    answers: Answers


@dataclass(frozen=True)
class Setting:
    """What a host's modules don't say: about its lab, and about what could not be read."""

    secrets: Mapping[str, str]
    """Run-time files by path, with their kind."""
    user: str
    """Who deploys."""
    overrides: Overrides = Overrides()  # noqa: RUF009 - frozen
    aside: Mapping[str, str] = field(default_factory=dict)
    """What is left out beside options, such as packages, with the reason."""


def lower(modules: Iterable[tuple[str, object]], setting: Setting) -> Lowered:
    """Everything of a host's generation."""
    host = setting.overrides.apply(merge(modules, is_lines), setting.user)
    config = Config(host)
    found = answers(host, {**setting.aside, **_file_systems(config)})
    definitions: list[tuple[str, object]] = [("the host", without_left_out(host))]
    for each in ROUNDS:
        now = Config(merge(definitions, is_lines))
        definitions += [(name, module(now)) for name, module in each]
    whole = Config(_patient(merge(definitions, is_lines), setting.overrides))
    made = units(whole)
    return Lowered(
        entries={
            **_units(made),
            **dict(_etc(whole)),
            **_record(whole, found, setting),
            **_identity(config, setting.overrides),
        },
        texts=_texts(whole, made),
        software=tuple(config.texts("environment", "systemPackages")),
        answers=found,
    )


@dataclass(frozen=True)
class Boot:
    """What decides about kernel and initrd, and the words that the kernel is given."""

    settings: str
    parameters: tuple[str, ...]


def boot(modules: Iterable[tuple[str, object]]) -> Boot:
    """The boot of a host, for which NixOS would make another kernel or initrd if it changed."""
    config = Config(merge(modules, is_lines))
    decides = ("extraModulePackages", "initrd", "kernelPackages", "supportedFilesystems")
    settings = {name: config.at("boot", name) for name in decides}
    text = json.dumps(settings, sort_keys=True).replace("@package:", "")
    return Boot(text, ("loglevel=4", *config.texts("boot", "kernelParams")))


def _patient(values: dict[str, object], overrides: Overrides) -> dict[str, object]:
    for _, service in Config(values).named("systemd", "services"):
        options = service.at("serviceConfig")
        if isinstance(options, dict):
            options.update(overrides.stretch(options))
    return values


def _identity(config: Config, overrides: Overrides) -> dict[str, File | Link]:
    """The files by which NixOS's tools know a toplevel and decide how it can be switched to."""
    inhibitors = {"dbus-implementation": "dbus"} | dict(
        config.below("system", "switch", "inhibitors").values
    )
    release = config.text("system", "stateVersion", default="26.05")
    return {
        "nixos-version": File(f"{release}.lab\n"),
        "system": File("x86_64-linux"),
        _INTERFACE: File(overrides.interface),
        "switch-inhibitors": File(json.dumps(inhibitors | dict(overrides.inhibitors)) + "\n"),
    }


def _file_systems(config: Config) -> dict[str, str]:
    reason = "the lab runs from a disk of its own"
    return {
        f"fileSystems.{path}": reason
        for path, _ in config.named("fileSystems")
        if not mounted_in_the_lab(path)
    }


def _units(made: Units) -> dict[str, File | Link]:
    entries: dict[str, File | Link] = {f"{UNITS}/default.target": _vendor("multi-user.target")}
    for unit in made.units:
        entries |= _unit(unit)
    return entries


def _unit(unit: Unit) -> dict[str, File | Link]:
    vendor = unit.name.startswith(_VENDOR) and not unit.name.startswith(_OURS)
    if not unit.enabled:
        return {f"{UNITS}/{unit.name}": Link("/dev/null")}
    place = f"{UNITS}/{unit.name}.d/overrides.conf" if vendor else f"{UNITS}/{unit.name}"
    entries: dict[str, File | Link] = {place: File(unit.text)}
    target = _vendor(unit.name) if vendor else Link(f"../{unit.name}")
    for kind, others in (
        ("wants", unit.wanted_by),
        ("requires", unit.required_by),
        ("upholds", unit.upheld_by),
    ):
        entries |= {f"{UNITS}/{other}.{kind}/{unit.name}": target for other in others}
    beside = _vendor(unit.name) if vendor else Link(unit.name)
    return entries | {f"{UNITS}/{alias}": beside for alias in unit.aliases}


def _vendor(name: str) -> Link:
    return Link(f"{_VENDOR_UNITS}/{name}")


def _etc(config: Config) -> Iterator[tuple[str, File | Link]]:
    for name, options in config.named("environment", "etc"):
        if not options.flag("enable", default=True):
            continue
        place = f"etc/{options.text('target', default=name)}"
        source = options.text("source")
        yield place, Link(source) if source else File(options.text("text"))
    zone = config.text("time", "timeZone", default="UTC")
    yield "etc/localtime", Link(f"/usr/share/zoneinfo/{zone}")
    yield "etc/NIXOS", File("")
    if config.text("networking", "hostId"):
        yield "etc/hostid", File(base.host_id(config))


def _record(config: Config, found: Answers, setting: Setting) -> dict[str, File | Link]:
    copies = {
        options.text("target", default=name): {
            "mode": options.text("mode"),
            "user": options.text("user", default="root"),
            "group": options.text("group", default="root"),
        }
        for name, options in config.named("environment", "etc")
        if options.text("mode", default="symlink") not in ("symlink", "direct-symlink")
    }
    loader = config.below("boot", "loader", "systemd-boot")
    document = {
        "exercised": found.exercised,
        "left_out": [asdict(one) for one in found.left_out],
        "copies": copies | {"sudoers": {"mode": "0440", "user": "root", "group": "root"}},
        "secrets": dict(sorted(setting.secrets.items())),
        "limit": int(loader.text("configurationLimit", default="0")),
        "editor": loader.flag("editor", default=True),
        "ruleset": token(RULES) if config.flag("networking", "nftables", "enable") else "",
    }
    return {
        "emily/lab.json": File(json.dumps(document, indent=1, sort_keys=True) + "\n"),
        "emily/accounts.json": File(accounts(config)),
    }


def _texts(config: Config, made: Units) -> dict[str, StoreText]:
    named = config.below("lab", "texts")
    return {
        **{name: StoreText(named.text(name)) for name in sorted(named.values)},
        **made.scripts,
    }
