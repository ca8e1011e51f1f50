
# What the machine is.

current() { readlink -f /run/current-system; }
profile() { readlink -f "$PROFILE"; }
generation() { readlink "$PROFILE" | sed -n 's/.*system-\([0-9]*\)-link$/\1/p'; }
newest() { find "${PROFILE%/*}" -name 'system-*-link' | sed 's/.*system-\([0-9]*\)-link$/\1/' | sort -n | tail -n 1; }

# The toplevel that boots next; nothing where that cannot be told.
boot_default() {
  wish=$(efi_default)
  [ -n "$wish" ] || wish=$(sed -n 's/^default[[:space:]]*//p' /boot/loader/loader.conf 2>/dev/null | tail -n 1)
  [ -n "$wish" ] || return 0
  wish=${wish%.conf}
  # $wish is not quoted: the loader takes a pattern. It also counts boots in a name: NAME+3.conf.
  # shellcheck disable=SC2086
  entry=$(printf '%s\n' /boot/loader/entries/$wish.conf /boot/loader/entries/$wish+*.conf |
    sort -V | while read -r file; do [ ! -f "$file" ] || echo "$file"; done | tail -n 1)
  [ -n "$entry" ] || return 0
  readlink -f "$(sed -n 's/^options .*init=\([^ ]*\)\/init.*/\1/p' "$entry")"
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
    { [ -z "${SSH_ADDRESS:-}" ] || ip -o address | grep -qF " $SSH_ADDRESS/"; }
}

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
