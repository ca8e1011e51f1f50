"""The shipped host pebble as a probe finds it on a good day."""

import json

from emily_infra.observe import Observation
from tests.hosts import ROOT, shipped
from tests.observe.made import Body, archive, datasets, links, rows, seen, texts

NOW = 1_795_260_000
OLD = "/nix/store/0000000000000000000000000000000a-nixos-system-pebble-26.05.1"
NEW = "/nix/store/1111111111111111111111111111111b-nixos-system-pebble-26.05.2"
KERNEL = "/nix/store/2222222222222222222222222222222c-linux-6.12.41/bzImage"
DEPLOY = "20261121T080000Z-4f2a9c"
RECORD = f"/var/lib/emily/deploys/{DEPLOY}"
_DISKS = ("ata-WDC_WD40EFRX_1", "ata-WDC_WD40EFRX_2")
_STATUS = """\
  pool: tank
 state: ONLINE
  scan: scrub repaired 0B in 02:11:09 with 0 errors on Sun Nov  1 02:11:09 2026
config:

	NAME                                          STATE     READ WRITE CKSUM
	tank                                          ONLINE       0     0     0
	  mirror-0                                    ONLINE       0     0     0
	    /dev/disk/by-id/ata-WDC_WD40EFRX_1-part1  ONLINE       0     0     0
	    /dev/disk/by-id/ata-WDC_WD40EFRX_2-part1  ONLINE       0     0     0

errors: No known data errors
"""  # noqa: E101
_GUIDS = """\
  pool: tank
 state: ONLINE
config:

	NAME                     STATE     READ WRITE CKSUM
	tank                     ONLINE       0     0     0
	  101                    ONLINE       0     0     0
	    102                  ONLINE       0     0     0
	    103                  ONLINE       0     0     0
"""  # noqa: E101
_SIZES = """\
tank	3985729650688	1594291860275	2391437790413	-	-	7	40	1.00	ONLINE	-
	mirror-0	3985729650688	1594291860275	2391437790413	-	-	7	40	-	ONLINE
	/dev/disk/by-id/ata-WDC_WD40EFRX_1-part1	4000785948160	-	-	-	-	-	-	-	ONLINE
	/dev/disk/by-id/ata-WDC_WD40EFRX_2-part1	4000785948160	-	-	-	-	-	-	-	ONLINE
"""
_DATASETS = datasets(
    {"tank": {"type": "filesystem", "guid": "7001", "used": "1594291860275",
              "available": "2200000000000", "referenced": "98304", "mounted": "no",
              "creation": "1700000000", "recordsize": "131072", "compression": "on",
              "mountpoint": "none", "quota": "0", "reservation": "0",
              "snapshots_changed": "1795259000"},
     "tank/home": {"type": "filesystem", "guid": "7002", "used": "1594291000000",
                   "available": "2200000000000", "referenced": "98304", "mounted": "yes",
                   "creation": "1700000001", "recordsize": "131072 local", "compression": "zstd",
                   "mountpoint": "legacy local", "quota": "0", "reservation": "0",
                   "special_small_blocks": "0", "snapshots_changed": "1795259300"}}
)  # fmt: skip


def systems(
    current: str = NEW, booted: str = OLD, default: str = NEW, old_kernel: str = KERNEL
) -> str:
    """The real paths of the three systems; what was booted may be of another kernel."""
    found = []
    for toplevel, kernel in ((current, KERNEL), (booted, old_kernel), (default, KERNEL)):
        found += [toplevel, kernel, f"{kernel}.initrd", f"{kernel}.modules"]
    return "".join(f"{path}\0" for path in found)


def basics(**files: str) -> str:
    """The small texts of a good day, with some laid over by their last name."""
    found = {
        path: files.pop(path.rpartition("/")[2].replace("-", "_").replace(".", "_"), text)
        for path, text in TEXTS.items()
    }
    assert not files, files
    return texts(found)


