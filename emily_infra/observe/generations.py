"""Which systems the machine has: running, started with, default of the profile, next at a boot."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from emily_infra.observe.answer import Answer
from emily_infra.observe.links import Links, below
from emily_infra.observe.values import json_of, number, word

_LINK = re.compile(r"(?:.*/)?system-([0-9]{1,9})-link")
_NUMBERS = re.compile(r"\d+|\D+")
_INIT = re.compile(r"(?:^|\s)init=(\S+)")
_COUNTED = re.compile(r"\+[0-9]+(?:-[0-9]+)?(?=\.conf$)")
_ENTRIES = "/boot/loader/entries/"
_VARIABLES = "/sys/firmware/efi/efivars"
_PROFILE = "/nix/var/nix/profiles/system"
_ROOTS = ("/run/current-system", "/run/booted-system", _PROFILE)


@dataclass(frozen=True)
class System:
    """A built system (a toplevel), as far as it says what a switch to it takes."""

    toplevel: str = ""
    kernel: str = ""
    initrd: str = ""
    modules: str = ""
    params: str = ""
    version: str = ""
    interface: str = ""
    """init-interface-version: where it differs, only a reboot leads there."""
    inhibitors: Mapping[str, str] = field(default_factory=dict)

    @property
    def kernels(self) -> tuple[str, str, str]:
        """What only a boot loads, as real paths."""
        return (self.kernel, self.initrd, self.modules)


@dataclass(frozen=True)
class Generation:
    """An entry of the system profile."""

    number: int
    toplevel: str
    created: int
    """Seconds since 1970."""
    version: str = ""
    kernel: str = ""


@dataclass(frozen=True)
class Generations:
    """The systems a machine could run, and which one it does."""

    current_system: System = field(default_factory=System)
    booted_system: System = field(default_factory=System)
    profile_system: System = field(default_factory=System)
    number: int | None = None
    """Of the generation that the profile points to."""
    boot_default: str = ""
    """The toplevel that the boot loader starts by itself; empty where that cannot be known."""
    boot_override: bool = False
    """Whether a variable of the firmware, and not loader.conf, says so."""
    generations: tuple[Generation, ...] = ()

    @property
    def current(self) -> str:
        """The running toplevel."""
        return self.current_system.toplevel

    @property
    def booted(self) -> str:
        """The toplevel that this boot began with."""
        return self.booted_system.toplevel

    @property
    def profile(self) -> str:
        """The toplevel that the system profile points to."""
        return self.profile_system.toplevel

    @property
    def init_interface_version(self) -> str:
        """Of the running system."""
        return self.current_system.interface

    @property
    def inhibitors(self) -> Mapping[str, str]:
        """Of the running system: what must not change without a reboot."""
        return self.current_system.inhibitors

    @property
    def reboot_pending(self) -> bool:
        """Whether a reboot would load another kernel, initrd or modules than are running."""
        return bool(self.profile) and self.booted_system.kernels != self.profile_system.kernels

    def of(self, toplevel: str) -> tuple[int, ...]:
        """The numbers of the generations that are this toplevel."""
        return tuple(each.number for each in self.generations if each.toplevel == toplevel)


def generations(answer: Answer, texts: Mapping[str, str], links: Links) -> Generations:
    """Everything that the machine says of its systems."""
    loader = answer.texts("boot_loader")
    entry, override = default_entry(loader)
    real = answer.read("systems", lambda text: text.split("\0"))
    current, booted, default = (
        _system(root, real[4 * at : 4 * at + 4], texts) for at, root in enumerate(_ROOTS)
    )
    profile = _LINK.fullmatch(links[_PROFILE].target) if _PROFILE in links else None
    return Generations(
        current_system=current,
        booted_system=booted,
        profile_system=default,
        number=number(profile[1]) if profile else None,
        boot_default=toplevel_of(entry),
        boot_override=override,
        generations=_listed(texts, links),
    )


def _system(root: str, real: list[str], texts: Mapping[str, str]) -> System:
    toplevel = real[0] if real else ""
    if not toplevel.startswith("/nix/store/"):
        return System()  # readlink -m names a path even where nothing is
    parts = ["" if path.startswith(f"{toplevel}/") else path for path in (*real[1:], "", "", "")]
    inhibitors = _inhibitors(texts.get(f"{root}/switch-inhibitors", ""))
    return System(
        toplevel=toplevel,
        kernel=parts[0],
        initrd=parts[1],
        modules=parts[2],
        params=texts.get(f"{root}/kernel-params", ""),
        version=texts.get(f"{root}/nixos-version", ""),
        interface=texts.get(f"{root}/init-interface-version", ""),
        inhibitors=inhibitors,
    )


def _inhibitors(text: str) -> dict[str, str]:
    try:
        found = json_of(text)
    except (ValueError, RecursionError):
        return {}
    return {name: word(found, name) for name in sorted(found)} if isinstance(found, dict) else {}


def _listed(texts: Mapping[str, str], links: Links) -> tuple[Generation, ...]:
    found = []
    for link in below(links, _PROFILE.rpartition("/")[0]):
        if named := _LINK.fullmatch(link.name):
            kernel = links.get(f"{link.path}/kernel")
            version = texts.get(f"{link.path}/nixos-version", "")
            of_kernel = kernel.target if kernel else ""
            found.append(Generation(int(named[1]), link.target, link.changed, version, of_kernel))
    return tuple(sorted(found, key=lambda each: each.number))


def default_entry(loader: Mapping[str, str]) -> tuple[str, bool]:
    """What stands in the entry that starts by itself, and whether the firmware says so."""
    chosen = [
        _variable(text)
        for name in ("LoaderEntryOneShot", "LoaderEntryDefault")
        for path, text in sorted(loader.items())
        if path.startswith(f"{_VARIABLES}/{name}")
    ]
    menu = loader.get("/boot/loader/loader.conf", "")
    wanted = [*chosen, setting(menu, "preferred"), setting(menu, "default")]
    entries = {
        _COUNTED.sub("", path.removeprefix(_ENTRIES)): text
        for path, text in sorted(loader.items())
        if path.startswith(_ENTRIES)
    }
    for rank, pattern in enumerate(wanted):
        for name in sorted(entries, key=lambda name: _rank(name, entries[name]), reverse=True):
            stem = name.removesuffix(".conf")
            if pattern and fnmatch.fnmatchcase(stem, pattern.removesuffix(".conf")):
                return entries[name], rank < len(chosen)
    return "", False


def _rank(name: str, entry: str) -> list[tuple[int, str]]:
    """The order of the loader's menu: by version, numbers in it as numbers."""
    parts = _NUMBERS.findall(setting(entry, "version") or name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _variable(text: str) -> str:
    """UTF-16 of plain letters behind four bytes of attributes, read as if it were UTF-8."""
    return "".join(letter for letter in text if letter.isprintable())


def setting(text: str, key: str) -> str:
    """The value of a key of loader.conf, or of an entry."""
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        if name == key:
            return value.strip()
    return ""


def toplevel_of(entry: str) -> str:
    """The system that a boot entry starts."""
    init = _INIT.search(setting(entry, "options"))
    return init[1].removesuffix("/init") if init else ""
