
# What the machine is.

current() { readlink -f /run/current-system; }
profile() { readlink -f "$PROFILE"; }
generation() { readlink "$PROFILE" | sed -n 's/.*system-\([0-9]*\)-link$/\1/p'; }
numbers() { find "${PROFILE%/*}" -name 'system-*-link' | sed 's/.*system-\([0-9]*\)-link$/\1/'; }
newest() { numbers | sort -n | tail -n 1; }

# How many generations of the profile are newer than number $1.
newer() { numbers | awk -v than="$1" '$1 > than' | wc -l; }

is_generation() {
  for link in "$PROFILE"-*-link "${PROFILE%/*}"/system-profiles/*-link; do
    [ "$(readlink -f "$link")" != "$1" ] || return 0
  done
  false
}

# The toplevel that boots from now on; nothing where that cannot be told.
boot_default() {
  wish=$(efi_default)
  [ -n "$wish" ] || wish=$(says preferred /boot/loader/loader.conf) # where boots are counted
  [ -n "$wish" ] || wish=$(says default /boot/loader/loader.conf)
  [ -n "$wish" ] || return 0
  wish=${wish%.conf}
  # $wish is not quoted: the loader takes a pattern. It also counts boots in a name: NAME+3.conf.
  # shellcheck disable=SC2086
  file=$(first_entry /boot/loader/entries/$wish.conf /boot/loader/entries/$wish+*.conf)
  [ -n "$file" ] || return 0
  readlink -f "$(sed -n 's/^options .*init=\([^ ]*\)\/init.*/\1/p' "$file")"
}

says() { sed -n "s/^$1[[:space:]][[:space:]]*//p" "$2" 2>/dev/null | tail -n 1; }

# Of these boot entries the one that the loader lists first. Not every NixOS has the number of the
# generation in the file's name; all have it in the entry.
first_entry() {
  for file; do
    [ ! -f "$file" ] || printf '%s\t%s\n' "$(says version "$file")" "$file"
  done | sort -V | tail -n 1 | cut -f 2
}

# The boot entry of a toplevel, by the name that the loader knows it by; nothing where it could not
# be booted.
entry_of() {
  # shellcheck disable=SC2046 # no blanks in these names
  file=$(first_entry $(grep -lF "init=$1/init" /boot/loader/entries/*.conf 2>/dev/null))
  [ -n "$file" ] || return 0
  for image in $(says linux "$file") $(says initrd "$file"); do
    [ -s "/boot$image" ] || return 0
  done
  echo "${file##*/}" | sed 's/+[0-9-]*\.conf$/.conf/'
}

# The firmware's variable, which systemd-boot heeds before its own file.
efi_default() {
  variable=/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
  [ ! -r "$variable" ] || tail -c +5 "$variable" | tr -d '\000'
}

failed_units() {
  systemctl list-units --all --plain --no-legend --no-pager --state=failed,auto-restart |
    sed 's/^[^a-zA-Z0-9_-]*//; s/ .*//' | grep -vE '^emily-(deploy|switch|dead-man|boot-guard)\.' | sort -u
}

new_failures() { failed_units | comm -13 "$D/failed-before" - | tr '\n' ' '; }
going_down() { [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; }

# Whether something listens where the operator came in, and the address is there.
reachable() {
  [ -n "${SSH_PORT:-}" ] || return 0
  port=$(printf ':%04X' "$SSH_PORT")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port="$port" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' &&
    { [ -z "${SSH_ADDRESS:-}" ] || ip -o address show up | grep -qF " $SSH_ADDRESS/"; }
}

# What of the network is there, a line for each; and the firewall without its counters.
network() {
  {
    ip -o link show up | sed 's/^[0-9]*: \([^:@]*\).*/link \1/'
    ip -o address show up scope global | awk '{ print "address", $2, $4 }'
    ip route show default | sed 's/^/route /; s/ expires .*//'
  } 2>/dev/null | sort -u
}

firewall() { nft --stateless list ruleset 2>/dev/null | cksum; }
lost_network() { [ ! -e "$D/network-before" ] || network | comm -13 - "$D/network-before"; }
other_firewall() { [ -e "$D/firewall-before" ] && [ "$(firewall)" != "$(cat "$D/firewall-before")" ]; }

# Its units.

# The shell of the system that booted: activation replaces /bin/sh.
shell() { readlink -f /run/booted-system/sw/bin/sh 2>/dev/null | grep / || readlink -f /bin/sh; }

# Start in the background, whatever else waits in systemd's queue.
unit() {
  systemd-run --quiet --no-ask-password --service-type=exec --property=DefaultDependencies=no \
    --property=Conflicts=shutdown.target --property=Before=shutdown.target \
    --property=OOMScoreAdjust=-900 "$@"
}

# In the unit that is the lock. Killed in whatever way, it is followed by `stopped`.
start_locked() {
  systemctl reset-failed emily-deploy.service 2>/dev/null
  unit --unit=emily-deploy.service --property=TimeoutStopSec=1h \
    --property=ExecStopPost="$(shell) $D/host.sh stopped $ID" "$(shell)" "$D/host.sh" "$@"
}

busy() {
  for state in $(systemctl is-active emily-deploy.service emily-boot-guard.service emily-dead-man.service 2>/dev/null); do
    case $state in active | activating | deactivating | reloading) return ;; esac
  done
  false
}

arm() {
  disarm
  systemctl reset-failed emily-dead-man.service 2>/dev/null
  unit --unit=emily-dead-man --on-active="$1" --timer-property=AccuracySec=1s \
    --timer-property=DefaultDependencies=no --timer-property=Conflicts=shutdown.target \
    "$(shell)" "$D/host.sh" rollback "$ID" && systemctl is-active --quiet emily-dead-man.timer
}

disarm() { systemctl stop emily-dead-man.timer 2>/dev/null; }
