"""A host that keeps backups, in its lab: its repository, its far side, its secrets."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emily_infra.lab import Lab, Plan
from emily_infra.spec.host import Host
from tests.lab.rehearsal import Rehearsal

PASSWORD = "a long word that nobody guesses"
SHELF = "/var/lib/shelf"
_SECRETS = "/run/lab/secrets"
_IN = "PATH=/run/current-system/sw/bin:$PATH nsenter --target 1 --net emily-infra backup"
"""The console stands outside of the host's own network."""
_DISKS = "disk-5: { size: 1TB, bay: 5 }, disk-6: { size: 1TB, bay: 6 }"
_HOST = """
deploy: {{ tags: [keeper] }}
storage:
  disks: {{ {disks} }}
  pools:
    tank:
      datasets:
        work: {{ mountpoint: /srv/work, snapshots: often }}
        work/deep: {{ mountpoint: /srv/work/deep, snapshots: often }}
        db: {{ mountpoint: /srv/db, snapshots: often, recordsize: 16KiB }}
        loose: {{ snapshots: none }}
    barn:
      data: [ {{ mirror: [disk-5, disk-6] }} ]
      datasets: {{ replicas: {{ snapshots: none }},
        kept: {{ mountpoint: /srv/kept, snapshots: often }} }}
samba: null
backup:
  snapshots: {{ often: {{ frequent: 4, hourly: 24, daily: 7 }} }}
  quiesce:
    ledger: {{ before: ledger-dump.service, datasets: [tank/db], deadline: 10min, required: true }}
  offsite:
    shelf: {{ repository: {shelf}, password: secret:restic,
      datasets: [tank/work, tank/db, barn/kept],
      verify: {{ whole_in: 4d }} }}
  replicas:
    barn: {{ address: 127.0.0.2, host_key: "{host_key}", key: secret:replica,
      into: barn/replicas, datasets: [tank/work] }}
  receives:
    keeper: {{ key: "{public}", into: barn/replicas, keep: {{ hourly: 8, daily: 7 }} }}
  drill: {{ schedule: weekly, full: monthly, files: 20, size: 10MB }}
  checks:
    ledger: {{ dump: /srv/db/ledger.dump, query: "select sum(amount) = 0 from entries" }}
  exempt: {{ tank/work: null, tank/loose: nothing stands in it,
    barn/replicas: it is itself a copy of tank }}
secrets: {{ restic: {{}}, replica: {{}}, smb-colter: null }}
"""
_HARDWARE = """
  systemd.services.ledger-dump = {
    description = "Dump the ledger";
    serviceConfig = {
      Type = "oneshot";
      User = "postgres";
      ExecCondition = "/usr/bin/test -S /run/ledger/.s.PGSQL.5432";
      ExecStart = [
        "/usr/lib/postgresql/17/bin/pg_dump -h /run/ledger -Fc -f /srv/db/ledger.new ledger"
        "/bin/mv /srv/db/ledger.new /srv/db/ledger.dump"
      ];
    };
  };
"""
_LEDGER = """
set -e
install -d -o postgres -g postgres /run/ledger /srv/db
bin=/usr/lib/postgresql/17/bin
as() {{ setpriv --reuid postgres --regid postgres --clear-groups "$@"; }}
if [ ! -d /var/lib/ledger ]; then
  install -d -o postgres -g postgres /var/lib/ledger
  as $bin/initdb -D /var/lib/ledger -A trust --no-sync >/dev/null
fi
as $bin/pg_ctl -D /var/lib/ledger status >/dev/null ||
  as $bin/pg_ctl -D /var/lib/ledger -w -t 300 -l /var/lib/ledger/log -o "-k /run/ledger -h ''" start
as $bin/psql -h /run/ledger -qc 'create database ledger' postgres 2>/dev/null || :
as $bin/psql -h /run/ledger -qc 'create table if not exists entries (id serial, amount int)' ledger
"""
MOUNTED = "systemctl start srv-work.mount srv-db.mount srv-work-deep.mount srv-kept.mount"
"""What `mount -a` is where the mounts stand in fstab."""
# A machine that is starved while it boots may give up its search for pools.
_UP = f"""
systemctl is-system-running --wait >/dev/null || :
zpool list tank barn >/dev/null 2>&1 || zpool import -aN -d /dev/disk/by-id
{MOUNTED}
mountpoint -q /srv/work/deep || {{ systemctl --failed; zpool list; exit 1; }} >&2
"""
# Everything that a copy has to keep, a line for each file and folder.
_CONTENTS = """
cat >/run/contents.py <<'END'
import hashlib, os, stat, sys
for top in map(os.fsencode, sys.argv[1:]):
    for folder, folders, files in os.walk(top):
        folders.sort()
        for path in (os.path.join(folder, name) for name in (b".", *sorted(files))):
            is_ = os.lstat(path)
            body = open(path, "rb").read() if stat.S_ISREG(is_.st_mode) else b""
            print(path, oct(is_.st_mode), is_.st_uid, is_.st_gid, is_.st_mtime_ns, is_.st_nlink,
                  hashlib.sha256(body).hexdigest(),
                  [(name, os.getxattr(path, name)) for name in sorted(os.listxattr(path))])
END
python3 /run/contents.py /srv/work /srv/db
"""
# Who writes to a pool without disks is never ended: nobody waits for that, or holds its pipes.
_SUSPENDED = """
for number in 5 6; do
  disk=$(basename "$(readlink -f /dev/disk/by-id/disk-$number)")
  echo 1 >"/sys/block/$disk/device/../remove"
done
rm -f /run/landed
cat >/run/late <<'END'
echo late >/srv/kept/late && sync /srv/kept/late && touch /run/landed
END
nohup setsid sh /run/late </dev/null >/dev/null 2>&1 &
until grep -q SUSPENDED /proc/spl/kstat/zfs/barn/state; do sleep 1; done
"""
_RETURNED = """
echo 1 >/sys/bus/pci/rescan; udevadm settle
timeout 120 zpool clear barn
until test -e /run/landed; do sleep 1; done
cat /srv/kept/late
"""
# The repository stands for one in another house; the pool `barn` has survived.
_LOST = """
umount /srv/work/deep /srv/work /srv/db; zpool destroy tank
rm -rf /var/lib/emily /var/cache/emily /srv/work /srv/db
for number in 1 2 3 4; do
  blkdiscard -f /dev/disk/by-id/disk-$number; wipefs -qa /dev/disk/by-id/disk-$number
done
udevadm settle
"""
PSQL = "setpriv --reuid postgres --regid postgres --clear-groups psql -h /run/ledger -qAt ledger -c"


