"""Toplevels of a small world: folders in its own Nix store, with a switch-to-configuration."""

import subprocess
from pathlib import Path

ASK = Path(__file__).with_name("ask.sh")

# Its lock, actions and exit codes are those of research on the real one: a loser of the lock exits
# with 11, `test` touches no boot entry, `boot` no running unit. A hook may spoil any action.
SWITCH = r"""#!/bin/sh
top=$(readlink -f "$(dirname "$0")/..")
name=$(cat "$top/name")
mkdir -p /var/lib/world
echo "$name $1" >>/var/lib/world/switched
exec 8>/run/nixos/switch-to-configuration.lock
flock -n 8 || exit 11
status=0
[ ! -e "/var/lib/world/$name.$1" ] || . "/var/lib/world/$name.$1"
case $1 in test | switch) ln -sfn "$top" /run/.new && mv -T /run/.new /run/current-system ;; esac
case $1 in boot | switch)
  mkdir -p /boot/loader/entries || exit 1
  for link in /nix/var/nix/profiles/system-*-link; do
    number=${link##*/system-} && number=${number%-link}
    entry=/boot/loader/entries/nixos-generation-$number.conf
    [ -e "$entry" ] || { cat "$link/kernel" >"/boot/kernel-$number" &&
      echo "options init=$(readlink -f "$link")/init quiet" >"$entry"; } || exit 1
    [ "$(readlink -f "$link")" != "$top" ] || chosen=$number
  done
  cd /boot/loader || exit 1
  echo "default nixos-generation-$chosen.conf" >.new && mv .new loader.conf || exit 1
  ;;
esac
exit $status
"""


def write(folder: Path, name: str, guarded: bool = True) -> Path:  # noqa: FBT001, FBT002
    """A toplevel as a plain folder, to be added to a store."""
    top = folder / f"nixos-system-{name}"
    (top / "bin").mkdir(parents=True)
    (top / "sw/bin").mkdir(parents=True)
    units = top / "etc/systemd/system"
    units.mkdir(parents=True)
    if guarded:
        (units / "emily-boot-guard.service").write_text("[Service]\n")
    (top / "name").write_text(name)
    (top / "kernel").write_text("k" * 20000)
    (top / "nixos-version").write_text("26.05")
    (top / "bin/switch-to-configuration").write_text(SWITCH)
    for program in ("systemctl", "systemd-run", "journalctl"):
        (top / "sw/bin" / program).write_text(ASK.read_text())
    for file in [*(top / "sw/bin").iterdir(), top / "bin/switch-to-configuration"]:
        file.chmod(0o755)
    (top / "sw/bin/sh").symlink_to("/bin/sh")
    return top


def store(root: Path, names: dict[str, bool]) -> dict[str, str]:
    """A store under root/nix that holds the named toplevels; the first is generation 1."""
    (root / "nix").mkdir()
    for name, guarded in names.items():
        write(root / "made", name, guarded)
    script = (
        'mount --bind "$1/nix" /nix && shift && for top; do nix-store --add "$top"; done &&'
        'first=$(ls -d /nix/store/*-"${1##*/}" | head -n 1) &&'
        'nix-env -p /nix/var/nix/profiles/system --set "$first"'
    )
    made = [str(root / "made" / f"nixos-system-{name}") for name in names]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script, "sh", str(root), *made],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    tops = dict(zip(names, done.stdout.split(), strict=True))
    entries = root / "boot/loader/entries"
    entries.mkdir(parents=True)
    first = next(iter(tops.values()))
    (entries / "nixos-generation-1.conf").write_text(f"options init={first}/init quiet\n")
    (root / "boot/loader/loader.conf").write_text("default nixos-generation-1.conf\n")
    return tops
