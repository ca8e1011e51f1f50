"""Toplevels of a small world: folders in its own Nix store, with a switch-to-configuration."""

import subprocess
from pathlib import Path

ASK = Path(__file__).with_name("ask.sh")

# Its lock, actions and exit codes are those of research on the real one: a loser of the lock exits
# with 11, `test` touches no boot entry, `boot` no running unit. The menu holds eight generations,
# and what a boot action left half written stops the next one. A hook may spoil any action.
SWITCH = r"""#!/bin/sh
top=$(readlink -f "$(dirname "$0")/..")
name=$(cat "$top/name")
mkdir -p /var/lib/world
echo "$name $1" >>/var/lib/world/switched
profile=/nix/var/nix/profiles/system
# As in the host's own program, where a test counts down to a crash.
crash() {
  [ -s /var/lib/world/crash ] || return 0
  read -r left how </var/lib/world/crash
  if [ "$left" -gt 0 ]; then echo "$((left - 1)) $how" >/var/lib/world/crash; return 0; fi
  sed -i 1d /var/lib/world/crash
  if [ "$how" = power ]; then systemctl world-cut; else kill -9 $$; fi
}
exec 8>/run/nixos/switch-to-configuration.lock
flock -n 8 || exit 11
status=0
[ -n "$NIXOS_NO_CHECK" ] || [ ! -e "/var/lib/world/$name.check" ] || exit 1
[ ! -e "/var/lib/world/$name.$1" ] || . "/var/lib/world/$name.$1"
case $1 in test | switch) ln -sfn "$top" /run/.new && mv -T /run/.new /run/current-system ;; esac
case $1 in boot | switch)
  mkdir -p /boot/loader/entries || exit 1
  newest=$(ls -d "$profile"-*-link | sed 's/.*system-//; s/-link//' | sort -n | tail -n 8)
  newest=" $(echo $newest) "
  for entry in /boot/loader/entries/nixos-generation-*.conf; do
    number=${entry##*-} && number=${number%.conf}
    case "$newest" in *" $number "*) ;; *) crash && rm -f "$entry" "/boot/kernel-$number" ;; esac
  done
  for number in $newest; do
    link=$profile-$number-link
    entry=/boot/loader/entries/nixos-generation-$number.conf
    [ -e "$entry" ] || { crash && cat "$link/kernel" >"/boot/kernel-$number" && crash &&
      printf 'version Generation %s\nlinux /kernel-%s\noptions init=%s/init quiet\n' \
        "$number" "$number" "$(readlink -f "$link")" >"$entry"; } || exit 1
    [ "$(readlink -f "$link")" != "$top" ] || chosen=$number
  done
  cd /boot/loader || exit 1
  set -C
  echo "default nixos-generation-${chosen:-*}.conf" >loader.tmp && crash &&
    mv loader.tmp loader.conf || exit 1
  ;;
esac
exit $status
"""


# The variables of the firmware: neither on /boot nor lost with the power.
BOOTCTL = """#!/bin/sh
[ $# = 2 ] && [ "$1" = set-oneshot ] || exit 1
[ ! -e /var/lib/world/no-variables ] || { echo "Not booted with UEFI." >&2; exit 1; }
[ -n "$2" ] || { rm -f /var/lib/world/once; exit; }
[ ! -e /var/lib/world/full-firmware ] || { echo "No space left on device" >&2; exit 1; }
mkdir -p /var/lib/world && echo "$2" >/var/lib/world/once
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
    (top / "sw/bin/bootctl").write_text(BOOTCTL)
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
    (root / "boot/kernel-1").write_text("k")
    (entries / "nixos-generation-1.conf").write_text(
        f"version Generation 1\nlinux /kernel-1\noptions init={first}/init quiet\n"
    )
    (root / "boot/loader/loader.conf").write_text("default nixos-generation-1.conf\n")
    return tops