@dataclass
class Keeper:
    """The machine with its pools, and root on it."""

    stage: Rehearsal
    root: Path

    # --- root at the console

    def console(self, script: str, deadline: float = 900) -> str:
        """Its output; a failing command fails the test."""
        return self.stage.console(f"set -e\n{script}\n", deadline=deadline)

    def backup(self, *words: str, deadline: float = 900) -> tuple[int, str]:
        """`emily-infra backup ...` by hand, on the machine: exit code and everything said."""
        command = " ".join(f"'{word}'" for word in words)
        said = self.console(f"{_IN} {command} 2>&1 && c=0 || c=$?; echo; echo $c",
                            deadline=deadline)  # fmt: skip
        text, _, code = said.rstrip("\n").rpartition("\n")
        assert "Traceback" not in text, text
        return int(code), text

    def data(self, *words: str) -> Any:
        """What a command says with --json."""
        command = " ".join(f"'{word}'" for word in words)
        return json.loads(self.console(f"{_IN} {command} --json 2>/dev/null || :"))

    def operator(self, *words: str) -> tuple[int, str]:
        """A command of the operator's, to its end: exit code and everything said."""
        done = subprocess.run(
            [sys.executable, "-m", "emily_infra", *words, "--lab"], cwd=self.root, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def unit(self, name: str, deadline: float = 1800) -> str:
        """Run a unit as its timer does; how it ended, with what it said where it failed."""
        script = (
            f"systemctl start {name} || :\nsystemctl show -P Result {name}\n"
            f"systemctl is-failed --quiet {name} && journalctl -qu {name} -n 30 -o cat || :"
        )
        return self.console(script, deadline=deadline).strip()

    def snapshots(self, dataset: str) -> list[str]:
        """Their names, the oldest first."""
        listed = self.console(f"zfs list -Ht snapshot -d 1 -o name -s createtxg {dataset}")
        return [line.partition("@")[2] for line in listed.splitlines()]

    def metric(self, series: str) -> dict[str, float]:
        """A series from the textfile folder, by its labels."""
        lines = self.console(f"cat /var/lib/emily/metrics/*.prom | grep '^{series}' || :")
        pairs = (line.rpartition(" ") for line in lines.splitlines())
        return {labels.removeprefix(series): float(value) for labels, _, value in pairs}

    def restic(self, words: str, deadline: float = 900) -> str:
        """restic itself, as an operator uses it without us."""
        return self.console(
            f"restic -r {SHELF} --password-file /run/secrets/restic --no-cache {words}", deadline
        )

    def contents(self) -> str:
        """Of the pool `tank`: each file and folder with all that it has."""
        return self.console(_CONTENTS)

    def left_over(self) -> str:
        """What no finished run may leave: mounts, holds of dead runs, scratch, locks of restic."""
        return self.console(
            "grep /run/emily/ /proc/self/mountinfo | grep -v ' - tmpfs' || :\n"
            "zfs list -H -o name | grep scratch || :\nzfs list -H -o name | grep emily-drill || :\n"
            "for s in $(zfs list -Ht snapshot -o name,userrefs | awk '$2 > 0 {print $1}'); do"
            " zfs holds -H $s | grep -v replica || :; done\n"
            f"ls {SHELF}/locks 2>/dev/null || :"
        ).strip()

    # --- its life

    def describe(self, host_key: str) -> Host:
        """Write host.yaml, its far side being itself under another address."""
        public = " ".join(self.public.split(" ")[:2]).strip()
        part = _HOST.format(disks=_DISKS, shelf=SHELF, host_key=host_key, public=public)
        return self.stage.describe(part, hardware=_HARDWARE)

    @cached_property
    def public(self) -> str:
        """The key that may send."""
        key = self.root / "replica"
        if not key.exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
            subprocess.run(command, check=True)
        return key.with_suffix(".pub").read_text()

    def hand_over(self) -> None:
        """The secrets, as a secret manager does at each boot."""
        assert self.public
        private = (self.root / "replica").read_text()
        self.console(
            f"mkdir -p {_SECRETS} /run/secrets; umask 077\n"
            f"for to in {_SECRETS}/run-secrets- /run/secrets/; do\n"
            f"printf '%s\\n' '{PASSWORD}' >${{to}}restic\n"
            f"cat >${{to}}replica <<'END'\n{private}END\ndone"
        )

    def power_cycle(self) -> None:
        """A power cut, and everything up again."""
        self.stage.lab.power_cut()
        self.stage.lab.start()
        self.console(_UP, deadline=900)
        self.hand_over()

    def suspend(self) -> None:
        """The pool `barn` has lost all of its disks."""
        self.console(_SUSPENDED, deadline=300)

    def bring_back(self) -> str:
        """They are back, and so is the pool; what was written meanwhile."""
        return self.console(_RETURNED, deadline=600)

    def lose(self) -> None:
        """The pool `tank` is gone, with all that the host remembered of its backups."""
        self.console(_LOST)

    def ledger(self) -> None:
        """The database is up, with a table whose amounts add up to nothing."""
        self.console(_LEDGER.format(), deadline=900)


def made(root: Path) -> Keeper:
    """The lab with the host applied to it."""
    name = f"keeper-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stage = Rehearsal(name, root, Lab(name))
    stage.lab.reset()
    keeper = Keeper(stage, root)
    own = " ".join(keeper.public.split(" ")[:2]).strip()
    host = keeper.describe(own)  # any key: the machine's own is not made yet
    stage.lab.up(Plan(host, root, memory=2048), tell=print)
    keeper.hand_over()
    keeper.describe(keeper.console("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").strip())
    done = stage.apply()
    assert done.process.returncode == 0, done.said
    return keeper
