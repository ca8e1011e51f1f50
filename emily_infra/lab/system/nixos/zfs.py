"""ZFS: pools imported at boot, datasets mounted, scrubs and trims on their days."""

from collections.abc import Iterator

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package
from emily_infra.spec.topology import BOOT_PATHS

_OWN = BOOT_PATHS | {"/boot", "/root", "/run", "/tmp"}  # noqa: S108
"""What the lab's own disk holds; a dataset over one of these would hide the machine itself."""


def lower(config: Config) -> Values:
    """Import services, mounts of data, and the upkeep that host.yaml orders."""
    if not config.flag("boot", "supportedFilesystems", "zfs"):
        return {}
    services: Values = {f"zfs-import-{pool}": _import(config, pool) for pool in pools(config)}
    timers: Values = {}
    for name, command, options in _upkeep(config):
        services[name] = {
            "description": f"ZFS pools: {name}",
            "after": ["zfs-import.target"],
            "serviceConfig": {"Type": "simple", "ExecStart": command},
        }
        timers[name] = {
            "wantedBy": ["timers.target"],
            "timerConfig": {"OnCalendar": options.text("interval"), "Persistent": "yes"},
        }
    wanted = {"wantedBy": ["zfs.target"]}
    services |= dict.fromkeys(("zfs-mount", "zfs-share", "zfs-zed"), wanted)
    return {
        "environment": {"etc": {"zfs/zed.d/zed.rc": {"text": _zed(config)}}},
        "systemd": {
            "services": services,
            "timers": timers,
            "mounts": dict(_mounts(config)),
            "targets": {
                # NixOS imports the root pool in its initrd; the lab's has none.
                "zfs-import": {"wantedBy": ["zfs.target"]},
                "zfs": {"wantedBy": ["multi-user.target"]},
            },
        },
    }


def pools(config: Config) -> list[str]:
    """Every pool that file systems or `extraPools` name."""
    named = {device.split("/")[0] for _, device, _ in _datasets(config)}
    return sorted(named.union(config.texts("boot", "zfs", "extraPools")))


def mounted_in_the_lab(path: str) -> bool:
    """Whether a mount point holds data, and not what the lab's machine runs from."""
    return path not in _OWN


def unit_of(path: str) -> str:
    """The name of a mount's unit, without its suffix."""
    escaped = []
    for position, letter in enumerate(path.strip("/")):
        if letter == "/":
            escaped.append("-")
        elif letter.isascii() and (
            letter.isalnum() or letter in ":_" or (letter == "." and position)
        ):
            escaped.append(letter)
        else:
            escaped += [f"\\x{byte:02x}" for byte in letter.encode()]
    return "".join(escaped)


def _datasets(config: Config) -> Iterator[tuple[str, str, Config]]:
    for path, options in config.named("fileSystems"):
        if options.text("fsType") == "zfs":
            yield path, options.text("device"), options


def _mounts(config: Config) -> Iterator[tuple[str, Values]]:
    for path, device, options in _datasets(config):
        if not mounted_in_the_lab(path):
            continue
        pool = device.split("/")[0]
        yield (
            unit_of(path),
            {
                "after": [f"zfs-import-{pool}.service"],
                "requires": [f"zfs-import-{pool}.service"],
                # A host is deployed to its lab before anybody has created its pools there.
                "unitConfig": {"ConditionPathExists": f"/proc/spl/kstat/zfs/{pool}/state"},
                "wantedBy": ["local-fs.target"],
                "mountConfig": {
                    "What": device,
                    "Where": path,
                    "Type": "zfs",
                    "Options": ",".join(options.texts("options", default=("defaults",))),
                },
            },
        )


def _import(config: Config, pool: str) -> Values:
    nodes = config.text("boot", "zfs", "devNodes", default="/dev/disk/by-id")
    return {
        "description": f'Import ZFS pool "{pool}"',
        "after": ["systemd-modules-load.service", "systemd-udev-trigger.service"],
        "before": ["shutdown.target", "zfs-import.target"],
        "conflicts": ["shutdown.target"],
        "requiredBy": ["zfs-import.target"],
        "path": [package("zfs"), package("kmod"), package("gawk")],
        "unitConfig": {"DefaultDependencies": "no"},
        "serviceConfig": {"Type": "oneshot", "RemainAfterExit": True},
        "script": _IMPORT.format(pool=pool, nodes=nodes),
    }


_IMPORT = """\
modprobe zfs
if zpool list {pool} >/dev/null 2>&1; then
  exit 0
fi
state() {{
  zpool import -d {nodes} 2>/dev/null |
    awk '$1 == "pool:" {{ found = $2 == "{pool}" }} found && $1 == "state:" {{ print $2; exit }}'
}}
# Disks appear one by one. An import without some of them would leave the pool without redundancy.
udevadm settle --timeout=60 || :
for second in $(seq 1 60); do
  case "$(state)" in
    ONLINE) exec zpool import -d {nodes} -N {pool} ;;
    "") if [ "$second" -ge 10 ]; then
          echo "no disk of the lab holds a pool called {pool}"
          exit 0
        fi ;;
  esac
  sleep 1
done
exec zpool import -d {nodes} -N {pool}
"""


def _upkeep(config: Config) -> Iterator[tuple[str, str, Config]]:
    scrub = config.below("services", "zfs", "autoScrub")
    if scrub.flag("enable"):
        named = " ".join(scrub.texts("pools"))
        yield "zfs-scrub", f"{package('zfs')}/bin/zpool scrub -w {named}", scrub
    trim = config.below("services", "zfs", "trim")
    if trim.flag("enable", default=True) and trim.text("interval"):
        yield "zpool-trim", f"{package('zfs')}/bin/zpool trim {' '.join(pools(config))}", trim


def _zed(config: Config) -> str:
    settings = config.below("services", "zfs", "zed", "settings").values
    return "".join(f'{key}="{value}"\n' for key, value in sorted(settings.items()))