def record(verdict: str = "committed", **details: str) -> dict[str, str]:
    """A deploy's files."""
    settings = {
        "ID": DEPLOY, "WHO": "colter", "FROM_WHERE": "minnesota", "HOST": "pebble", "OLD": OLD,
        "OLD_GENERATION": "41", "NEW": NEW, "KIND": "live", "STARTED": "2026-11-21T08:00:00Z",
    }  # fmt: skip
    events = [
        {"at": "2026-11-21T08:00:00Z", "event": "leased"},
        {"at": "2026-11-21T08:00:31Z", "event": "activated", "status": 0},
        {"at": "2026-11-21T08:00:44Z", "event": verdict, **details},
    ]
    return {
        f"{RECORD}/settings": "".join(f"{name}='{value}'\n" for name, value in settings.items()),
        f"{RECORD}/events": "".join(f"{json.dumps(event)}\n" for event in events),
    }


def source() -> dict[str, Body]:
    """The files of hosts/pebble, which the running system was made from."""
    home = ROOT / "hosts/pebble"
    return {
        str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()
    }


def interfaces(*addresses: str) -> str:
    """The one card of pebble."""
    listed = [address.split("/") for address in addresses]
    entry = {
        "ifname": "lan", "flags": ["BROADCAST", "UP", "LOWER_UP"], "mtu": 1500,
        "address": "52:54:00:00:00:10",
        "addr_info": [{"local": ip, "prefixlen": int(length)} for ip, length in listed],
    }  # fmt: skip
    return json.dumps([{"ifname": "lo", "flags": [], "addr_info": []}, entry])


def disks() -> str:
    """Two disks of 4 TB, partitioned by ZFS."""
    found = []
    for letter in "ab":
        whole = {"name": f"sd{letter}", "type": "disk", "size": 4_000_787_030_016, "pttype": "gpt"}
        found += [whole, {"name": f"sd{letter}1", "type": "part", "pkname": f"sd{letter}",
                          "size": 4_000_785_948_160, "fstype": "zfs_member"}]  # fmt: skip
    return json.dumps({"blockdevices": found})


TXGS = """\
txg      birth            state ndirty       nread        nwritten     reads    writes   otime        qtime        wtime        stime
900      1039990000000000 C     0            0            0            0        0        4000000000   1000000      2000000      3000000
901      1039994000000000 O     0            0            0            0        0        0            0            0            0
"""  # noqa: E501
_PROFILES = "/nix/var/nix/profiles"
TEXTS = {
    "/proc/sys/kernel/hostname": "pebble",
    "/proc/sys/kernel/arch": "x86_64",
    "/proc/sys/kernel/osrelease": "6.12.41",
    "/proc/uptime": "1040000.12 5.0",
    "/proc/meminfo": "MemTotal:       16303280 kB\nMemFree: 1 kB",
    "/proc/self/mounts": "/dev/sdc1 / ext4 rw 0 0\ntank/home /srv/home zfs rw 0 0",
    "/proc/locks": "1: FLOCK  ADVISORY  WRITE 4 00:19:76 0 EOF",
    "/sys/devices/system/cpu/online": "0-3",
    "/etc/os-release": 'ID=nixos\nPRETTY_NAME="NixOS 26.05 (Yarara)"',
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\ncolter:x:1000:100::/home/colter:/bin/bash\n"
    "nixbld1:x:30001:30000::/var/empty:/sbin/nologin",
    "/etc/samba/smb.conf": """\
[global]
workgroup = WORKGROUP
[home]
path = /srv/home
valid users = colter
read only = no
inherit permissions = yes
hosts allow = 127.0.0.1 ::1 192.168.1.0/24
vfs objects = shadow_copy2
shadow:snapdir = .zfs/snapshot
shadow:format = emily-%Y%m%dT%H%M%SZ
shadow:localtime = no
shadow:sort = desc
""",
    "/run/systemd/transient/emily-deploy.service": "",
    "/run/current-system/switch-inhibitors": '{"dbus":"broker"}',
    "/run/current-system/init-interface-version": "1",
    f"{_PROFILES}/system-41-link/nixos-version": "26.05.1",
    f"{_PROFILES}/system-42-link/nixos-version": "26.05.2",
}
LINKS = (
    ("/etc/NIXOS", ""),
    (f"{_PROFILES}/system", "system-42-link"),
    (f"{_PROFILES}/system-41-link", OLD),
    (f"{_PROFILES}/system-42-link", NEW),
    (f"{_PROFILES}/system-41-link/kernel", KERNEL),
    (f"{_PROFILES}/system-42-link/kernel", KERNEL),
    ("/run/nixos/switch-to-configuration.lock", ""),
)
BY_ID = (
    (f"/dev/disk/by-id/{_DISKS[0]}", "../../sda"),
    (f"/dev/disk/by-id/{_DISKS[1]}", "../../sdb"),
    (f"/dev/disk/by-id/{_DISKS[0]}-part1", "../../sda1"),
    (f"/dev/disk/by-id/{_DISKS[1]}-part1", "../../sdb1"),
)
LOADER = {
    "/boot/loader/loader.conf": "timeout 5\ndefault nixos-generation-42.conf\n",
    "/boot/loader/entries/nixos-generation-41.conf": f"title 41\noptions init={OLD}/init quiet\n",
    "/boot/loader/entries/nixos-generation-42+3.conf": f"title 42\noptions init={NEW}/init quiet\n",
}
METRICS = {
    "/var/lib/emily/metrics/snapshots.prom": "# HELP x y\nemily_snapshot_newest_timestamp_seconds"
    '{dataset="tank/home"} 1.7952593e+09',
    "/var/lib/emily/metrics/emily-offsite-shed.prom": "emily_backup_last_success_timestamp_seconds"
    '{repository="shed"} 1.79525e+09',
    "/var/lib/emily/metrics/emily-drill.prom": 'emily_restore_test_success{repository="shed"} 1.0\n'
    'emily_restore_test_last_success_timestamp_seconds{repository="shed"} 1.795e+09',
}
KSTAT = {
    "/proc/spl/kstat/zfs/fm": "9 1 0x01 5 1360 94078108981 1040000000000000\nname type data",
    "/proc/spl/kstat/zfs/tank/state": "ONLINE",
    "/proc/spl/kstat/zfs/tank/txgs": TXGS,
}
SECTIONS: dict[str, Body] = {
    "basics": basics(),
    "boot_loader": texts(LOADER),
    "state": texts(record() | METRICS),
    "links": links(*LINKS, *BY_ID),
    "systems": systems(),
    "clock": f"{NOW}\n",
    "host_id": f"{shipped('pebble').spec.system.host_id}\n",
    "units": json.dumps(
        [
            {"unit": name, "load": "loaded", "active": "active", "sub": "running"}
            for name in ("sshd.service", "samba-smbd.service", "tank.mount")
        ]
    ),
    "space": rows(
        ("/", "4096", "1000000", "600000", "1000", "900"),
        ("/boot", "4096", "100000", "60000", "0", "0"),
    ),
    "kernel_on_pools": texts(KSTAT),
    "pools": "".join(
        f"tank\t{name}\t{source}\t{value}\n"
        for name, source, value in (
            ("size", "-", "3985729650688"),
            ("allocated", "-", "1594291860275"),
            ("free", "-", "2391437790413"),
            ("fragmentation", "-", "7"),
            ("guid", "-", "5501"),
            ("health", "-", "ONLINE"),
            ("ashift", "local", "12"),
            ("feature@block_cloning", "local", "active"),
        )
    ),
    "pool_status": _STATUS,
    "pool_guids": _GUIDS,
    "pool_sizes": _SIZES,
    "pool.1.name": "tank",
    "pool.1.datasets": _DATASETS,
    "block_devices": disks(),
    "interfaces": interfaces("192.168.1.10/24", "fe80::1/64"),
    "way_in": "192.168.1.77 50022 192.168.1.10 22",
    "handshakes": "",
    "table": "table inet emily {\n\tchain input {\n\t\ttcp dport 22 accept\n\t}\n}",
    "wished_table": "table inet emily {\n\tchain input {\n\t\ttcp dport 22 accept\n\t}\n}",
    "source": archive(source()),
}


def on_a_bad_day(**sections: Body) -> Observation:
    """Pebble with some sections of the answer laid over the good ones."""
    return seen({**SECTIONS, **{name.replace("__", "."): body for name, body in sections.items()}})
